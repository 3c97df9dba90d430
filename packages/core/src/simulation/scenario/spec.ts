/** What a scenario consists of. */
import type { FaultBudget, FaultSource, FaultType } from '../faults/index.ts';
import type { Protocol, ProtocolTypes } from '../protocol.ts';
import type { Simulation } from '../simulation.ts';
import type { Workload } from '../workloads/index.ts';
import type { Latency } from '../world/latency.ts';
import type { DiskSpeed } from '../world/member-world.ts';
import type { Check } from './check.ts';

export interface ScenarioOptions<Types extends ProtocolTypes> {
  readonly name?: string;
  /** The protocol; or which one for a seed, and for a trace that says how many members it wants. */
  readonly replicas: Protocol<Types> | ((seed: number, members?: number) => Protocol<Types>);
  readonly clients?: number;
  /** Between a client's answer and its next question, at most. */
  readonly thinkUs?: number;
  /** A client that waited this long gives up. */
  readonly timeoutUs?: number;
  /** How long things go wrong. */
  readonly troubleUs?: number;
  /** About how long members wait for one another before they act: an election time-out. */
  readonly paceUs?: number;
  readonly latency?: Latency;
  readonly diskSpeed?: DiskSpeed;
  readonly budget?: FaultBudget;
  /** Members may stop by themselves: for runs beyond the budget. */
  readonly mayStop?: boolean;
}

/** What a predicate may look at. */
export interface View<Types extends ProtocolTypes> {
  readonly simulation: Simulation<Types>;
  /** What the protocol counts: elections, entries applied, … */
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Partial<Record<FaultType, number>>>;
  /** Operations that clients have begun and not ended. */
  readonly underway: number;
  readonly operations: Readonly<Record<'ok' | 'fail' | 'info', number>>;
}

/** For `sometimes`: the protocol has counted at least one of these. */
export function counted(name: string): (view: Pick<View<never>, 'counts'>) => boolean {
  return ({ counts }) => (counts[name] ?? 0) > 0;
}

/** One of a protocol's own invariants, by its name. */
export interface Rule {
  readonly rule: string;
}

/** Asked after every event: true, or a sentence that says how it is broken. */
export interface Always<Types extends ProtocolTypes> {
  readonly name: string;
  readonly holds: (view: View<Types>) => true | string;
}

export interface Sometimes<Types extends ProtocolTypes> {
  readonly name: string;
  readonly seen: (view: View<Types>) => boolean;
}

export interface Eventually<Types extends ProtocolTypes> {
  readonly name: string;
  readonly withinUs: number;
  /** Without it: the protocol's own notion of having come to rest and agreeing. */
  readonly holds: ((view: View<Types>) => boolean) | null;
}

export interface Spec<Types extends ProtocolTypes> {
  readonly name: string;
  readonly options: ScenarioOptions<Types>;
  readonly workload: Workload<Types['request']> | null;
  readonly faults: { readonly sources: readonly FaultSource[]; readonly swarm: boolean };
  readonly rules: ReadonlySet<string> | null;
  readonly always: readonly Always<Types>[];
  readonly sometimes: readonly Sometimes<Types>[];
  readonly eventually: readonly Eventually<Types>[];
  readonly checks: readonly Check[];
}

export function seconds(count: number): number {
  return count * 1_000_000;
}

export function milliseconds(count: number): number {
  return count * 1_000;
}
