import { type ResilienceCode, refusal } from '../base/error.ts';
import type { Degradation, Outcome } from '../base/outcome.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Context } from './context.ts';
import type { Reporter } from './reporter.ts';
import { REFUSED, type Waiter } from './stage.ts';

export type Work<T> = (context: Context) => T | PromiseLike<T>;

/** What a caller may say about one call. */
export interface RunOptions {
  /** Aborting it settles the call at once with the signal's reason, wherever the call is. */
  readonly signal?: AbortSignal | undefined;
  /** Whether doing the work twice does no harm; overrides the retry policy's word. */
  readonly idempotent?: boolean | undefined;
  /** Higher goes first in a bulkhead's queue; 0 unless told. */
  readonly priority?: number | undefined;
  /** Names the result, for coalescing and stale caches. */
  readonly key?: string | undefined;
  /** The context of the call within which this one is made: its signal, deadline and repetitions count here too. */
  readonly parent?: Context | undefined;
}

/** What a branch adds when it runs the inner frame. */
export interface CallOptions extends RunOptions {
  /** The number of its first attempt, as the work sees it. */
  readonly attempt?: number;
}

/** No stage has cancelled the call. */
const NOT_CANCELLED = Number.MAX_SAFE_INTEGER;
/** The caller cancelled it: further out than every stage. */
const BY_CALLER = -1;

/**
 * One call on its way through the stages. It is cancelled *at a depth*: the stage there turns that into its own outcome, and
 * stages further in are left without a say. Its frame is parked on at most one promise at a time.
 */
export class Call {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly options: CallOptions | undefined;
  /** Whether the outcome is thrown; then refusals carry stacks. */
  readonly throws: boolean;
  /** What the stages remember of this call, by depth. */
  // Room for most pipelines at once: an array that grows takes room for many more.
  readonly notes: unknown[] = [undefined, undefined, undefined, undefined];

  // The outcome so far.
  ok = false;
  value: unknown = undefined;
  error: unknown = undefined;
  degraded: Degradation | undefined = undefined;

  // The attempt.
  attempt = 1;
  deadline = Infinity;
  context: Context | null = null;
  /** This attempt has got as far as the work. */
  begun = false;
  /** The work is being awaited. */
  underWay = false;
  /** The frame went on without waiting for the work's end. */
  abandoned = false;

  /** The call cannot wait in a queue. */
  immediate = false;

  // What a stage asks of the frame.
  delayMs = 0;
  waiter: Waiter | null = null;
  pending: PromiseLike<unknown> | null = null;

  #signal: AbortSignal | null = null;
  #cancelledAt = NOT_CANCELLED;
  #cancelError: unknown = undefined;
  /** The cancelling stage lets the work under way end by itself. */
  #patient = false;
  #admitted = false;
  #awaited: PromiseLike<unknown> | null = null;
  #wake: (() => void) | null = null;

  constructor(runtime: Runtime, reporter: Reporter, options: CallOptions | undefined, throws: boolean) {
    this.runtime = runtime;
    this.reporter = reporter;
    this.options = options;
    this.throws = throws;
    if (options === undefined) return;
    this.attempt = options.attempt ?? 1;
    this.deadline = options.parent?.deadline ?? Infinity;
  }

