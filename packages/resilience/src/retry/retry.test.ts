import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTransient } from '../base/classify.ts';
import { breaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline/pipeline.ts';
import { broken, failure, refused, status, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import { backoffMs, type Growth, type Jitter } from './backoff.ts';
import { retryBudget } from './budget.ts';
import { type RetryOptions, retry } from './retry.ts';

/** Runs work that always fails so, and says how often it ran and when. */
async function attempts(error: () => unknown, options: RetryOptions = {}, forMs = 1_000_000) {
  const clock = new VirtualPlatform();
  const times: number[] = [];
  const call = watch(
    retry({ runtime: clock.runtime, jitter: 'none', ...options }).run(() => {
      times.push(clock.now());
      throw error();
    }),
  );
  await clock.advance(forMs);
  return { times, call };
}

describe('a retry policy', () => {
  test('tries again with growing waits, then lets the last error stand', async () => {
    const { times, call } = await attempts(failure, { maxRetries: 3, baseDelay: '1s', maxDelay: '60s' });
    expect(times).toEqual([0, 1_000, 3_000, 7_000]);
    expect(call).toMatchObject({ state: 'failed', error: { message: 'the backend failed' } });
  });

  test('returns the first success', async () => {
    const clock = new VirtualPlatform();
    let calls = 0;
    const call = watch(
      retry({ runtime: clock.runtime }).run(() => {
        if (++calls < 3) throw failure();
        return calls;
      }),
    );
    await clock.advance(10_000);
    expect(call).toMatchObject({ state: 'ok', value: 3 });
  });

  test("the seed text's example: an operation that fails seven times in ten", async () => {
    const clock = new VirtualPlatform();
    const policy = retry({ maxRetries: 3, baseDelay: '1s', maxDelay: '60s', runtime: clock.runtime });
    const unreliableOperation = () => {
      if (clock.random() < 0.7) throw new Error('Operation failed');
      return 'Success';
    };
    const calls = Array.from({ length: 40 }, () => watch(policy.run(unreliableOperation)));
    await clock.advance(60_000);
    const good = calls.filter((call) => call.value === 'Success').length;
    // 1 - 0.7^4 of them with every retry; the budget allows 18 retries in all.
    expect(good).toBeGreaterThan(40 * 0.3);
    expect(good).toBeLessThan(40);
    const codes = new Set(calls.filter((call) => call.state === 'failed').map((call) => String(call.error)));
    expect([...codes].every((text) => /Operation failed|retry budget/.test(text))).toBe(true);
  });

  test('tries a returned value again when told to', async () => {
    const clock = new VirtualPlatform();
    const answers = [{ status: 503 }, { status: 429 }, { status: 200 }];
    const call = watch(retry({ runtime: clock.runtime, on: isTransient }).run(() => answers.shift()));
    await clock.advance(10_000);
    expect(call).toMatchObject({ state: 'ok', value: { status: 200 } });
  });

  test('lets the last returned value stand, as a value, also when the budget is empty', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const empty = retryBudget({ burst: 0, ratio: 0 });
    const given = await retry({ runtime, on: isTransient, budget: empty }).run(() => ({ status: 503 }));
    expect(given).toEqual({ status: 503 });
  });

  test('tells onRetry the attempt, the wait and what happened', async () => {
    const seen: unknown[] = [];
    await attempts(refused, { maxRetries: 2, baseDelay: 10, onRetry: (event) => void seen.push(event) });
    const outcome = { ok: false, error: expect.objectContaining({ code: 'ECONNREFUSED' }) };
    expect(seen).toEqual([
      { attempt: 1, delayMs: 10, outcome },
      { attempt: 2, delayMs: 20, outcome },
    ]);
  });
});

describe('P16, S13: not tried again', () => {
  test.each([
    ['a programming error', () => new TypeError('x is not a function')],
    ['an assertion', () => Object.assign(new Error('assert'), { name: 'AssertionError' })],
    ['an abort', () => new DOMException('aborted', 'AbortError')],
    ['a client error', () => status(404)],
  ])('P16: %s', async (_, error) => {
    expect((await attempts(error)).times).toEqual([0]);
  });

  test('P16: an open circuit', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const guard = breaker({ consecutiveFailures: 1, runtime });
    await guard.tryRun(() => Promise.reject(failure()));
    let retries = 0;
    const users = pipeline('users', retry({ runtime, onRetry: () => retries++ }), guard);
    expect(await users.tryRun(() => 1)).toMatchObject({ ok: false, error: { code: 'CIRCUIT_OPEN' } });
    expect(retries).toBe(0);
  });

  test.each([
    ['a broken connection', broken],
    ['a bad gateway', () => status(502)],
    ['a time-out of fetch', () => new DOMException('timeout', 'TimeoutError')],
    ['a fetch that lost its connection', () => Object.assign(new TypeError('fetch failed'), { cause: broken() })],
  ])('P16: %s, which may have been carried out, unless the work is idempotent', async (_, error) => {
    expect((await attempts(error)).times).toHaveLength(1);
    expect((await attempts(error, { idempotent: true })).times).toHaveLength(4);
  });

  test('P16: the call itself may say that it is idempotent, or that it is not', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    let calls = 0;
    const work = () => {
      calls++;
      throw broken();
    };
    watch(retry({ runtime }).run(work, { idempotent: true }));
    await clock.advance(100_000);
    expect(calls).toBe(4);
    watch(retry({ runtime, idempotent: true }).run(work, { idempotent: false }));
    await clock.advance(100_000);
    expect(calls).toBe(5);
  });

  test.each([
    ['a refused connection', refused],
    ['too many requests', () => status(429)],
    ['a fetch that never connected', () => Object.assign(new TypeError('fetch failed'), { cause: refused() })],
  ])('but %s was certainly not carried out, and is', async (_, error) => {
    expect((await attempts(error)).times).toHaveLength(4);
  });

  test('a full bulkhead further in is tried again, for nothing was carried out', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const users = pipeline(
      'users',
      retry({ runtime, baseDelay: 100, jitter: 'none' }),
      bulkhead({ limit: 1, runtime }),
    );
    void users.run(() => new Promise((resolve) => void clock.schedule(50, () => resolve(1))));
    const second = watch(users.run(() => 2));
    await clock.advance(100);
    expect(second).toMatchObject({ state: 'ok', value: 2 });
  });
});

