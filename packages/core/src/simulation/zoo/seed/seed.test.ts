import { describe, expect, it } from 'vitest';
import { unseen } from '../../scenario/campaign.ts';
import { Run, runOnce } from '../../scenario/run.ts';
import { detect } from '../bug.ts';
import { SEED_BUGS } from './bugs.ts';
import { NO_MISTAKES } from './mistakes.ts';
import { seedRaft, seedStore } from './scenarios.ts';

const SEEDS = 60;
const SAFETY = ['Election Safety', 'State Machine Safety', 'Linearizability'];

/** The rule that a seed shows to be broken; '': none of 300 does. */
function ruleBrokenBy(id: string): string {
  const bug = SEED_BUGS.find((candidate) => candidate.id === id);
  if (bug === undefined) throw new Error(`no bug ${id}`);
  return detect(bug, { seeds: 300 }).violation?.rule ?? '';
}

describe("the seed text's own system", () => {
  it.each([seedStore(), seedRaft()])('keeps its promises without its mistakes: $name', (port) => {
    const report = port.run({ seeds: SEEDS });
    expect(report.violations).toEqual([]);
    expect(report.undecided).toBe(0);
    expect(unseen(report)).toEqual([]);
  });

  it('S1: breaks with a majority of whoever can be reached', () => {
    expect(['Linearizability']).toContain(ruleBrokenBy('s1-seed-counts-only-the-reachable'));
  });

  it('S2: breaks with a healing that exchanges nothing', () => {
    expect(['Liveness']).toContain(ruleBrokenBy('s2-seed-heals-without-exchange'));
  });

  it('S3: breaks with a rollback that deletes the key', () => {
    expect(['Linearizability', 'Liveness']).toContain(ruleBrokenBy('s3-seed-rolls-back-by-deleting'));
  });

  it('S4: breaks with an order by wall clocks', () => {
    expect(['Linearizability']).toContain(ruleBrokenBy('s4-seed-orders-by-wall-clock'));
  });

  it('S5: breaks with reads that count holders and write nothing back', () => {
    expect(['Linearizability']).toContain(ruleBrokenBy('s5-seed-reads-count-only-holders'));
  });

  it('S6: breaks with a lock held across waits', () => {
    expect(['Liveness']).toContain(ruleBrokenBy('s6-seed-locks-while-waiting'));
  });

  it('S7: breaks with writes that are sent once', () => {
    expect(['Liveness']).toContain(ruleBrokenBy('s7-seed-sends-once'));
  });

  it('S8: breaks with term, vote and log in memory', () => {
    expect([...SAFETY, 'Liveness']).toContain(ruleBrokenBy('s8-seed-keeps-nothing'));
  });

  it('S8: breaks with votes by chance', () => {
    expect([...SAFETY, 'Liveness']).toContain(ruleBrokenBy('s8-seed-votes-by-chance'));
  });

  it('S8: breaks with a candidate that races through terms', () => {
    expect(['Terms take time']).toContain(ruleBrokenBy('s8-seed-races-through-terms'));
  });

  it('S9: breaks with a leader that never steps down', () => {
    expect(['Liveness']).toContain(ruleBrokenBy('s9-seed-never-steps-down'));
  });

  it('S9: breaks with followers that receive no entries', () => {
    expect([...SAFETY, 'Liveness']).toContain(ruleBrokenBy('s9-seed-sends-no-entries'));
  });

  it('S9: breaks with a first entry that is never applied', () => {
    expect(['Linearizability']).toContain(ruleBrokenBy('s9-seed-skips-the-first-entry'));
  });

  it('breaks at once as it is written, with every mistake', () => {
    for (const id of ['s1-seed-store-as-written', 's8-seed-raft-as-written']) {
      expect(ruleBrokenBy(id)).not.toBe('');
    }
  });

  it('has every mistake in the zoo alone, and all of them together', () => {
    expect(SEED_BUGS).toHaveLength(Object.keys(NO_MISTAKES).length + 2);
  });

  it('S14: breaks by faults that act on messages and members: without them the same seeds show nothing', () => {
    for (const broken of [seedStore({ countsOnlyReachable: true }), seedRaft({ keepsNothing: true })]) {
      expect(broken.run({ seeds: 10 }).violations).not.toEqual([]);
      expect(broken.faults().run({ seeds: 10 }).violations).toEqual([]);
    }
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
