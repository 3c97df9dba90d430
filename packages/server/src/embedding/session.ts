/** Exactly once, however often it is tried: the part of a session that its holder keeps. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PolderError } from '@polder/core';
import type { CallOptions } from './calls.ts';
import { aborted, OperationError, timedOut } from './errors.ts';

/** All that is needed to go on elsewhere, in JSON if need be. */
export interface SessionToken {
  readonly id: string;
  /** Its operations up to this one have an outcome. The next one given is the one after it. */
  readonly settled: number;
}

export interface SessionOptions extends CallOptions {
  /** The operation before, which ended `unknown`, is asked for again: give the same one. It still happens once. */
  readonly retry?: boolean;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const PAUSE_MS = 20;

/** Numbers operations and repeats each until its outcome is known. They take turns: one session, one at a time. */
export class Sequence {
  readonly id: string;
  #settled: number;
  #sequence: number;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(token: SessionToken) {
    this.id = token.id;
    this.#settled = token.settled;
    this.#sequence = token.settled;
  }

  get token(): SessionToken {
    return { id: this.id, settled: this.#settled };
  }

  /** `attempt` is a repeat of itself if it comes with the same number. */
  run<Value>(
    attempt: (sequence: number, options: CallOptions) => Promise<Value>,
    options: SessionOptions = {},
  ): Promise<Value> {
    if (this.#ended) {
      const message = 'this session was closed, and nothing was done: make another one';
      return Promise.reject(new OperationError('SessionEnded', 'notApplied', message));
    }
    const result = this.#last.then(() => this.#next(attempt, options));
    this.#last = result.catch(() => {});
    return result;
  }

  /** After what is under way. */
  async end(last: () => Promise<unknown>): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#last;
    await last();
  }

  async #next<Value>(
    attempt: (sequence: number, options: CallOptions) => Promise<Value>,
    { retry = false, ...options }: SessionOptions,
  ): Promise<Value> {
    const pending = this.#sequence > this.#settled;
    if (retry && !pending) throw new PolderError('NothingToRetry', 'the session’s last operation has its outcome');
    const sequence = retry ? this.#sequence : ++this.#sequence;
    const value = await settled((each) => attempt(sequence, each), options);
    this.#settled = sequence;
    return value;
  }
}

/** Tries until there is an outcome, or time is up. */
export async function settled<Value>(
  attempt: (options: CallOptions) => Promise<Value>,
  { signal, timeoutMs = DEFAULT_TIMEOUT_MS }: CallOptions,
): Promise<Value> {
  const endMs = performance.now() + timeoutMs;
  for (let unknown = false; ; ) {
    const leftMs = Math.ceil(endMs - performance.now());
    try {
      return await attempt({ timeoutMs: Math.max(1, leftMs), ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      if (!(error instanceof OperationError) || error.code === 'Aborted') throw error;
      unknown ||= error.outcome === 'unknown';
      const isOver = performance.now() + PAUSE_MS >= endMs;
      if (!MAY_TRY_AGAIN.has(error.code) || isOver) throw unknown ? asUnknown(error) : error;
    }
    await sleep(PAUSE_MS, undefined, { ...(signal === undefined ? {} : { signal }) }).catch(() => {
      if (signal !== undefined) throw unknown ? aborted(signal, true) : aborted(signal, false);
    });
  }
}

const MAY_TRY_AGAIN: ReadonlySet<string> = new Set(['NoLeader', 'NotApplied', 'TooManyRequests', 'Unknown', 'Timeout']);

/** An earlier attempt may have had its effect, whatever the last one says. */
function asUnknown(error: OperationError): OperationError {
  if (error.outcome === 'unknown') return error;
  const known = new OperationError('Unknown', 'unknown', 'its outcome is not known: try it again in this session', {
    cause: error,
  });
  return error.code === 'Timeout' ? timedOut() : known;
}
