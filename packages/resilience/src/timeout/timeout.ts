import { type Duration, positiveDurationMs } from '../base/duration.ts';
import type { Call } from '../pipeline/call.ts';
import { HeavyStage } from '../pipeline/heavy-stage.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, type Departure, PASSED, type Stage } from '../pipeline/stage.ts';
import { systemRuntime } from '../runtime/system.ts';
import { TimerEntry, TimerList, type TimerQueue } from '../runtime/timer-list.ts';
import { TimedCall, timedOut } from './timed-call.ts';

export interface TimeoutOptions extends PolicyOptions {
  readonly after: Duration;
  /**
   * `abandoning`, unless told: the call ends when time is up, whether or not the work heeds its signal. `cooperative`: the work is
   * told by its signal and waited for; a value that it returns nevertheless counts.
   */
  readonly mode?: 'abandoning' | 'cooperative';
}

export class Timeout extends Policy {
  readonly afterMs: number;
  readonly #cooperative: boolean;

  constructor(options: TimeoutOptions) {
    super('timeout', options.name, options.runtime ?? systemRuntime);
    this.afterMs = positiveDurationMs(options.after, 'after');
    this.#cooperative = options.mode === 'cooperative';
  }

  /** @internal */
  override at(depth: number): Part {
    const queue = TimerList.of(this.runtime.platform).queue(this.afterMs);
    const stage = new TimeoutStage(this.afterMs, this.#cooperative, queue, depth, () => this.runtime.now());
    return { type: 'stage', stage, cancels: true, gate: false };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return { afterMs: this.afterMs };
  }
}

/** Ends what takes too long with TIMEOUT: the whole call, or each attempt when it stands inside a retry policy. */
export function timeout(options: Duration | TimeoutOptions): Timeout {
  return new Timeout(typeof options === 'object' ? options : { after: options });
}

class TimeoutStage extends HeavyStage {
  readonly startLight?: Stage['startLight'];
  readonly #afterMs: number;
  readonly #cooperative: boolean;
  readonly #queue: TimerQueue;
  readonly #depth: number;

  constructor(afterMs: number, cooperative: boolean, queue: TimerQueue, depth: number, now: () => number) {
    super();
    this.#afterMs = afterMs;
    this.#cooperative = cooperative;
    this.#queue = queue;
    this.#depth = depth;
    // Light calls are the outermost stage's to start, and a cooperative time-out waits in ways that they do not know.
    if (depth > 0 || cooperative) return;
    this.startLight = (lane, work, permit, throws) =>
      new TimedCall(lane, queue, afterMs, work, permit, throws).start(now());
  }

  enter(call: Call): Admission {
    const now = call.runtime.now();
    const entry = new CallTimer(call, this.#depth, this.#afterMs, this.#cooperative);
    this.#queue.add(entry, now);
    call.notes[this.#depth] = entry;
    if (entry.dueMs < call.deadline) call.deadline = entry.dueMs;
    return ADMITTED;
  }

  leave(call: Call): Departure {
    const entry = call.notes[this.#depth] as CallTimer | TimedCall;
    this.#queue.remove(entry);
    call.deadline = entry.outerDeadline;
    call.clearCancelled(this.#depth);
    return PASSED;
  }
}

class CallTimer extends TimerEntry {
  readonly outerDeadline: number;
  readonly #call: Call;
  readonly #depth: number;
  readonly #afterMs: number;
  readonly #cooperative: boolean;

  constructor(call: Call, depth: number, afterMs: number, cooperative: boolean) {
    super();
    this.#call = call;
    this.#depth = depth;
    this.#afterMs = afterMs;
    this.#cooperative = cooperative;
    this.outerDeadline = call.deadline;
  }

  override expire(): void {
    const call = this.#call;
    // Between attempts, the failure of the last one says more than that time is up.
    const cause = call.underWay ? undefined : call.error;
    call.reporter.timedOut(this.#afterMs);
    call.cancel(this.#depth, timedOut(this.#afterMs, cause), this.#cooperative);
  }
}
