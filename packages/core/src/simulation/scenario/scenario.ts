/**
 * What is to be tried: which protocol, what its clients do, what may break, and what must hold. A scenario is a value:
 * each method gives a new one. Where it runs is another matter: here seed by seed, in a worker, in a page.
 */
import { assert } from '../../base/assert.ts';
import { PolderError } from '../../base/error.ts';
import type { ExplorationBounds, ExplorationReport } from '../exploration.ts';
import type { FaultSource } from '../faults/index.ts';
import type { ProtocolTypes } from '../protocol.ts';
import { Timeline, type TimelineOptions } from '../timeline.ts';
import type { Workload } from '../workloads/index.ts';
import { type CampaignOptions, type CampaignReport, runCampaign } from './campaign.ts';
import type { Check } from './check.ts';
import { Run, type RunOptions, type RunReport, runOnce } from './run.ts';
import { type ShrinkOptions, type Shrunk, shrink } from './shrink.ts';
import type { Always, Eventually, Rule, ScenarioOptions, Sometimes, Spec } from './spec.ts';
import type { Trace } from './trace.ts';

export interface Swarm {
  readonly swarm: readonly FaultSource[];
}

/** Each seed gets a random part of these kinds of trouble. */
export function swarm(...sources: readonly FaultSource[]): Swarm {
  return { swarm: sources };
}

export class Scenario<Types extends ProtocolTypes> {
  readonly spec: Spec<Types>;

  constructor(spec: Spec<Types>) {
    this.spec = spec;
  }

  get name(): string {
    return this.spec.name;
  }

  workload(workload: Workload<Types['request']>): Scenario<Types> {
    return this.#with({ workload });
  }

  /** All of these at every seed, or `swarm(...)`: some of them. */
  faults(...faults: readonly (FaultSource | Swarm)[]): Scenario<Types> {
    const sources = faults.flatMap((fault) => ('swarm' in fault ? fault.swarm : [fault]));
    return this.#with({ faults: { sources, swarm: faults.some((fault) => 'swarm' in fault) } });
  }

  /** Invariants: of the protocol's own those named here (without any, all), and others besides. */
  always(...invariants: readonly (Rule | Always<Types>)[]): Scenario<Types> {
    const named = invariants.flatMap((invariant) => ('rule' in invariant ? [invariant.rule] : []));
    const own = invariants.flatMap((invariant) => ('rule' in invariant ? [] : [invariant]));
    const { rules, always } = this.spec;
    return this.#with({
      rules: named.length === 0 ? rules : new Set([...(rules ?? []), ...named]),
      always: [...always, ...own],
    });
  }

  /** A campaign in which this is never seen has failed: it did not try what it was to try (PITFALLS D5). */
  sometimes(name: string, seen: Sometimes<Types>['seen']): Scenario<Types> {
    return this.#with({ sometimes: [...this.spec.sometimes, { name, seen }] });
  }

  /** Owed once the faults have ended (PITFALLS D7). Without a predicate: the members come to rest, and agree. */
  eventually(
    name: string,
    { withinUs, holds = null }: { readonly withinUs: number; readonly holds?: Eventually<Types>['holds'] },
  ): Scenario<Types> {
    assert(withinUs > 0, 'something owed is owed within some time');
    return this.#with({ eventually: [...this.spec.eventually, { name, withinUs, holds }] });
  }

  check(...checks: readonly Check[]): Scenario<Types> {
    return this.#with({ checks: [...this.spec.checks, ...checks] });
  }

  /** Seeds one after the other, here and now. `polder hunt` spreads them over threads. */
  run(options: CampaignOptions): CampaignReport {
    return runCampaign(this.spec, options);
  }

  /** One seed, written down whole: its report has the trace. */
  record(seed: number): RunReport {
    return runOnce(this.spec, seed, { record: true });
  }

  /** One seed, or one trace, as a run that can be sought, forked and changed. */
  timeline(seed: number, options: TimelineOptions & RunOptions = {}): Timeline<Types> {
    return new Timeline(() => new Run(this.spec, seed, options), options);
  }

  /** Plays a trace. Throws `TraceDoesNotFit` when it has another number of members. */
  replay(trace: Trace): RunReport {
    return runOnce(this.spec, trace.seed, { trace });
  }

  /** Makes a failing trace as small as it gets. */
  shrink(trace: Trace, options: ShrinkOptions = {}): Shrunk {
    return shrink(this.spec, trace, options);
  }

  /** Every interleaving of a small scope. Throws `NotExplorable` for a protocol that says nothing about how. */
  explore(bounds: ExplorationBounds = {}, seed = 1): ExplorationReport {
    const { replicas } = this.spec.options;
    const protocol = typeof replicas === 'function' ? replicas(seed) : replicas;
    if (protocol.explore === undefined) {
      const advice = 'write it with `participants`, or give the protocol an `explore` of its own';
      throw new PolderError('NotExplorable', `${protocol.name} does not say how it is explored: ${advice}`);
    }
    return protocol.explore(bounds);
  }

  #with(change: Partial<Spec<Types>>): Scenario<Types> {
    return new Scenario({ ...this.spec, ...change });
  }
}

export function scenario<Types extends ProtocolTypes>(options: ScenarioOptions<Types>): Scenario<Types> {
  const { replicas, name } = options;
  return new Scenario({
    name: name ?? (typeof replicas === 'function' ? 'scenario' : replicas.name),
    options,
    workload: null,
    faults: { sources: [], swarm: false },
    rules: null,
    always: [],
    sometimes: [],
    eventually: [],
    checks: [],
  });
}
