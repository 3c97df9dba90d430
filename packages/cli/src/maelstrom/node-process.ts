/** One node as a child process, known by its id: nothing is ever ended by name. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandError, ExitCode } from '../exit-code.ts';
import { type Message, parseLine } from './protocol.ts';

const MAX_LINE_BYTES = 16 * 1024 * 1024;
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const STDERR_TAIL_LINES = 5;
const SHOWN_CHARACTERS = 200;

export interface NodeProcessOptions {
  readonly id: string;
  readonly program: Program;
  readonly onMessage: (message: Message) => void;
  /** What is wrong with the node, for a person; after it the node is of no more use. */
  readonly onFault: (problem: string) => void;
  readonly onStderr: (line: string) => void;
}

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
}

/** How to run FILE: JavaScript and TypeScript with this Node, anything else as the executable that it is. */
export function programOf(file: string, args: readonly string[]): Program {
  const path = resolve(file);
  if (!existsSync(path)) throw new CommandError(ExitCode.unknown, `--bin ${file}: there is no such file`);
  if (/\.[cm]?js$/.test(path)) return { command: process.execPath, args: [path, ...args] };
  if (/\.m?ts$/.test(path)) {
    // From Node 22.18 on types are stripped without being asked for.
    const strip = process.features.typescript === false ? ['--experimental-strip-types'] : [];
    return { command: process.execPath, args: [...strip, '--disable-warning=ExperimentalWarning', path, ...args] };
  }
  try {
    accessSync(path, constants.X_OK);
  } catch {
    const advice = `make it executable (chmod +x ${file}), or name a .js, .mjs or .ts file`;
    throw new CommandError(ExitCode.unknown, `--bin ${file} is not executable: ${advice}`);
  }
  return { command: path, args };
}

export class NodeProcess {
  readonly #options: NodeProcessOptions;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #stderrTail: string[] = [];
  #stderrLines = 0;
  #lineNumber = 0;
  #over = false;

  constructor(options: NodeProcessOptions) {
    this.#options = options;
    const { command, args } = options.program;
    // A process group of its own: a Ctrl-C at the terminal must reach the runner only, and a wrapper's children end too.
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#ended = new Promise((end) => {
      this.#child.once('error', (error) => {
        this.#fault(`could not be started: ${error.message}`);
        end();
      });
      this.#child.once('close', (code, signal) => {
        this.#fault(`ended by itself with ${signal ?? `exit code ${code}`}; expected it to run until it is ended`);
        end();
      });
    });
    this.#child.stdin?.on('error', () => undefined);
    readLines(this.#child.stdout, (line) => this.#read(line));
    readLines(this.#child.stderr, (line) => this.#log(line));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stderrLines(): number {
    return this.#stderrLines;
  }

  send(message: Message): void {
    const { stdin } = this.#child;
    if (this.#over || stdin === null || !stdin.writable) return;
    stdin.write(`${JSON.stringify(message)}\n`);
    if (stdin.writableLength > MAX_UNREAD_BYTES) this.#fault('does not read its standard input; 64 MiB wait there');
  }

  /** SIGKILL, as Maelstrom does: a node is promised no goodbye. */
  async end(): Promise<void> {
    this.endNow();
    await this.#ended;
  }

  endNow(): void {
    this.#over = true;
    const { pid } = this.#child;
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }

  #read(line: string | null): void {
    this.#lineNumber++;
    if (this.#over || line?.trim() === '') return;
    if (line === null) {
      this.#fault(`wrote a line longer than ${MAX_LINE_BYTES} bytes`);
      return;
    }
    const parsed = parseLine(line, this.#options.id);
    switch (parsed.type) {
      case 'message':
        this.#options.onMessage(parsed.message);
        return;
      case 'garbage':
        this.#fault(`wrote line ${this.#lineNumber}, which ${parsed.problem}: ${shown(line)}`);
    }
  }

  #log(line: string | null): void {
    if (line === null) return;
    this.#stderrLines++;
    this.#stderrTail.push(shown(line));
    if (this.#stderrTail.length > STDERR_TAIL_LINES) this.#stderrTail.shift();
    this.#options.onStderr(line);
  }

  #fault(problem: string): void {
    if (this.#over) return;
    this.#over = true;
    const tail =
      this.#stderrTail.length === 0 ? '' : `; its last lines on stderr:\n    ${this.#stderrTail.join('\n    ')}`;
    this.#options.onFault(`${problem}${tail}`);
  }
}

function shown(line: string): string {
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS)}...`;
}

/** Hands over line after line; null for one that is too long to keep. */
function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string | null) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
    if (rest.length > MAX_LINE_BYTES) {
      rest = '';
      onLine(null);
    }
  });
  stream?.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}