describe('P17, S13: a budget', () => {
  test('P17: in a full outage load stays within 1 + ratio times the calls, and the burst', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const budget = retryBudget({ ratio: 0.2, burst: 10 });
    const users = retry({ runtime, budget, baseDelay: 1, maxRetries: 10 });
    let attempted = 0;
    for (let call = 0; call < 1_000; call++) {
      watch(
        users.run(() => {
          attempted++;
          throw refused();
        }),
      );
      await clock.advance(1);
    }
    await clock.advance(100_000);
    expect(attempted).toBeLessThanOrEqual(1_000 * 1.2 + 10);
    expect(attempted).toBeGreaterThan(1_100);
  });

  test('P17: without a word every policy has one', async () => {
    const clock = new VirtualPlatform();
    const users = retry({ runtime: clock.runtime, baseDelay: 1 });
    let attempted = 0;
    for (let call = 0; call < 500; call++) {
      watch(
        users.run(() => {
          attempted++;
          throw refused();
        }),
      );
    }
    await clock.advance(100_000);
    expect(attempted).toBeLessThanOrEqual(500 * 1.2 + 10);
  });

  test('P17: exhausted, it says so, with the failure as the cause', async () => {
    const { call } = await attempts(refused, { budget: retryBudget({ burst: 1, ratio: 0 }) });
    expect(call.error).toMatchObject({ code: 'BUDGET_EXHAUSTED', cause: { code: 'ECONNREFUSED' } });
  });

  test('P17: three nested layers of four attempts do not become 64', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const layer = () => retry({ runtime, baseDelay: 1, budget: null });
    const [outer, middle, inner] = [layer(), layer(), layer()];
    let calls = 0;
    const call = watch(
      outer.run(() =>
        middle.run(() =>
          inner.run(() => {
            calls++;
            throw refused();
          }),
        ),
      ),
    );
    await clock.advance(100_000);
    expect(call.state).toBe('failed');
    expect(calls).toBe(4);
  });

  test('P17: layers that insist are bounded by their shared budget, and repeats put nothing in', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const budget = retryBudget({ ratio: 0.2, burst: 5 });
    const layer = () => retry({ runtime, baseDelay: 1, budget, nested: true });
    const [outer, inner] = [layer(), layer()];
    let calls = 0;
    for (let round = 0; round < 100; round++) {
      watch(
        outer.run((context) =>
          inner.run(
            () => {
              calls++;
              throw refused();
            },
            { parent: context },
          ),
        ),
      );
      await clock.advance(10);
    }
    await clock.advance(10_000);
    // Each call is a first attempt in both layers, so both put in.
    expect(calls).toBeLessThanOrEqual(100 * 1.4 + 5);
  });

  test('holds its burst and not more, whatever succeeds before', () => {
    const budget = retryBudget({ ratio: 0.5, burst: 3 });
    for (let call = 0; call < 100; call++) budget.deposit();
    expect(budget.available).toBe(3);
    expect([1, 2, 3, 4].map(() => budget.tryWithdraw())).toEqual([true, true, true, false]);
    budget.deposit();
    expect(budget.tryWithdraw()).toBe(false);
    budget.deposit();
    expect(budget.tryWithdraw()).toBe(true);
    expect(budget.refused).toBe(2);
  });
});

