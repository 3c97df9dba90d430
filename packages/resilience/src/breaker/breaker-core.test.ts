/** The breaker's state machine explored exhaustively at small scope, and beside a model at random. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BreakerChange, BreakerCore, type BreakerRules, NO_PERMIT, type Verdict } from './breaker-core.ts';
import { CountWindow, TimeWindow, type Window } from './window.ts';

const rules = (over: Partial<BreakerRules> = {}): BreakerRules => ({
  consecutiveFailures: 2,
  window: null,
  failureRate: Infinity,
  minimumCalls: 1,
  slowAfterMs: Infinity,
  slowRate: Infinity,
  openForMs: 10,
  maxOpenForMs: 20,
  jitter: 0,
  probes: 2,
  successes: 2,
  probeForMs: 10,
  mode: 'enforcing',
  ...over,
});

type Step = 'call' | 'wait' | { readonly end: 'first' | 'last'; readonly verdict: Verdict };

const STEPS: readonly Step[] = [
  'call',
  'wait',
  ...(['first', 'last'] as const).flatMap((end) =>
    (['success', 'failure', 'ignored'] as const).map((verdict) => ({ end, verdict })),
  ),
];

interface Permit {
  readonly permit: number;
  readonly takenMs: number;
  readonly state: string;
  readonly epoch: number;
}

/** Runs a path and checks after each step what must hold whatever happened. */
class Explorer {
  readonly rules: BreakerRules;
  readonly core: BreakerCore;
  readonly changes: BreakerChange[] = [];
  readonly open: Permit[] = [];
  now = 0;
  epoch = 0;

  constructor(over: Partial<BreakerRules> = {}) {
    this.rules = rules(over);
    this.core = new BreakerCore(
      this.rules,
      () => 0,
      (change) => {
        this.changes.push(change);
        this.epoch++;
      },
    );
  }

  step(step: Step): void {
    const before = { state: this.core.state, failures: this.core.failures(this.now), epoch: this.epoch };
    if (step === 'wait') {
      this.now += 5;
    } else if (step === 'call') {
      const after = this.core.retryAfterMs(this.now);
      const permit = this.core.decide(this.now);
      if (permit === NO_PERMIT) {
        if (before.state === 'closed') throw new Error('a closed breaker refused');
        if (before.state === 'open' && after === 0) throw new Error('refused, though it said to come back now');
      } else {
        if (before.state === 'open' && after > 0) throw new Error('an open breaker let a call through');
        this.open.push({ permit, takenMs: this.now, state: this.core.state, epoch: this.epoch });
      }
    } else {
      const ended = step.end === 'first' ? this.open.shift() : this.open.pop();
      if (ended === undefined) return;
      this.core.settle(this.now, ended.permit, step.verdict, 0);
      const unchanged = this.core.state === before.state && this.core.failures(this.now) === before.failures;
      // P11, P10: an earlier epoch and an ignored end decide nothing.
      if ((ended.epoch !== before.epoch || step.verdict === 'ignored') && !unchanged)
        throw new Error('it decided something');
    }
    this.check();
  }

  check(): void {
    const probing = this.open.filter(
      (permit) =>
        permit.state === 'half-open' &&
        permit.epoch === this.epoch &&
        permit.takenMs + this.rules.probeForMs > this.now,
    );
    if (this.core.state === 'half-open' && probing.length > this.rules.probes) throw new Error('too many probes');
    if (this.core.retryAfterMs(this.now) < 0) throw new Error('come back in the past');
    for (const { from, to } of this.changes) {
      if (from === to || (from === 'closed' && to === 'half-open')) throw new Error(`${from} to ${to}`);
    }
  }
}

describe('the breaker, exhaustively', () => {
  test.each([
    ['two in a row, two probes', {}],
    ['one failure, one of two probes enough', { consecutiveFailures: 1, successes: 1 }],
    ['a rate of the last three', { consecutiveFailures: Infinity, failureRate: 0.5, minimumCalls: 2 }],
  ] as const)('P8, P10, P11: keeps its promises on every path of 6 steps: %s', (_, over) => {
    let paths = 0;
    const reached = new Set<string>();
    const walk = (path: readonly Step[]): void => {
      const window = 'failureRate' in over ? { window: new CountWindow(3) } : {};
      const explorer = new Explorer({ ...over, ...window });
      for (const step of path) explorer.step(step);
      reached.add(explorer.core.state);
      paths++;
      if (path.length < 6) for (const step of STEPS) walk([...path, step]);
    };
    // Opened beforehand in half of the walks, so that six steps reach far into half open.
    walk([]);
    const opening: Step[] = [
      'call',
      { end: 'first', verdict: 'failure' },
      'call',
      { end: 'first', verdict: 'failure' },
    ];
    const opened = (path: readonly Step[]): void => {
      const window = 'failureRate' in over ? { window: new CountWindow(3) } : {};
      const explorer = new Explorer({ ...over, ...window });
      for (const step of [...opening, 'wait', 'wait', ...path] as const) explorer.step(step);
      reached.add(explorer.core.state);
      paths++;
      if (path.length < 5) for (const step of STEPS) opened([...path, step]);
    };
    opened([]);
    expect(paths).toBeGreaterThan(300_000);
    expect([...reached].sort()).toEqual(['closed', 'half-open', 'open']);
  });
});

