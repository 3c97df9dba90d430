import { aborted, type OperationError, timedOut } from './errors.ts';

/** What every operation that waits takes. */
export interface CallOptions {
  /** Ends the waiting, not the operation: `Aborted`. */
  readonly signal?: AbortSignal;
  /** Ends the waiting, not the operation: `Timeout`. The member's own time-out (`timing`) holds besides. */
  readonly timeoutMs?: number;
}

interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: OperationError) => void;
  /** Lets timer and signal go. */
  readonly release: (() => void) | null;
}

/** Hears of each call, once when it begins and once when it ends. */
export interface CallWatch<Value> {
  asked(id: number): void;
  done(id: number, value: Value): void;
  failed(id: number, code: string): void;
}

/** Promises over a driver that knows none: each ends with its outcome, its signal, its time, or the member. */
export class Calls<Value> {
  readonly #waiting = new Map<number, Waiting<Value>>();
  readonly #watch: CallWatch<Value>;

  constructor(watch: CallWatch<Value>) {
    this.#watch = watch;
  }

  /** `id`: under which the outcome comes. The caller has made sure that the signal is not aborted yet. */
  wait(id: number, { signal, timeoutMs }: CallOptions): Promise<Value> {
    return new Promise((resolve, reject) => {
      let release: (() => void) | null = null;
      if (signal !== undefined || timeoutMs !== undefined) {
        const onAbort = (): void => {
          if (signal !== undefined) this.fail(id, aborted(signal, true));
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        const timer = timeoutMs === undefined ? null : setTimeout(() => this.fail(id, timedOut()), timeoutMs);
        release = () => {
          signal?.removeEventListener('abort', onAbort);
          if (timer !== null) clearTimeout(timer);
        };
      }
      this.#watch.asked(id);
      this.#waiting.set(id, { resolve, reject, release });
    });
  }

  done(id: number, value: Value): void {
    const waiting = this.#take(id);
    if (waiting === undefined) return;
    this.#watch.done(id, value);
    waiting.resolve(value);
  }

  fail(id: number, error: OperationError): void {
    const waiting = this.#take(id);
    if (waiting === undefined) return;
    this.#watch.failed(id, error.code);
    waiting.reject(error);
  }

  failAll(error: () => OperationError): void {
    for (const id of [...this.#waiting.keys()]) this.fail(id, error());
  }

  #take(id: number): Waiting<Value> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.release?.();
    return waiting;
  }
}
