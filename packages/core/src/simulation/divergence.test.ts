import { afterEach, describe, expect, it, vi } from 'vitest';
import { draw } from '../base/random.ts';
import { divergentStretch, firstDivergence, type Strand } from './divergence.ts';
import { generalRaft } from './raft/general.ts';
import { NO_SABOTAGE } from './raft/sabotage.ts';
import { HASH_EVERY } from './scenario/run.ts';
import type { Step } from './step-log.ts';
import type { Timeline } from './timeline.ts';

const SEED = 4;

/** Raft that loses one message in so many by its own dice, which no seed governs. */
function dicing(oneIn: number) {
  return generalRaft({
    sabotage: {
      ...NO_SABOTAGE,
      outbox: (outbox) => ({
        put: (effect) => {
          if (effect.type === 'send' && Math.floor(Math.random() * oneIn) === 0) return;
          outbox.put(effect);
        },
      }),
    },
  });
}

/** Steps of both runs side by side, until they differ: slow, and plainly right. */
function firstByWalking(a: Timeline<never>, b: Timeline<never>): Step | undefined {
  for (let event = 1; ; event++) {
    const [stepsA, stepsB] = [a.stepsAt(event), b.stepsAt(event)];
    const differing = stepsA.find((step, i) => JSON.stringify(step) !== JSON.stringify(stepsB[i]));
    if (differing !== undefined) return differing;
  }
}

/** Of plain numbers: event i has hash i, until `from`. */
function strand(length: number, from: number): Strand {
  const hashAt = (event: number): number => Math.min(event, length) + (Math.min(event, length) >= from ? 0.5 : 0);
  const step = (event: number): Step => ({
    ...{ timeUs: event, sequence: event, member: 1, kind: 'wake', from: 0, frameKind: '', draws: 0, events: event },
    fingerprint: hashAt(event),
  });
  return { hashAt, reaches: (event) => event <= length, stepsAt: (event) => (event <= length ? [step(event)] : []) };
}

describe('the first divergence of two runs', () => {
  afterEach(() => vi.restoreAllMocks());

  it('is none between two makings of the same run', () => {
    expect(firstDivergence(generalRaft().timeline(SEED), generalRaft().timeline(SEED))).toBeNull();
  });

  it.each([1, 2, 3])('is found where something drew from outside of the world (dice %i)', (dice) => {
    let n = 0;
    vi.spyOn(Math, 'random').mockImplementation(() => draw(dice, 0, 0, n++) / 2 ** 32);
    const [a, b] = [dicing(1_000).timeline(SEED), dicing(1_000).timeline(SEED)];
    for (const timeline of [a, b]) timeline.end();
    const found = firstDivergence(a, b);
    if (found === null) throw new Error('these runs differ');
    expect(found.event).toBeGreaterThan(10);
    expect(a.hashAt(found.event - 1)).toBe(b.hashAt(found.event - 1));
    expect(a.hashAt(found.event)).not.toBe(b.hashAt(found.event));
    expect(found.a).toEqual(firstByWalking(a as never, b as never));
    expect(found.sentence).toContain(`at event ${found.event} they differ in `);
    expect(found.sentence).toContain(`${found.a?.timeUs} µs, member ${found.a?.member}`);
  });

  it('is at the right event, wherever the runs part', () => {
    for (const from of [1, 2, 1_023, 1_024, 1_025, 5_000, 9_999, 10_000]) {
      expect(firstDivergence(strand(10_000, Infinity), strand(10_000, from))?.event).toBe(from);
    }
    expect(firstDivergence(strand(10_000, 10_001), strand(10_000, Infinity))).toBeNull();
  });

  it('is behind the end of the shorter run when only that ends', () => {
    const found = firstDivergence(strand(3_000, Infinity), strand(2_500, Infinity));
    expect(found).toMatchObject({ event: 2_501, a: { events: 2_501 }, b: null });
    expect(found?.sentence).toContain('the second run is over');
  });

  it('lies in the stretch whose noted hashes differ first', () => {
    const recorded = generalRaft().record(SEED).hashes;
    const other = [...recorded.slice(0, 3), 5, 6];
    expect(divergentStretch(recorded, recorded, HASH_EVERY)).toBeNull();
    expect(divergentStretch(recorded, other, HASH_EVERY)).toEqual({ after: 3_000, upTo: 4_000 });
    expect(divergentStretch([1, 2], [1], HASH_EVERY)).toEqual({ after: 1_000, upTo: 2_000 });
  });
});
