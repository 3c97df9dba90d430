import { isTargetFailure } from '../base/classify.ts';
import { type Duration, numberWithin, positiveDurationMs } from '../base/duration.ts';
import type { OutcomePredicate } from '../base/outcome.ts';
import type { Call } from '../pipeline/call.ts';
import { HeavyStage } from '../pipeline/heavy-stage.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, type Departure, PASSED } from '../pipeline/stage.ts';
import { systemRuntime } from '../runtime/system.ts';
import { ThrottleCore } from './throttle-core.ts';

export interface ThrottleOptions extends PolicyOptions {
  /** Requests sent for each one accepted, when the target refuses; 2 unless told. */
  readonly ratio?: number;
  /** 2 minutes unless told. */
  readonly window?: Duration;
  /** What counts as not accepted; `isTargetFailure` of errors unless told. */
  readonly on?: OutcomePredicate;
}

export class Throttle extends Policy {
  readonly core: ThrottleCore;
  readonly #on: OutcomePredicate | undefined;

  constructor(options: ThrottleOptions = {}) {
    super('throttle', options.name, options.runtime ?? systemRuntime);
    this.core = new ThrottleCore(
      numberWithin(options.ratio ?? 2, 'ratio', 1, 1_000),
      positiveDurationMs(options.window ?? '2m', 'window'),
    );
    this.#on = options.on;
  }

  /** @internal */
  override at(depth: number): Part {
    const stage = new ThrottleStage(this.core, this.#on, this.name, depth);
    return { type: 'stage', stage, cancels: false, gate: true };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return { refuseProbability: this.core.refuseProbability(this.runtime.now()), refused: this.core.refused };
  }
}

/** Refuses here a share of the calls that an overloaded target would refuse anyway. It needs no threshold and never shuts off. */
export function throttle(options?: ThrottleOptions): Throttle {
  return new Throttle(options);
}

class ThrottleStage extends HeavyStage {
  readonly #core: ThrottleCore;
  readonly #on: OutcomePredicate | undefined;
  readonly #name: string;
  readonly #depth: number;

  constructor(core: ThrottleCore, on: OutcomePredicate | undefined, name: string, depth: number) {
    super();
    this.#core = core;
    this.#on = on;
    this.#name = name;
    this.#depth = depth;
  }

  override enter(call: Call): Admission {
    if (this.#core.decide(call.runtime.now(), call.runtime.random())) return ADMITTED;
    return call.refuse('THROTTLED', `"${this.#name}" holds calls back while the target refuses many: let it recover`);
  }

  override leave(call: Call): Departure {
    const accepted = this.#accepted(call);
    if (accepted !== null) this.#core.settle(call.runtime.now(), accepted);
    return PASSED;
  }

  /** Null when the call says nothing about the target. */
  #accepted(call: Call): boolean | null {
    if (call.ok) return this.#on === undefined || !this.#on(call.outcome());
    if (call.cancelledOutside(this.#depth) || !call.begun) return null;
    return !(this.#on ?? isTargetFailure)(call.outcome());
  }
}