describe('the breaker, at random', () => {
  test('P8, P9, P11: keeps its promises on long paths', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...STEPS), { maxLength: 200 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
        (path, probes, threshold) => {
          const explorer = new Explorer({ consecutiveFailures: threshold, probes, successes: probes });
          for (const step of path) explorer.step(step);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('recovers: whatever happened, a target that is well again gets its calls', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 100 }), (path) => {
        const explorer = new Explorer();
        for (const step of path) explorer.step(step);
        for (let round = 0; round < 30; round++) {
          explorer.now += 10;
          const permit = explorer.core.decide(explorer.now);
          if (permit !== NO_PERMIT) explorer.core.settle(explorer.now, permit, 'success', 0);
        }
        expect(explorer.core.state).toBe('closed');
      }),
      { numRuns: 500 },
    );
  });

  test('P12: the same calls at other times of day make the same decisions', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...STEPS), { maxLength: 100 }),
        fc.integer({ min: 0, max: 1e9 }),
        (path, start) => {
          const [one, other] = [new Explorer(), new Explorer()];
          other.now = start;
          for (const step of path) {
            one.step(step);
            other.step(step);
            expect(other.core.state).toBe(one.core.state);
            expect(other.core.retryAfterMs(other.now)).toBe(one.core.retryAfterMs(one.now));
          }
        },
      ),
    );
  });

  test('a snapshot taken over at any moment goes on as the original would, probes aside', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...STEPS), { maxLength: 60 }), (path) => {
        const one = new Explorer();
        for (const step of path) one.step(step);
        const copy = new Explorer();
        copy.now = 5_000;
        copy.core.hydrate(copy.now, one.core.snapshot(one.now));
        expect(copy.core.state).toBe(one.core.state === 'half-open' ? 'open' : one.core.state);
        if (one.core.state === 'open') expect(copy.core.retryAfterMs(copy.now)).toBe(one.core.retryAfterMs(one.now));
        expect(copy.core.failures(copy.now)).toBe(one.core.failures(one.now));
      }),
    );
  });
});

describe('windows', () => {
  const calls = fc.array(
    fc.record({ gapMs: fc.integer({ min: 0, max: 40 }), failed: fc.boolean(), slow: fc.boolean() }),
    { maxLength: 200 },
  );

  test('of calls count exactly the last ones', () => {
    fc.assert(
      fc.property(calls, fc.integer({ min: 1, max: 20 }), (all, size) => {
        const window: Window = new CountWindow(size);
        for (const call of all) window.record(0, call.failed, call.slow);
        const last = all.slice(-size);
        expect(window.calls).toBe(last.length);
        expect(window.failures).toBe(last.filter((call) => call.failed).length);
        expect(window.slow).toBe(last.filter((call) => call.slow).length);
      }),
    );
  });

  test('P5: of time count all of nine tenths, none older than the whole, and never a negative number', () => {
    fc.assert(
      fc.property(calls, (all) => {
        const window: Window = new TimeWindow(100);
        let now = 0;
        const seen: { at: number; failed: boolean }[] = [];
        for (const call of all) {
          now += call.gapMs;
          window.record(now, call.failed, call.slow);
          seen.push({ at: now, failed: call.failed });
          const within = (ms: number) => seen.filter((each) => each.at > now - ms);
          expect(window.calls).toBeGreaterThanOrEqual(within(90).length);
          expect(window.calls).toBeLessThanOrEqual(within(100.001).length);
          expect(window.failures).toBeGreaterThanOrEqual(within(90).filter((each) => each.failed).length);
        }
        window.advance(now + 100);
        expect([window.calls, window.failures, window.slow]).toEqual([0, 0, 0]);
      }),
    );
  });
});
