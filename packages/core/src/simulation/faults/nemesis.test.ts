import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recorders } from '../participants/recorder.test-support.ts';
import { Simulation } from '../simulation.ts';
import { budgetFor, type FaultBudget } from './budget.ts';
import { clock, disk } from './disks-and-clocks.ts';
import { FAULTS, type Fault } from './fault.ts';
import { Nemesis } from './nemesis.ts';
import { network } from './networks.ts';
import { partition } from './partitions.ts';
import { blackout, crash, leaderChurn, leaderReturns, pause } from './processes.ts';
import type { FaultSource } from './source.ts';

const MS = 1_000;
const PACE_US = 50 * MS;

/** Rot and misdirected writes need files of some size, which these members have not: see the general campaign. */
const EVERYTHING: readonly FaultSource[] = [
  ...[partition(), partition('flapping'), network.any(), network.slow(), network.narrow(), network.reordering()],
  ...[crash(), blackout(), pause(), leaderChurn(), leaderReturns()],
  ...[disk.error(), disk.full(), disk.slow(), disk.lost(), disk.rot(), disk.misdirect()],
  ...[clock.drift(5_000), clock.jump(60_000)],
];

interface Broken {
  readonly atUs: number;
  readonly fault: Fault;
}

interface Options {
  readonly members: number;
  readonly seed: number;
  readonly sources?: readonly FaultSource[];
  readonly swarm?: boolean;
  readonly budget?: FaultBudget;
}

function nemesisOf({ members, seed, sources = EVERYTHING, swarm = true, budget = budgetFor(members) }: Options) {
  const simulation = new Simulation({ protocol: recorders(members), seed, mayStop: true });
  const broken: Broken[] = [];
  const onFault = (fault: Fault): void => void broken.push({ atUs: simulation.nowUs, fault });
  const options = { sources, swarm, budget, paceUs: PACE_US, untilUs: 3_000 * MS, onFault };
  const nemesis = new Nemesis(simulation, options);
  return { simulation, nemesis, broken };
}

function damagedIn(broken: readonly Broken[]): Set<number> {
  const damaged = broken.flatMap(({ fault }) =>
    FAULTS[fault.type].costs === 'damage' && 'member' in fault ? [fault.member] : [],
  );
  return new Set(damaged);
}

describe('the budget of faults', () => {
  it('is a minority of the disks, and half a thousandth of drift', () => {
    const damagedMembers = [1, 2, 3, 4, 5, 7].map((members) => budgetFor(members).damagedMembers);
    expect(damagedMembers).toEqual([0, 0, 1, 1, 2, 3]);
    expect(budgetFor(3).driftPpm).toBe(500);
  });

  it('is never exceeded, whatever the seed, and is used', () => {
    let used = 0;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(100_000), (members, seed) => {
        const { simulation, broken } = nemesisOf({ members, seed, swarm: false });
        simulation.run(3_000 * MS);
        const damaged = damagedIn(broken).size;
        used = Math.max(used, damaged);
        expect(damaged).toBeLessThanOrEqual(Math.floor((members - 1) / 2));
        for (const { fault } of broken) if (fault.type === 'clock') expect(Math.abs(fault.driftPpm)).toBeLessThan(501);
      }),
      { numRuns: 50 },
    );
    expect(used).toBeGreaterThan(1);
  });

  it('is whatever the scenario says: none, or more than is safe', () => {
    const damagedWith = (budget: FaultBudget): number => {
      let most = 0;
      for (let seed = 1; seed <= 10; seed++) {
        const { simulation, broken } = nemesisOf({ members: 3, seed, sources: [disk.lost(), disk.error()], budget });
        simulation.run(3_000 * MS);
        most = Math.max(most, damagedIn(broken).size);
      }
      return most;
    };
    expect(damagedWith({ damagedMembers: 0, driftPpm: 0 })).toBe(0);
    expect(damagedWith({ damagedMembers: 3, driftPpm: 0 })).toBe(3);
  });
});

describe('the nemesis', () => {
  it('goes on from its bytes in the middle of its plans, with what it has damaged', () => {
    let inMidPlan = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const sources = [pause(), partition('flapping'), disk.slow(), disk.full(), disk.lost(), blackout()];
      const straight = nemesisOf({ members: 5, seed, sources, swarm: false });
      straight.simulation.run(700 * MS + seed * 13 * MS);
      const bytes = straight.simulation.save();
      const copy = nemesisOf({ members: 5, seed, sources, swarm: false });
      copy.simulation.load(bytes);
      expect(copy.simulation.save()).toEqual(bytes);
      const before = straight.broken.length;
      for (const each of [straight, copy]) each.simulation.run(2_300 * MS);
      expect(copy.broken).toEqual(straight.broken.slice(before));
      expect(copy.simulation.hash).toBe(straight.simulation.hash);
      const paused = straight.broken.slice(0, before).findLast(({ fault }) => fault.type === 'pause');
      const next = straight.broken.slice(before).find(({ fault }) => fault.type === 'resume');
      if (paused !== undefined && next !== undefined) inMidPlan++;
    }
    expect(inMidPlan).toBeGreaterThan(3);
  });

  it('gives each seed of a swarm some of the kinds of trouble, and never none', () => {
    const chosen = new Map<string, number>();
    for (let seed = 1; seed <= 100; seed++) {
      const { sources } = nemesisOf({ members: 3, seed }).nemesis;
      expect(sources.length).toBeGreaterThan(0);
      expect(sources.length).toBeLessThan(EVERYTHING.length);
      for (const name of sources) chosen.set(name, (chosen.get(name) ?? 0) + 1);
    }
    expect(chosen.size).toBe(EVERYTHING.length);
    for (const [name, count] of chosen) expect(Math.abs(count - 50), name).toBeLessThan(20);
  });

  it('gives every seed all of them without a swarm, and one of them when only one is wanted', () => {
    expect(nemesisOf({ members: 3, seed: 1, swarm: false }).nemesis.sources).toHaveLength(EVERYTHING.length);
    expect(nemesisOf({ members: 3, seed: 1, sources: [pause()] }).nemesis.sources).toEqual(['pause']);
  });

  it('D7: breaks nothing more once it is stopped, not even the rest of a plan', () => {
    const { simulation, nemesis, broken } = nemesisOf({ members: 3, seed: 2, swarm: false });
    simulation.run(1_000 * MS);
    const before = broken.length;
    expect(before).toBeGreaterThan(3);
    nemesis.stop();
    simulation.run(3_000 * MS);
    expect(broken).toHaveLength(before);
  });

  it('begins no trouble after its time', () => {
    const { simulation, broken } = nemesisOf({ members: 3, seed: 3, sources: [crash()], swarm: false });
    simulation.run(10_000 * MS);
    expect(broken.length).toBeGreaterThan(3);
    expect(Math.max(...broken.map(({ atUs }) => atUs))).toBeLessThanOrEqual(3_000 * MS);
  });
});
