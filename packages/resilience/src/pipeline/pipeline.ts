import { misconfigured } from '../base/duration.ts';
import { refusal } from '../base/error.ts';
import { type Hold, hold } from '../base/listeners.ts';
import type { Outcome } from '../base/outcome.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { Work } from './call.ts';
import type { PipelineEvent } from './event.ts';
import type { Frame } from './frame.ts';
import { type AnyPolicy, buildFrame } from './policy.ts';
import { type PipelineCounters, Reporter } from './reporter.ts';
import { type AddsOf, type Need, type NeedsOf, type OptionsFor, Runner } from './runner.ts';
import { acquire, type SlotResult } from './slot.ts';
import type { Stage } from './stage.ts';

export interface PipelineInspection {
  readonly name: string;
  readonly isolated: boolean;
  readonly inFlight: number;
  readonly counters: PipelineCounters;
  /** Outer to inner. */
  readonly policies: readonly {
    readonly kind: string;
    readonly name: string;
    readonly state: Readonly<Record<string, unknown>>;
  }[];
}

/** Policies in a fixed order around calls to one target. Make one per target and keep it. */
export class Pipeline<Adds = never, Needs extends Need = never> extends Runner<Adds, Needs> {
  readonly name: string;
  readonly policies: readonly AnyPolicy[];
  readonly #frame: Frame;
  readonly #reporter: Reporter;
  readonly #gates: readonly Stage[];
  readonly #runtime: Runtime;
  #holds = 0;

  constructor(name: string, policies: readonly [AnyPolicy, ...AnyPolicy[]]) {
    super();
    const runtime = policies[0].runtime;
    if (policies.some((policy) => policy.runtime !== runtime)) {
      throw misconfigured(`the policies of "${name}" have different runtimes: give all of them the same one`);
    }
    if (new Set(policies).size < policies.length) {
      throw misconfigured(`the pipeline "${name}" has the same policy twice: make two of them`);
    }
    this.name = name;
    this.policies = policies;
    this.#runtime = runtime;
    this.#reporter = new Reporter(name);
    this.#frame = buildFrame(policies, runtime, this.#reporter);
    this.#gates = gatesOf(policies);
  }

  override run<T>(work: Work<T>, ...options: OptionsFor<Needs>): Promise<T | Adds> {
    if (this.#holds > 0) return Promise.reject(this.#isolated(true));
    return super.run(work, ...options);
  }

  override tryRun<T>(work: Work<T>, ...options: OptionsFor<Needs>): Promise<Outcome<T | Adds>> {
    if (this.#holds > 0) return Promise.resolve({ ok: false, error: this.#isolated(false) });
    return super.tryRun(work, ...options);
  }

  /** Refuses every call with ISOLATED until each hold that was taken has been released. Calls under way go on. */
  isolate(): Hold {
    this.#holds++;
    return hold(() => {
      this.#holds--;
    });
  }

  /**
   * For streams and hand-written loops: what the breakers, bulkheads and limits of this pipeline allow right now, without
   * waiting. Say `succeed()` or `fail(error)` before releasing it; a slot released without a word decides nothing.
   */
  tryAcquire(): SlotResult {
    if (this.#holds > 0) return { ok: false, error: this.#isolated(false), [Symbol.dispose]() {} };
    return acquire(this.#gates, this.#runtime, this.#reporter);
  }

  /** Is told what happens to calls, from now on. */
  subscribe(listener: (event: PipelineEvent) => void): Hold {
    return this.#reporter.listeners.subscribe(listener);
  }

  counters(): PipelineCounters {
    return this.#reporter.counters();
  }

  inspect(): PipelineInspection {
    const counters = this.counters();
    return {
      name: this.name,
      isolated: this.#holds > 0,
      inFlight: counters.calls - counters.succeeded - counters.failed,
      counters,
      policies: this.policies.map((policy) => ({ kind: policy.kind, name: policy.name, state: policy.inspect() })),
    };
  }

  protected frame(): Frame {
    return this.#frame;
  }

  #isolated(withStack: boolean): Error {
    this.#reporter.refused('ISOLATED');
    return refusal('ISOLATED', `"${this.name}" is isolated: release the hold on it`, undefined, withStack);
  }
}

/** Policies composed outer to inner: the first sees a call first and its outcome last. */
export function pipeline<const Policies extends readonly [AnyPolicy, ...AnyPolicy[]]>(
  name: string,
  ...policies: Policies
): Pipeline<AddsOf<Policies[number]>, NeedsOf<Policies[number]>> {
  return new Pipeline(name, policies);
}

function gatesOf(policies: readonly AnyPolicy[]): Stage[] {
  const gates: Stage[] = [];
  for (const policy of policies) {
    const part = policy.at(gates.length);
    if (part.type === 'stage' && part.gate) gates.push(part.stage);
  }
  return gates;
}
