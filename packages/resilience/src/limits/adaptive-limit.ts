import { classify } from '../base/classify.ts';
import { type Duration, misconfigured, positiveDurationMs, wholeNumber } from '../base/duration.ts';
import { isResilienceError } from '../base/error.ts';
import { BulkheadStage } from '../bulkhead/bulkhead.ts';
import { BulkheadCore } from '../bulkhead/bulkhead-core.ts';
import type { Call } from '../pipeline/call.ts';
import { HeavyStage } from '../pipeline/heavy-stage.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { type Admission, type Departure, QUEUED, REFUSED } from '../pipeline/stage.ts';
import { systemRuntime } from '../runtime/system.ts';
import { AimdLimit, GradientLimit, type LimitAlgorithm } from './limit-algorithm.ts';

export interface AdaptiveLimitOptions extends PolicyOptions {
  /** `gradient` follows latency, `aimd` only drops; gradient unless told. */
  readonly algorithm?: 'gradient' | 'aimd';
  /** 20 unless told. */
  readonly initial?: number;
  /** 1 unless told. */
  readonly least?: number;
  /** 1,000 unless told. */
  readonly most?: number;
  /** Calls that may wait for a slot; none unless told. */
  readonly queue?: number;
  readonly queueFor?: Duration;
}

export class AdaptiveLimit extends Policy {
  readonly algorithm: LimitAlgorithm;
  readonly slots: BulkheadCore;
  readonly #queueForMs: number;

  constructor(options: AdaptiveLimitOptions = {}) {
    super('adaptive-limit', options.name, options.runtime ?? systemRuntime);
    const bounds = {
      initial: wholeNumber(options.initial ?? 20, 'initial', 1),
      least: wholeNumber(options.least ?? 1, 'least', 1),
      most: wholeNumber(options.most ?? 1_000, 'most', 1),
    };
    if (bounds.least > bounds.initial || bounds.initial > bounds.most) {
      throw misconfigured('an adaptive limit needs least <= initial <= most');
    }
    this.algorithm = options.algorithm === 'aimd' ? new AimdLimit(bounds) : new GradientLimit(bounds);
    this.slots = new BulkheadCore(bounds.initial, wholeNumber(options.queue ?? 0, 'queue', 0));
    this.#queueForMs = options.queueFor === undefined ? Infinity : positiveDurationMs(options.queueFor, 'queueFor');
  }

  /** @internal */
  override at(depth: number): Part {
    const slots = new BulkheadStage(this.slots, this.#queueForMs, this.name);
    return { type: 'stage', stage: new AdaptiveStage(this, slots, depth), cancels: false, gate: true };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    const { limit, running, waiting } = this.slots;
    return { limit, running, waiting };
  }
}

/** As many calls at a time as do the target good, found out from its latency and its refusals. */
export function adaptiveLimit(options?: AdaptiveLimitOptions): AdaptiveLimit {
  return new AdaptiveLimit(options);
}

interface AdaptiveNote {
  readonly running: number;
  readonly startedMs: number;
  /** Its time says nothing: part of it was spent in our own queue. */
  readonly queued: boolean;
}

class AdaptiveStage extends HeavyStage {
  readonly #policy: AdaptiveLimit;
  readonly #slots: BulkheadStage;
  readonly #depth: number;

  constructor(policy: AdaptiveLimit, slots: BulkheadStage, depth: number) {
    super();
    this.#policy = policy;
    this.#slots = slots;
    this.#depth = depth;
  }

  override enter(call: Call): Admission {
    const admission = this.#slots.enter(call);
    if (admission === REFUSED) return admission;
    const note: AdaptiveNote = {
      running: this.#policy.slots.running,
      startedMs: call.runtime.now(),
      queued: admission === QUEUED,
    };
    call.notes[this.#depth] = note;
    return admission;
  }

  override leave(call: Call): Departure {
    const { running, startedMs, queued } = call.notes[this.#depth] as AdaptiveNote;
    const dropped = this.#dropped(call);
    if (dropped !== null && (dropped || !queued)) {
      this.#policy.algorithm.onSample({ durationMs: call.runtime.now() - startedMs, running, dropped });
      this.#policy.slots.setLimit(this.#policy.algorithm.limit);
    }
    return this.#slots.leave(call);
  }

  /** Null when the call's end says nothing about the target. */
  #dropped(call: Call): boolean | null {
    if (call.ok) return false;
    const kind = classify(call.outcome());
    const timedOut = isResilienceError(call.error) && call.error.code === 'TIMEOUT';
    if (!call.begun || (call.cancelledOutside(this.#depth) && !timedOut)) return null;
    if (kind === 'refused' || kind === 'unknown') return true;
    return kind === 'failed' ? false : null;
  }
}
