import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { draw } from '../../base/random.ts';
import { generalRaft } from '../raft/general.ts';
import { checkLatency, exponential, type Latency, minusLogarithm, REGIONS, sampleUs } from './latency.ts';

const WORDS = Array.from({ length: 20_000 }, (_, n) => draw(11, 1, 0, n));
const samplesOf = (latency: Latency, from = 1, to = 2): number[] =>
  WORDS.map((word) => sampleUs(latency, from, to, word)).sort((a, b) => a - b);
const meanOf = (samples: readonly number[]): number => samples.reduce((sum, us) => sum + us, 0) / samples.length;
const shareAbove = (samples: readonly number[], us: number): number =>
  samples.filter((sample) => sample > us).length / samples.length;

afterEach(() => vi.restoreAllMocks());

describe('logarithm and exponential made of arithmetic', () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });

  it('are those of mathematics, to a part in a hundred million', () => {
    fc.assert(
      fc.property(word, (drawn) => {
        const exact = -Math.log((drawn + 1) / 0x100000000);
        expect(Math.abs(minusLogarithm(drawn) - exact)).toBeLessThanOrEqual(1e-8 * Math.max(1, exact));
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 0, max: 40, noNaN: true }), (x) => {
        expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(1e-8);
      }),
    );
  });

  it('hold at the ends: the largest draw is no time, the smallest is finite', () => {
    expect(minusLogarithm(0xffffffff)).toBe(0);
    expect(minusLogarithm(0)).toBeCloseTo(32 * Math.LN2, 9);
    expect(exponential(0)).toBe(1);
    expect(exponential(1_000)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe('latencies', () => {
  it('that are uniform reach both ends and nothing beyond', () => {
    const samples = samplesOf({ type: 'uniform', minUs: 100, maxUs: 119 });
    expect([samples[0], samples.at(-1)]).toEqual([100, 119]);
    expect(new Set(samples).size).toBe(20);
    expect(meanOf(samples)).toBeCloseTo(109.5, 0);
  });

  it('that are exponential have the mean and the tail of theory', () => {
    const samples = samplesOf({ type: 'exponential', minUs: 200, meanUs: 1_000 });
    expect(samples[0]).toBeGreaterThanOrEqual(200);
    expect(meanOf(samples) / 1_200).toBeCloseTo(1, 1.5);
    for (const us of [500, 1_000, 3_000]) {
      expect(Math.abs(shareAbove(samples, 200 + us) - Math.exp(-us / 1_000))).toBeLessThan(0.01);
    }
  });

  it('that are Pareto have the median, the mean and the heavy tail of theory', () => {
    const alpha = 2.5;
    const samples = samplesOf({ type: 'pareto', minUs: 1_000, alphaThousandths: 2_500 });
    expect(samples[0]).toBeGreaterThanOrEqual(1_000);
    expect((samples[samples.length >> 1] ?? 0) / (1_000 * 2 ** (1 / alpha))).toBeCloseTo(1, 1.5);
    expect(meanOf(samples) / ((alpha * 1_000) / (alpha - 1))).toBeCloseTo(1, 1.5);
    for (const times of [2, 4, 10]) {
      const theory = times ** -alpha;
      expect(Math.abs(shareAbove(samples, times * 1_000) / theory - 1)).toBeLessThan(times < 10 ? 0.1 : 0.3);
    }
  });

  it('end at ten minutes, however heavy the tail', () => {
    expect(sampleUs({ type: 'pareto', minUs: 1_000, alphaThousandths: 500 }, 1, 2, 0)).toBe(600_000_000);
    expect(sampleUs({ type: 'exponential', minUs: 0, meanUs: 1e9 }, 1, 2, 0)).toBe(600_000_000);
  });

  it('between regions are half the round trip, up to a share more, and the same in both directions', () => {
    const latency: Latency = { type: 'regions', regions: ['virginia', 'sydney', 'virginia'], jitterPercent: 10 };
    const samples = samplesOf(latency);
    expect(samples[0]).toBeGreaterThanOrEqual(99_000);
    expect(samples.at(-1)).toBeLessThan(99_000 * 1.1);
    expect(samples.at(-1)).toBeGreaterThan(99_000 * 1.099);
    expect(samplesOf(latency, 2, 1)).toEqual(samples);
    expect(samplesOf(latency, 1, 3)[0]).toBe(500);
    for (const a of REGIONS) {
      for (const b of REGIONS) {
        const there = sampleUs({ type: 'regions', regions: [a, b], jitterPercent: 0 }, 1, 2, 7);
        expect(sampleUs({ type: 'regions', regions: [a, b], jitterPercent: 0 }, 2, 1, 7)).toBe(there);
        expect(there === 500).toBe(a === b);
      }
    }
  });

  it('depend on the draw alone: the same word, the same whole number of microseconds', () => {
    const latency = fc.oneof(
      fc.record({ type: fc.constant('exponential' as const), minUs: fc.nat(1_000), meanUs: fc.nat(1_000_000) }),
      fc.record({
        type: fc.constant('pareto' as const),
        minUs: fc.nat(10_000),
        alphaThousandths: fc.integer({ min: 500, max: 9_000 }),
      }),
    );
    fc.assert(
      fc.property(latency, fc.integer({ min: 0, max: 0xffffffff }), (drawn, word) => {
        const us = sampleUs(drawn, 1, 2, word);
        expect(Number.isSafeInteger(us) && us >= drawn.minUs).toBe(true);
        expect(sampleUs(drawn, 1, 2, word)).toBe(us);
      }),
    );
  });

  it('are refused when nothing can be drawn from them', () => {
    expect(() => checkLatency({ type: 'uniform', minUs: 2, maxUs: 1 })).toThrow('must not be empty');
    expect(() => checkLatency({ type: 'pareto', minUs: 2, alphaThousandths: 499 })).toThrow('at least 0.5');
  });
});

describe('a whole run', () => {
  it('D3: is the same without the functions that engines compute differently', () => {
    const { hash } = generalRaft().record(3);
    const differing = ['log', 'log2', 'log10', 'log1p', 'exp', 'expm1', 'pow', 'sin', 'cos', 'tan', 'cbrt'] as const;
    for (const name of [...differing, 'random' as const]) {
      vi.spyOn(Math, name).mockImplementation(() => {
        throw new Error(`Math.${name} is used`);
      });
    }
    expect(generalRaft().record(3).hash).toBe(hash);
  });

  it('D4: is over when its call returns, whatever awaits: no promise was resolved meanwhile', async () => {
    let resolved = false;
    const waiting = Promise.resolve().then(() => {
      resolved = true;
    });
    const report = generalRaft().record(4);
    expect(report.violation).toBeNull();
    expect(report.operations.ok).toBeGreaterThan(0);
    expect(resolved).toBe(false);
    await waiting;
  });
});
