/** Runs one seed of a campaign and tells what happened. */
import { describeFault, type RaftTypes, Run, type RunReport, Scenario, type Simulation } from '@polder/core/simulation';
import { type BuiltIn, builtIn } from '../scenarios.ts';
import type { MemberLine, SimEvent, SimReport } from './events.ts';

export const STATUS_EVERY_US = 5_000_000;

export interface Narrated {
  readonly members: number;
  /** How long things go wrong. */
  readonly forUs: number;
  readonly seed: number;
  /** The scenario that Polder brings; Raft's general campaign unless given. */
  readonly protocol?: BuiltIn;
}

/** Tells events in order of time. All of them come at the end: a run does not say what it broke before it is over. */
export function narrate(
  { members, forUs, seed, protocol = 'raft' }: Narrated,
  tell: (event: SimEvent) => void,
): RunReport {
  const run = new Run(scenarioOf(protocol, members, forUs).spec, seed);
  const seen = new Narrator(run.simulation);
  run.simulation.trace = ({ timeUs }) => seen.onEvent(timeUs);
  const report = run.play();
  const faults = report.faultTimes.map(
    ({ atUs, fault }): SimEvent => ({ type: 'fault', atUs, fault, words: describeFault(fault) }),
  );
  tell({ type: 'begin', atUs: 0, seed, members, forUs });
  for (const event of inOrder([...faults, ...healing(report, forUs), ...seen.events])) tell(event);
  const { violation } = report;
  if (violation !== null) tell({ type: 'violation', ...violation });
  tell({ type: 'end', atUs: report.simulatedUs, report: exercised(report) });
  return report;
}

function exercised(report: RunReport): SimReport {
  const { seed, members, sources, hash, events, simulatedUs, counts, faults, operations, frames } = report;
  const { stopped, seen, violation, unknown, healedAtUs } = report;
  const happened = { seed, members, sources, hash, events, simulatedUs, counts, faults, operations, frames };
  return { ...happened, stopped, seen, violation, unknown, healedAtUs };
}

/** A campaign, with its members and its time chosen. What its members do not have, such as roles, is not told. */
function scenarioOf(protocol: BuiltIn, members: number, forUs: number): Scenario<RaftTypes> {
  const { spec } = builtIn(protocol) as unknown as Scenario<RaftTypes>;
  const { replicas } = spec.options;
  const chosen = typeof replicas === 'function' ? (seed: number) => replicas(seed, members) : replicas;
  return new Scenario({ ...spec, options: { ...spec.options, replicas: chosen, troubleUs: forUs } });
}

function healing({ violation, simulatedUs }: RunReport, forUs: number): SimEvent[] {
  const reached = violation === null ? simulatedUs : violation.atUs;
  return reached >= forUs ? [{ type: 'healed', atUs: forUs }] : [];
}

/** Stable: what stands first at one moment is told first. */
function inOrder(events: readonly SimEvent[]): SimEvent[] {
  return events.toSorted((a, b) => a.atUs - b.atUs);
}

class Narrator {
  readonly events: SimEvent[] = [];
  readonly #simulation: Simulation<RaftTypes>;
  readonly #stopped = new Map<number, Error>();
  #elections = 0;
  #nextStatusUs = STATUS_EVERY_US;

  constructor(simulation: Simulation<RaftTypes>) {
    this.#simulation = simulation;
  }

  onEvent(atUs: number): void {
    // The first event after the moment: nothing happened between the two.
    while (atUs >= this.#nextStatusUs) {
      this.events.push({ type: 'status', atUs: this.#nextStatusUs, members: this.#status() });
      this.#nextStatusUs += STATUS_EVERY_US;
    }
    this.#lookForStops(atUs);
    this.#lookForLeader(atUs);
  }

  #lookForLeader(atUs: number): void {
    const elections = this.#simulation.protocolRun.counts()['elections'] ?? 0;
    if (elections === this.#elections) return;
    this.#elections = elections;
    const leaders = this.#simulation.status().filter((status) => status?.leads === true);
    const newest = leaders.toSorted((a, b) => (b?.term ?? 0) - (a?.term ?? 0))[0];
    if (newest != null) this.events.push({ type: 'elected', atUs, member: newest.id, term: newest.term });
  }

  #lookForStops(atUs: number): void {
    const { stopped } = this.#simulation;
    for (const [member, error] of stopped) {
      if (this.#stopped.get(member) === error) continue;
      this.#stopped.set(member, error);
      this.events.push({ type: 'stopped', atUs, member, why: error.message });
    }
  }

  #status(): MemberLine[] {
    return this.#simulation.ids.map((member) => {
      const { alive, paused } = this.#simulation.member(member);
      const status = this.#simulation.member(member).status();
      return {
        member,
        state: !alive ? 'down' : paused ? 'paused' : 'up',
        role: status?.role ?? null,
        term: status?.term ?? null,
        commit: status?.commitIndex ?? null,
        applied: status?.appliedIndex ?? null,
      };
    });
  }
}