describe('P18: Retry-After', () => {
  const asked = (seconds: string) => () =>
    Object.assign(new Error('HTTP 503'), { status: 503, headers: new Headers({ 'retry-after': seconds }) });

  test('P18: is a floor', async () => {
    const { times } = await attempts(asked('7'), { maxRetries: 1, baseDelay: '1s' });
    expect(times).toEqual([0, 7_000]);
  });

  test('P18: does not shorten a longer backoff', async () => {
    const { times } = await attempts(asked('1'), { maxRetries: 1, baseDelay: '5s' });
    expect(times).toEqual([0, 5_000]);
  });

  test('P18: has a ceiling', async () => {
    const { times } = await attempts(asked('86400'), { maxRetries: 1, baseDelay: '1s', maxRetryAfter: '10s' });
    expect(times).toEqual([0, 10_000]);
  });

  test("P18: may be a date, read against the sender's own clock", async () => {
    const dated = () =>
      Object.assign(new Error('HTTP 503'), {
        response: {
          status: 503,
          headers: { 'retry-after': 'Tue, 01 Mar 2033 00:00:04 GMT', date: 'Mon, 28 Feb 2033 23:59:57 GMT' },
        },
      });
    const { times } = await attempts(dated, { maxRetries: 1, baseDelay: '1s' });
    expect(times).toEqual([0, 7_000]);
  });

  test('P18: never sleeps past its deadline, nor past a time-out around it: it gives up at once', async () => {
    const own = await attempts(refused, { deadline: '3s', baseDelay: '1s', maxRetries: 10 }, 1_000);
    expect(own.times).toEqual([0, 1_000]);
    expect(own.call.state).toBe('failed');

    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const users = pipeline(
      'users',
      timeout({ after: '3s', runtime }),
      retry({ runtime, baseDelay: '5s', jitter: 'none' }),
    );
    const call = watch(users.run(() => Promise.reject(refused())));
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: { code: 'ECONNREFUSED' } });
  });

  test('P18: nor past the deadline of the call it is made for', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const inner = retry({ runtime, baseDelay: '5s', jitter: 'none' });
    const outer = timeout({ after: '3s', runtime });
    const call = watch(outer.run((context) => inner.run(() => Promise.reject(refused()), { parent: context })));
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: { code: 'ECONNREFUSED' } });
  });
});

describe('P19, S13: backoff', () => {
  test('P19: a hundred simultaneous failures come back spread out', async () => {
    const clock = new VirtualPlatform();
    const users = retry({ runtime: clock.runtime, baseDelay: '1s', maxRetries: 1, budget: null });
    const second: number[] = [];
    for (let client = 0; client < 100; client++) {
      watch(
        users.run((context) => {
          if (context.attempt > 1) second.push(clock.now());
          throw refused();
        }),
      );
    }
    await clock.advance(10_000);
    const perTenth = Array.from(
      { length: 10 },
      (_, tenth) => second.filter((at) => Math.floor(at / 100) === tenth).length,
    );
    expect(second).toHaveLength(100);
    expect(Math.max(...perTenth)).toBeLessThanOrEqual(25);
    expect(Math.min(...perTenth)).toBeGreaterThan(0);
  });

  const growths: readonly Growth[] = ['constant', 'linear', 'exponential'];
  const jitters: readonly Jitter[] = ['full', 'equal', 'decorrelated', 'none'];

  test('waits stay within their bounds for every growth and jitter', () => {
    fc.assert(
      fc.property(
        fc.record({
          growth: fc.constantFrom(...growths),
          jitter: fc.constantFrom(...jitters),
          baseMs: fc.integer({ min: 0, max: 1_000 }),
          maxMs: fc.integer({ min: 1_000, max: 60_000 }),
        }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 0, max: 60_000 }),
        (backoff, failures, draw, previous) => {
          const wait = backoffMs(backoff, failures, Math.min(previous, backoff.maxMs), () => draw);
          const least = { full: 0, none: backoff.baseMs, decorrelated: backoff.baseMs, equal: backoff.baseMs / 2 };
          expect(wait).toBeGreaterThanOrEqual(least[backoff.jitter]);
          expect(wait).toBeLessThanOrEqual(backoff.maxMs);
        },
      ),
    );
  });

  test('grows as named', () => {
    const waits = (growth: Growth) =>
      [1, 2, 3, 4, 9].map((failures) =>
        backoffMs({ growth, jitter: 'none', baseMs: 100, maxMs: 5_000 }, failures, 0, () => 0.5),
      );
    expect(waits('constant')).toEqual([100, 100, 100, 100, 100]);
    expect(waits('linear')).toEqual([100, 200, 300, 400, 900]);
    expect(waits('exponential')).toEqual([100, 200, 400, 800, 5_000]);
  });
});
