/** What Node and Chromium both run: the same sources, so that only the engine differs. */
import { generalRaft, type ProtocolTypes, type RunReport, type Scenario, type Step } from '@polder/core/simulation';
import { twoPhaseCommit } from '../../examples/simulation/two-phase-commit.ts';

export type Name = 'raft' | 'two-phase commit';

export interface Run {
  readonly hash: string;
  readonly hashes: readonly number[];
  readonly events: number;
  readonly operations: RunReport['operations'];
  readonly violation: RunReport['violation'];
}

export function run(name: Name, seed: number): Run {
  const { hash, hashes, events, operations, violation } = scenarioOf(name).record(seed);
  return { hash, hashes, events, operations, violation };
}

/** Of each event of a stretch, everything that was hashed for it. */
export function stepsOf(name: Name, seed: number, after: number, upTo: number): readonly (readonly Step[])[] {
  const timeline = scenarioOf(name).timeline(seed);
  return Array.from({ length: upTo - after }, (_, i) => timeline.stepsAt(after + 1 + i));
}

function scenarioOf(name: Name): Scenario<ProtocolTypes> {
  switch (name) {
    case 'raft':
      return generalRaft() as unknown as Scenario<ProtocolTypes>;
    case 'two-phase commit':
      return twoPhaseCommit() as unknown as Scenario<ProtocolTypes>;
  }
}
