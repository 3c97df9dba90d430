import { PolderError } from '@polder/core';
import type { CallOptions } from './calls.ts';
import type { Envelope } from './envelope.ts';
import { OperationError } from './errors.ts';
import type { Placed } from './host.ts';
import type { Applied } from './replicated-machine.ts';
import { Sequence, type SessionOptions, type SessionToken, settled } from './session.ts';

type Propose<Result> = (envelope: Envelope, options: CallOptions) => Promise<Placed<Applied<Result>>>;

/** An attempt whose answer is lost leaves a session that nobody uses; too many of those end one another. */
export async function openSession<Result>(propose: Propose<Result>, options: CallOptions): Promise<SessionToken> {
  const { index } = await settled((each) => propose({ type: 'open' }, each), options);
  return { id: String(index), settled: 0 };
}

/** One command at a time; each happens once, however often it is tried and through whichever member. */
export class ReplicatedSession<Command, Result> implements AsyncDisposable {
  readonly #propose: Propose<Result>;
  readonly #encode: (command: Command) => Uint8Array;
  readonly #sequence: Sequence;

  constructor(propose: Propose<Result>, encode: (command: Command) => Uint8Array, token: SessionToken) {
    this.#propose = propose;
    this.#encode = encode;
    this.#sequence = new Sequence(token);
  }

  get #id(): number {
    return Number(this.#sequence.id);
  }

  /** With it the session goes on in another process or through another member: `await replicated.session(token)`. */
  get token(): SessionToken {
    return this.#sequence.token;
  }

  /**
   * Tries for `timeoutMs` (30 s) until the outcome is known. A repeat has the first attempt's result. Throws besides
   * what `propose` throws `SessionEnded`, `SessionMisused` and `ResultNotKept`: it happened, its result is too long to keep.
   */
  propose(command: Command, options?: SessionOptions): Promise<Result> {
    return this.#sequence.run(async (sequence, each) => {
      const bytes = this.#encode(command);
      return resultOf((await this.#propose({ type: 'once', session: this.#id, sequence, command: bytes }, each)).value);
    }, options);
  }

  /** What comes later under its name is refused, never done. */
  close(options: CallOptions = {}): Promise<void> {
    const end: Envelope = { type: 'end', session: this.#id };
    return this.#sequence.end(() => settled((each) => this.#propose(end, each), options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function resultOf<Result>(applied: Applied<Result>): Result {
  switch (applied.type) {
    case 'result':
      return applied.result;
    case 'forgotten':
      throw new PolderError('ResultNotKept', 'it happened, once; its result was too long to be kept for a repeat');
    case 'ended': {
      const message =
        'the session has ended: it was closed, or too many came after it. Whether this happened before is not known';
      throw new OperationError('SessionEnded', 'unknown', message);
    }
    case 'misused':
      throw new PolderError(
        'SessionMisused',
        'the session has gone on elsewhere: only one holder may use it at a time',
      );
    case 'done':
      throw new TypeError('a command was answered as the opening of a session');
  }
}
