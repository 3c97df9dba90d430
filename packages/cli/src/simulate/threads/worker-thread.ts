/** This thread's side of a worker: it is asked for one job at a time. */
import { Worker } from 'node:worker_threads';
import { assert } from '@polder/core';
import { CommandError, ExitCode } from '../../exit-code.ts';
import type { Answer, FromWorker, Job, JobType, Told, ToWorker } from './jobs.ts';

/** The work was called off: there is no answer, and nothing is wrong. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

interface Asked {
  readonly id: number;
  readonly told: (told: never) => void;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

export class WorkerThread {
  readonly #worker: Worker;
  #lastId = 0;
  #asked: Asked | null = null;
  #ended: Error | null = null;

  constructor() {
    this.#worker = new Worker(entry(), { execArgv: flags() });
    this.#worker.on('message', (message: FromWorker) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#end(failure(`a worker thread broke down: ${error.message}`)));
    this.#worker.on('exit', () => this.#end(new Interrupted('the worker thread has ended')));
  }

  /** Throws `Interrupted` when the thread is ended, a `CommandError` when the job cannot be done. */
  run<Type extends JobType>(job: Job<Type>, told: (told: Told<Type>) => void = () => {}): Promise<Answer<Type>> {
    assert(this.#asked === null, 'a worker thread does one job at a time');
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#asked = { id, told, resolve, reject };
      this.#worker.postMessage({ id, job: job as Job } satisfies ToWorker);
    });
  }

  async end(): Promise<void> {
    this.#end(new Interrupted('the worker thread was ended'));
    await this.#worker.terminate();
  }

  #onMessage(message: FromWorker): void {
    const asked = this.#asked;
    if (asked === null || asked.id !== message.id) return;
    if (message.type === 'told') return asked.told(message.told as never);
    this.#asked = null;
    if (message.type === 'answer') asked.resolve(message.answer as never);
    else asked.reject(failure(message.message));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#asked?.reject(this.#ended);
    this.#asked = null;
  }
}

/** Threads for the time of `body`; all of them end when it does, or when the signal says so. */
export async function withThreads<T>(
  count: number,
  signal: AbortSignal,
  body: (threads: readonly WorkerThread[]) => Promise<T>,
): Promise<T> {
  const threads = Array.from({ length: count }, () => new WorkerThread());
  const endAll = (): Promise<unknown> => Promise.all(threads.map((thread) => thread.end()));
  const onAbort = (): void => void endAll();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await body(threads);
  } finally {
    signal.removeEventListener('abort', onAbort);
    await endAll();
  }
}

/** Beside this module, which is a source in the tests and compiled elsewhere. */
function entry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
}

/** Scenarios may be TypeScript: older releases of Node 22 must be told so. */
function flags(): string[] {
  if (process.features.typescript) return [];
  return ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'];
}

function failure(message: string): CommandError {
  return new CommandError(ExitCode.unknown, message);
}
