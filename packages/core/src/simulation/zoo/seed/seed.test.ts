import { describe, expect, it } from 'vitest';
import { unseen } from '../../scenario/campaign.ts';
import { Run, runOnce } from '../../scenario/run.ts';
import { detect } from '../bug.ts';
import { SEED_BUGS } from './bugs.ts';
import { NO_MISTAKES } from './mistakes.ts';
import { seedRaft, seedStore } from './scenarios.ts';

const SEEDS = 60;
const byId = new Map(SEED_BUGS.map((bug) => [bug.id, bug]));

/** The rules that may notice a mistake. */
const CAUGHT: readonly [title: string, id: string, rules: RegExp][] = [
  ['S1: a majority of whoever can be reached', 's1-seed-counts-only-the-reachable', /^Linearizability$/],
  ['S2: healing that exchanges nothing', 's2-seed-heals-without-exchange', /^Liveness$/],
  ['S3: a rollback that deletes the key', 's3-seed-rolls-back-by-deleting', /^(Linearizability|Liveness)$/],
  ['S4: an order by wall clocks', 's4-seed-orders-by-wall-clock', /^Linearizability$/],
  ['S5: reads that count holders and write nothing back', 's5-seed-reads-count-only-holders', /^Linearizability$/],
  ['S6: a lock held across waits', 's6-seed-locks-while-waiting', /^Liveness$/],
  ['S7: writes that are sent once', 's7-seed-sends-once', /^Liveness$/],
  ['S8: term, vote and log in memory', 's8-seed-keeps-nothing', /./],
  ['S8: votes by chance', 's8-seed-votes-by-chance', /^(ElectionSafety|StateMachineSafety|Linearizability|Liveness)$/],
  ['S8: a candidate that races through terms', 's8-seed-races-through-terms', /^TermsTakeTime$/],
  ['S9: a leader that never steps down', 's9-seed-never-steps-down', /^Liveness$/],
  [
    'S9: followers that receive no entries',
    's9-seed-sends-no-entries',
    /^(StateMachineSafety|Linearizability|Liveness)$/,
  ],
  ['S9: a first entry that is never applied', 's9-seed-skips-the-first-entry', /^Linearizability$/],
  ['the whole store as written', 's1-seed-store-as-written', /./],
  ['the whole Raft as written', 's8-seed-raft-as-written', /./],
];

describe("the seed text's own system", () => {
  it.each([seedStore(), seedRaft()])('keeps its promises without its mistakes: $name', (port) => {
    const report = port.run({ seeds: SEEDS });
    expect(report.violations).toEqual([]);
    expect(report.undecided).toBe(0);
    expect(unseen(report)).toEqual([]);
  });

  it.each(CAUGHT)('breaks with %s', (_, id, rules) => {
    const bug = byId.get(id);
    if (bug === undefined) throw new Error(`no bug ${id}`);
    const { caught, violation } = detect(bug, { seeds: 300 });
    expect(caught).toBe(true);
    expect(violation?.rule).toMatch(rules);
  });

  it('has every mistake in the zoo, alone', () => {
    expect(CAUGHT.map(([, id]) => id)).toEqual(SEED_BUGS.map(({ id }) => id));
    // Two bugs have every mistake at once.
    expect(SEED_BUGS).toHaveLength(Object.keys(NO_MISTAKES).length + 2);
  });

  it('S14: breaks by faults that act on messages: without them the same seeds show nothing', () => {
    const lone = seedStore({ countsOnlyReachable: true });
    const calm = lone.faults();
    const violations = ({ violations: all }: { readonly violations: readonly unknown[] }): number => all.length;
    expect(violations(lone.run({ seeds: 10 }))).toBeGreaterThan(0);
    expect(violations(calm.run({ seeds: 10 }))).toBe(0);
  });

  it('S14: a member that crashed runs again, and has the log of the others', () => {
    let crashes = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const run = new Run(seedRaft().spec, seed);
      const { faults, violation } = run.play();
      expect(violation).toBeNull();
      crashes += faults.crash ?? 0;
      expect(run.simulation.status().every((status) => status !== null)).toBe(true);
    }
    expect(crashes).toBeGreaterThan(0);
  });

  it('S14: a seed repeats its run, event by event', () => {
    for (const port of [seedStore(), seedRaft()]) {
      const [once, again] = [runOnce(port.spec, 7), runOnce(port.spec, 7)];
      expect(again.hash).toBe(once.hash);
      expect(again.history).toEqual(once.history);
      expect(runOnce(port.spec, 8).hash).not.toBe(once.hash);
    }
  });
});
