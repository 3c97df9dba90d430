import { type Duration, durationMs, numberWithin, positiveDurationMs } from '../base/duration.ts';
import type { Call } from '../pipeline/call.ts';
import { HeavyStage } from '../pipeline/heavy-stage.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, type Departure, PASSED, QUEUED, type Waiter } from '../pipeline/stage.ts';
import type { Alarm, Runtime } from '../runtime/runtime.ts';
import { systemRuntime } from '../runtime/system.ts';
import { RateLimitCore } from './rate-limit-core.ts';

export interface RateLimitOptions extends PolicyOptions {
  /** So many calls ... */
  readonly permits: number;
  /** ... in so long; a second unless told. */
  readonly per?: Duration;
  /** At once after quiet times; `permits` unless told. */
  readonly burst?: number;
  /** How long a call may wait for its turn; not at all unless told. */
  readonly waitFor?: Duration;
}

export class RateLimit extends Policy {
  readonly core: RateLimitCore;
  readonly #waitForMs: number;

  constructor(options: RateLimitOptions) {
    super('rate-limit', options.name, options.runtime ?? systemRuntime);
    const permits = numberWithin(options.permits, 'permits', 0.001, 1e9);
    this.core = new RateLimitCore(
      permits,
      positiveDurationMs(options.per ?? '1s', 'per'),
      numberWithin(options.burst ?? Math.max(1, permits), 'burst', 1, 1e9),
    );
    this.#waitForMs = options.waitFor === undefined ? 0 : durationMs(options.waitFor, 'waitFor');
  }

  /** @internal */
  override at(): Part {
    const stage = new RateLimitStage(this.core, this.#waitForMs, this.name, this.runtime);
    return { type: 'stage', stage, cancels: false, gate: true };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    const { permits, perMs, burst } = this.core;
    return { permits, perMs, burst, available: this.core.available(this.runtime.now()) };
  }
}

/** At most so many calls in a time. */
export function rateLimit(options: RateLimitOptions): RateLimit {
  return new RateLimit(options);
}

class RateLimitStage extends HeavyStage {
  readonly #core: RateLimitCore;
  readonly #waitForMs: number;
  readonly #name: string;
  readonly #runtime: Runtime;

  constructor(core: RateLimitCore, waitForMs: number, name: string, runtime: Runtime) {
    super();
    this.#core = core;
    this.#waitForMs = waitForMs;
    this.#name = name;
    this.#runtime = runtime;
  }

  override enter(call: Call): Admission {
    const now = this.#runtime.now();
    const waitMs = this.#core.decide(now, call.immediate ? 0 : this.#waitForMs);
    if (waitMs === 0) return ADMITTED;
    if (waitMs > 0) {
      call.waiter = new TokenWaiter(this.#core, call, waitMs);
      return QUEUED;
    }
    const after = this.#core.waitMs(now);
    return call.refuse('RATE_LIMITED', `"${this.#name}" allows no more calls now: try again after retryAfterMs`, after);
  }

  override leave(): Departure {
    return PASSED;
  }
}

class TokenWaiter implements Waiter {
  readonly #core: RateLimitCore;
  readonly #alarm: Alarm;

  constructor(core: RateLimitCore, call: Call, waitMs: number) {
    this.#core = core;
    this.#alarm = call.runtime.platform.schedule(waitMs, () => call.admit());
  }

  cancel(): void {
    this.#alarm.cancel();
    this.#core.giveBack();
  }
}