  /** Listens to the caller's signal. False when that was aborted beforehand. */
  open(): boolean {
    if (this.options === undefined) return true;
    const signal = callerSignal(this.options);
    if (signal === undefined) return true;
    if (signal.aborted) {
      this.fail(signal.reason);
      return false;
    }
    signal.addEventListener('abort', this);
    this.#signal = signal;
    return true;
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this);
  }

  /** Whether anybody outside the frame can cancel the call. */
  get watched(): boolean {
    return this.#signal !== null;
  }

  /** Whether this call is made by an attempt that repeats earlier work. */
  get repeats(): boolean {
    return this.options?.parent?.repeats ?? false;
  }

  /** For a stage that does not let the call in. */
  refuse(code: ResilienceCode, message: string, retryAfterMs?: number): typeof REFUSED {
    this.reporter.refused(code);
    this.fail(refusal(code, message, retryAfterMs, this.throws));
    return REFUSED;
  }

  /** The call is over. */
  count(): void {
    if (this.ok) this.reporter.succeeded++;
    else this.reporter.failed++;
  }

  succeed(value: unknown): void {
    this.ok = true;
    this.value = value;
    this.error = undefined;
  }

  fail(error: unknown): void {
    this.ok = false;
    this.value = undefined;
    this.error = error;
  }

  /** The work threw: that is the outcome, unless it stopped because it was told to. */
  failWith(error: unknown): void {
    if (this.interrupted) this.failAsCancelled();
    else this.fail(error);
  }

  /** A branch ended with this outcome. */
  #adopt(outcome: Outcome<unknown>): void {
    if (!outcome.ok) {
      this.fail(outcome.error);
      return;
    }
    this.succeed(outcome.value);
    this.degraded = outcome.degraded;
  }

  outcome(): Outcome<unknown> {
    if (!this.ok) return { ok: false, error: this.error };
    if (this.degraded === undefined) return { ok: true, value: this.value };
    return { ok: true, value: this.value, degraded: this.degraded };
  }

  /** Starts an attempt at the work. False when the call has been cancelled meanwhile. */
  begin(): boolean {
    if (this.interrupted) {
      this.failAsCancelled();
      return false;
    }
    this.context = new Context(this.runtime, this.attempt, this.deadline, this.attempt > 1 || this.repeats);
    this.begun = true;
    this.underWay = true;
    return true;
  }

  /** The attempt has ended, or was abandoned. A branch's result is itself an outcome. */
  end(branched: boolean): void {
    this.underWay = false;
    this.#patient = false;
    if (branched && this.ok) this.#adopt(this.value as Outcome<unknown>);
  }

  /** Forgets the attempt that ended, before the next one. */
  repeat(): void {
    this.attempt++;
    this.begun = false;
    this.abandoned = false;
    this.degraded = undefined;
  }

  get interrupted(): boolean {
    return this.#cancelledAt !== NOT_CANCELLED;
  }

  /** Cancelled by a stage further out than this depth, or by the caller: whatever comes of it is not this stage's to change. */
  cancelledOutside(depth: number): boolean {
    return this.#cancelledAt < depth;
  }

  /** The reason for the cancelling in force becomes the outcome. */
  failAsCancelled(): void {
    this.fail(this.#cancelError);
  }

  cancel(depth: number, error: unknown, cooperative: boolean): void {
    if (this.#cancelledAt <= depth) return;
    this.#cancelledAt = depth;
    this.#cancelError = error;
    this.#patient = cooperative && this.underWay;
    if (this.underWay) this.context?.cancel(error);
    if (this.#patient || this.#wake === null) return;
    this.#abandon();
    this.#resume();
  }

  /** As cancel, of an attempt that had no Call while it was under way. */
  abandonAt(depth: number, error: unknown): void {
    this.#cancelledAt = depth;
    this.#cancelError = error;
    this.context?.cancel(error);
    this.abandoned = true;
    this.fail(error);
  }

  /** The stage at this depth has dealt with its own cancelling. */
  clearCancelled(depth: number): void {
    if (this.#cancelledAt === depth) this.#cancelledAt = NOT_CANCELLED;
  }

  /** The call is itself the listener to its caller's signal, which spares a closure. */
  handleEvent(): void {
    this.cancel(BY_CALLER, this.#signal?.reason, false);
  }

  /** Waits for the waiter's word. False when there is no place or the call was cancelled: the reason is the outcome. */
  async queued(): Promise<boolean> {
    this.#admitted = false;
    await this.#park();
    this.waiter = null;
    return this.#admitted;
  }

  /** By the waiter. */
  admit(): void {
    this.#admitted = true;
    this.#resume();
  }

  /** By the waiter. */
  turnAway(error: unknown): void {
    this.fail(error);
    this.#resume();
  }

  /** Sleeps for `delayMs`. False when cancelled meanwhile: the reason is the outcome. */
  async sleep(): Promise<boolean> {
    const alarm = this.runtime.platform.schedule(this.delayMs, () => this.#resume());
    await this.#park();
    alarm.cancel();
    return !this.interrupted;
  }

  /** Waits for the result, which becomes the outcome; or until cancelled, when the work is left to itself. */
  race(result: PromiseLike<unknown>, context: Context | null): Promise<void> {
    this.#awaited = result;
    result.then(
      (value) => {
        context?.settle();
        if (this.#awaited === result) this.#deliver(true, value);
      },
      (error: unknown) => {
        context?.settle();
        if (this.#awaited === result) this.#deliver(false, error);
      },
    );
    return this.#park();
  }

  #deliver(ok: boolean, valueOrError: unknown): void {
    this.#awaited = null;
    if (ok) this.succeed(valueOrError);
    else this.failWith(valueOrError);
    this.#resume();
  }

  #park(): Promise<void> {
    if (this.interrupted && !this.#patient) {
      this.#abandon();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #abandon(): void {
    this.#awaited = null;
    this.waiter?.cancel();
    this.waiter = null;
    this.abandoned = this.underWay;
    this.failAsCancelled();
  }

  #resume(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

function callerSignal(options: RunOptions): AbortSignal | undefined {
  return options.signal ?? options.parent?.signal;
}
