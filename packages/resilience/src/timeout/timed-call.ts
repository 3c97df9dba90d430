import { ResilienceError } from '../base/error.ts';
import type { Call, Work } from '../pipeline/call.ts';
import type { Context } from '../pipeline/context.ts';
import type { LightLane } from '../pipeline/stage.ts';
import { TimerEntry, type TimerQueue } from '../runtime/timer-list.ts';

export function timedOut(afterMs: number, cause: unknown): ResilienceError<'TIMEOUT'> {
  const message = `not done within ${afterMs} ms; it may have been carried out`;
  return new ResilienceError('TIMEOUT', message, undefined, cause === undefined ? undefined : { cause });
}

/**
 * A call under a time-out and nothing else that can cancel it, on its light way: its promise is settled by the work or by the timer,
 * whichever comes first. Once either is anything but a success, a Call takes over, whose timer this then is.
 */
export class TimedCall extends TimerEntry {
  readonly outerDeadline = Infinity;
  readonly #lane: LightLane;
  readonly #queue: TimerQueue;
  readonly #afterMs: number;
  readonly #work: Work<unknown>;
  readonly #permit: number;
  readonly #throws: boolean;
  #context: Context | null = null;
  #call: Call | null = null;
  #ended = false;
  #resolve: (outcome: unknown) => void = NOBODY;

  constructor(
    lane: LightLane,
    queue: TimerQueue,
    afterMs: number,
    work: Work<unknown>,
    permit: number,
    throws: boolean,
  ) {
    super();
    this.#lane = lane;
    this.#queue = queue;
    this.#afterMs = afterMs;
    this.#work = work;
    this.#permit = permit;
    this.#throws = throws;
  }

  start(now: number): Promise<unknown> {
    this.#queue.add(this, now);
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const context = this.#lane.contextUntil(this.dueMs);
      this.#context = context;
      try {
        const result = this.#work(context);
        if (isPromiseLike(result)) {
          result.then(
            (value) => this.#onValue(value),
            (error: unknown) => this.#onError(error),
          );
        } else {
          this.#onValue(result);
        }
      } catch (error) {
        this.#onError(error);
      }
    });
  }

  override expire(): void {
    this.#lane.reporter.timedOut(this.#afterMs);
    const call = this.#call;
    if (call !== null) {
      // Between attempts, the failure of the last one says more than that time is up.
      call.cancel(0, timedOut(this.#afterMs, call.underWay ? undefined : call.error), false);
      return;
    }
    this.#ended = true;
    this.#takeOver().abandonAt(0, timedOut(this.#afterMs, undefined));
    this.#travel();
  }

  #onValue(value: unknown): void {
    if (this.#ended) {
      this.#context?.settle();
      return;
    }
    this.#ended = true;
    this.#queue.remove(this);
    this.#lane.leaveLight(this.#permit);
    this.#resolve(this.#throws ? value : { ok: true, value });
  }

  #onError(error: unknown): void {
    if (this.#ended) {
      this.#context?.settle();
      return;
    }
    this.#ended = true;
    this.#takeOver().fail(error);
    this.#travel();
  }

  #takeOver(): Call {
    const call = this.#lane.callAfterLight(this.#context as Context, this.#permit, this.#throws);
    call.deadline = this.dueMs;
    call.notes[0] = this;
    this.#call = call;
    return call;
  }

  #travel(): void {
    this.#resolve(this.#lane.travelOutward(this.#call as Call, this.#work));
  }
}

const NOBODY = (): void => {};

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
