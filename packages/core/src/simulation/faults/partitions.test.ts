import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import type { Shape } from './fault.ts';
import { partition } from './partitions.ts';
import type { PlannedStep, Scene } from './source.ts';

const PACE_US = 100_000;

function sceneOf(members: number, leader: number): Scene {
  const ids = Array.from({ length: members }, (_, i) => i + 1);
  const scene = { ids, paceUs: PACE_US, leader: () => leader, durableSizes: () => new Map() };
  return scene as unknown as Scene;
}

function plan(shape: Shape | 'flapping', members: number, seed: number, leader = 0): readonly PlannedStep[] {
  let n = 0;
  return partition(shape).plan(sceneOf(members, leader), (bound) => scaled(draw(seed, 1, 0, n++), Math.floor(bound)));
}

/** Which links are cut, as "from>to". */
function cutBy(shape: Shape, members: number, seed: number, leader = 0): Set<string> {
  const [step] = plan(shape, members, seed, leader);
  if (step?.act.type !== 'partition') throw new Error('a partition cuts');
  expect(step.act.shape).toBe(shape);
  const { links } = step.act;
  expect(links.every(([from, to]) => from !== to && from >= 1 && to >= 1 && from <= members && to <= members)).toBe(
    true,
  );
  const cut = new Set(links.map(([from, to]) => `${from}>${to}`));
  expect(cut.size).toBe(links.length);
  return cut;
}

const idsOf = (members: number): number[] => Array.from({ length: members }, (_, i) => i + 1);
const isCut = (cut: Set<string>, a: number, b: number): boolean => cut.has(`${a}>${b}`) || cut.has(`${b}>${a}`);
/** Whom a member still reaches directly, both ways. */
const reached = (cut: Set<string>, members: number, from: number): number[] =>
  idsOf(members).filter((to) => to !== from && !isCut(cut, from, to));
const isBothWays = (cut: Set<string>): boolean =>
  [...cut].every((link) => cut.has(link.split('>').reverse().join('>')));

/** Groups in which everybody reaches everybody, and nobody else; null when it is not so. */
function groupsOf(cut: Set<string>, ids: readonly number[]): string[] | null {
  const groups = new Set<string>();
  for (const id of ids) {
    const group = ids.filter((other) => other === id || !isCut(cut, id, other));
    groups.add(group.join(' '));
  }
  const sizes = [...groups].reduce((sum, group) => sum + group.split(' ').length, 0);
  return sizes === ids.length ? [...groups] : null;
}

const seeds = fc.nat(1_000_000);

describe('a partition', () => {
  it('S2: that is a split leaves two groups that do not hear each other', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), seeds, (members, seed) => {
        const cut = cutBy('split', members, seed);
        expect(isBothWays(cut)).toBe(true);
        expect(groupsOf(cut, idsOf(members))).toHaveLength(2);
      }),
    );
  });

  it('that isolates cuts the leader off from all, or anyone when nobody leads', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(9), seeds, (members, who, seed) => {
        const leader = who % (members + 1);
        const cut = cutBy('isolate', members, seed, leader);
        const alone = idsOf(members).filter((id) => reached(cut, members, id).length === 0);
        expect(cut.size).toBe(2 * (members - 1));
        expect(isBothWays(cut)).toBe(true);
        if (leader !== 0) expect(alone).toContain(leader);
        if (members > 2) expect(alone).toHaveLength(1);
      }),
    );
  });

  it('that is one-way leaves one member unheard by another or by all, though it hears them', () => {
    const counts = new Set<number>();
    fc.assert(
      fc.property(seeds, (seed) => {
        const cut = cutBy('one-way', 5, seed);
        counts.add(cut.size);
        const speakers = new Set([...cut].map((link) => link.split('>')[0]));
        expect(speakers.size).toBe(1);
        expect([...cut].some((link) => cut.has(link.split('>').reverse().join('>')))).toBe(false);
      }),
    );
    expect([...counts].sort()).toEqual([1, 4]);
  });

  it('that is a bridge leaves two groups, and one member that reaches both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 9 }), seeds, (members, seed) => {
        const cut = cutBy('bridge', members, seed);
        expect(isBothWays(cut)).toBe(true);
        const bridges = idsOf(members).filter((id) => reached(cut, members, id).length === members - 1);
        expect(bridges).toHaveLength(1);
        const others = idsOf(members).filter((id) => id !== bridges[0]);
        const groups = groupsOf(cut, others);
        expect(groups).toHaveLength(2);
        const [a, b] = (groups ?? []).map((group) => group.split(' ').length) as [number, number];
        expect(Math.abs(a - b)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('that is a ring leaves each member its two neighbours, in one circle of all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 9 }), seeds, (members, seed) => {
        const cut = cutBy('ring', members, seed);
        expect(isBothWays(cut)).toBe(true);
        const circle = [1];
        for (let id = 1; circle.length < members; ) {
          const neighbours = reached(cut, members, id);
          expect(neighbours).toHaveLength(2);
          id = neighbours.find((next) => !circle.includes(next)) ?? 0;
          circle.push(id);
        }
        expect(circle.toSorted((a, b) => a - b)).toEqual(idsOf(members));
      }),
    );
  });

  it('that is a ring of three, or a bridge of two, cuts nothing', () => {
    expect(cutBy('ring', 3, 1).size).toBe(0);
    expect(cutBy('bridge', 2, 1).size).toBe(0);
  });

  it('that flaps cuts and mends in turn, and ends mended', () => {
    const steps = plan('flapping', 3, 4);
    expect(steps.map(({ act }) => act.type)).toEqual(['partition', 'heal', 'partition', 'heal', 'partition', 'heal']);
    const times = steps.map(({ afterUs }) => afterUs);
    expect(times.every((atUs, i) => i === 0 || atUs > (times[i - 1] ?? 0))).toBe(true);
    expect(times.at(-1)).toBeLessThanOrEqual(5 * 2 * PACE_US);
  });

  it('of one member is nothing', () => {
    for (const shape of ['split', 'isolate', 'one-way', 'bridge', 'ring', 'flapping'] as const) {
      expect(plan(shape, 1, 1)).toEqual([]);
    }
  });
});
