import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

/** The files of one run: history.jsonl, messages.jsonl, results.json, and a log for each node's stderr. */
export class LogDirectory {
  readonly #directory: string;
  readonly #streams = new Map<string, WriteStream>();
  #error: Error | null = null;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(join(directory, 'node-logs'), { recursive: true });
  }

  history(event: object): void {
    this.#append('history.jsonl', JSON.stringify(event));
  }

  message(event: object): void {
    this.#append('messages.jsonl', JSON.stringify(event));
  }

  stderr(node: string, line: string): void {
    this.#append(join('node-logs', `${node}.log`), line);
  }

  /** Resolves when everything is in the files; throws `CommandError` if something could not be written. */
  async close(results: object): Promise<void> {
    await Promise.all(
      [...this.#streams.values()].map((stream) => new Promise<void>((done) => stream.end(() => done()))),
    );
    try {
      if (this.#error !== null) throw this.#error;
      writeFileSync(join(this.#directory, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
    } catch (cause) {
      const advice = `the logs in ${this.#directory} are incomplete: ${messageOf(cause)}`;
      throw new CommandError(ExitCode.failure, advice, { cause });
    }
  }

  #append(file: string, line: string): void {
    let stream = this.#streams.get(file);
    if (stream === undefined) {
      stream = createWriteStream(join(this.#directory, file));
      stream.on('error', (error) => {
        this.#error ??= error;
      });
      this.#streams.set(file, stream);
    }
    stream.write(`${line}\n`);
  }
}
