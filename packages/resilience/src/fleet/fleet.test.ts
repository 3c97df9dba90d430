import { describe, expect, test } from 'vitest';
import { simulateContention } from './contention.ts';
import { BROWNOUT, type FleetPolicies, type FleetSample, simulateFleet } from './fleet.ts';

const RETRY: FleetPolicies = {
  maxRetries: 3,
  jitter: 'full',
  budgetRatio: null,
  breaker: false,
  adaptiveLimit: false,
  throttle: false,
};

function run(policies: Partial<FleetPolicies>, untilMs = 45_000): FleetSample[] {
  return simulateFleet({ ...BROWNOUT, untilMs, policies: { ...RETRY, ...policies } });
}

function mean(samples: readonly FleetSample[], what: 'load' | 'goodput', fromMs: number, toMs: number): number {
  const within = samples.filter((sample) => sample.atMs >= fromMs && sample.atMs < toMs);
  return within.reduce((sum, sample) => sum + sample[what], 0) / within.length;
}

describe('a fleet through a brown-out', () => {
  test('P17: retries without a budget keep the backend down after it has recovered', () => {
    const samples = run({});
    expect(mean(samples, 'goodput', 0, 10_000)).toBeGreaterThan(750);
    expect(mean(samples, 'load', 35_000, 45_000)).toBeGreaterThan(2_500);
    expect(mean(samples, 'goodput', 35_000, 45_000)).toBeLessThan(10);
  });

  test('P17: a budget keeps the load within 1 + its ratio, and the fleet recovers', () => {
    const samples = run({ budgetRatio: 0.1 });
    expect(mean(samples, 'load', 12_000, 20_000)).toBeLessThan(800 * 1.15);
    expect(mean(samples, 'goodput', 35_000, 45_000)).toBeGreaterThan(750);
  });

  test.each([
    ['breakers', { breaker: true }],
    ['adaptive limits', { adaptiveLimit: true }],
  ])('%s bring it back, too', (_, policies) => {
    const samples = run(policies);
    expect(mean(samples, 'load', 12_000, 20_000)).toBeLessThan(800);
    expect(mean(samples, 'goodput', 35_000, 45_000)).toBeGreaterThan(750);
  });

  test('an adaptive limit keeps the goodput that the browned-out backend can give', () => {
    expect(mean(run({ adaptiveLimit: true }), 'goodput', 12_000, 20_000)).toBeGreaterThan(150);
    expect(mean(run({ budgetRatio: 0.1 }), 'goodput', 12_000, 20_000)).toBeLessThan(20);
  });

  test('is the same every time', () => {
    expect(run({ budgetRatio: 0.1 }, 15_000)).toEqual(run({ budgetRatio: 0.1 }, 15_000));
  });
});

describe("a hundred clients and one row (Brooker's simulation)", () => {
  const median = (jitter: Parameters<typeof simulateContention>[1]) => {
    const runs = Array.from({ length: 9 }, (_, seed) => simulateContention(100, jitter, seed + 1));
    const middle = (values: number[]) => values.sort((left, right) => left - right)[4] as number;
    return {
      completionMs: middle(runs.map((each) => each.completionMs)),
      calls: middle(runs.map((each) => each.calls)),
    };
  };

  test('P19, S13: jitter ends the contention; a tenth of it, as in the seed text, does not', () => {
    const [none, tenth, equal, full, decorrelated] = [
      median('none'),
      median('tenth'),
      median('equal'),
      median('full'),
      median('decorrelated'),
    ];
    expect(none.completionMs).toBeGreaterThan(40_000);
    expect(tenth.completionMs).toBeGreaterThan(2.5 * full.completionMs);
    expect(equal.completionMs).toBeGreaterThan(full.completionMs);
    expect(full.completionMs).toBeLessThan(6_000);
    expect(decorrelated.completionMs).toBeLessThan(6_000);
    expect(none.calls).toBeGreaterThan(1.8 * full.calls);
    // Full jitter ends it with the fewest calls, which is why it is the default.
    for (const other of [none, tenth, equal, decorrelated]) expect(other.calls).toBeGreaterThanOrEqual(full.calls);
  });
});
