import { describe, expect, test } from 'vitest';
import { isTransient } from '../base/classify.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline/pipeline.ts';
import { retryBudget } from '../retry/budget.ts';
import { retry } from '../retry/retry.ts';
import { Deferred, failure, refused, status, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import { type BreakerOptions, breaker } from './breaker.ts';
import type { BreakerChange } from './breaker-core.ts';

function setUp(options: BreakerOptions) {
  const clock = new VirtualPlatform();
  const guard = breaker({ runtime: clock.runtime, jitter: 0, openFor: '10s', ...options });
  const ok = () => guard.tryRun(() => 'ok');
  const bad = (error: unknown = failure()) => guard.tryRun(() => Promise.reject(error));
  return { clock, guard, ok, bad };
}

async function opened(options: BreakerOptions = { consecutiveFailures: 1 }) {
  const world = setUp(options);
  await world.bad();
  expect(world.guard.state.state).toBe('open');
  return world;
}

describe('a closed breaker', () => {
  test('P4, S12: with a threshold of five, four failures, a success and a failure leave it closed', async () => {
    const { guard, ok, bad } = setUp({ consecutiveFailures: 5 });
    for (let call = 0; call < 4; call++) await bad();
    await ok();
    await bad();
    expect(guard.state).toMatchObject({ state: 'closed', failures: 1, threshold: 5 });
    for (let call = 0; call < 4; call++) await bad();
    expect(guard.state).toMatchObject({
      state: 'open',
      lastFailure: { error: { message: 'the backend failed' }, agoMs: 0 },
    });
  });

  test('P5: failures spread over hours do not open a breaker that samples a window of time', async () => {
    const { clock, guard, bad } = setUp({ failureRate: 0.5, window: '30s', minimumCalls: 5 });
    for (let hour = 0; hour < 50; hour++) {
      await bad();
      await clock.advance(3_600_000);
    }
    expect(guard.state.state).toBe('closed');
    for (let call = 0; call < 5; call++) await bad();
    expect(guard.state.state).toBe('open');
  });

  test('P5: a rate of fewer calls than the minimum means nothing', async () => {
    const { guard, bad, ok } = setUp({ failureRate: 0.5, minimumCalls: 4 });
    for (let call = 0; call < 3; call++) await bad();
    expect(guard.state).toMatchObject({ state: 'closed', failures: 3, threshold: 0.5 });
    await ok();
    expect(guard.state.state).toBe('closed');
    await bad();
    expect(guard.state.state).toBe('open');
  });

  test('forgets what left its window of time, tenth by tenth', async () => {
    const { clock, guard, bad } = setUp({ failureRate: 0.5, window: '10s', minimumCalls: 100 });
    for (let second = 0; second < 20; second++) {
      await bad();
      await clock.advance(1_000);
    }
    expect(guard.state.failures).toBe(9);
    await clock.advance(5_000);
    expect(guard.state.failures).toBe(4);
  });

  test('counts the last calls with a window of calls', async () => {
    const { guard, bad, ok } = setUp({ failureRate: 0.5, calls: 4 });
    await bad();
    for (let call = 0; call < 4; call++) await ok();
    expect(guard.state).toMatchObject({ state: 'closed', failures: 0 });
    await bad();
    await bad();
    expect(guard.state.state).toBe('open');
  });

  test('opens when too many calls are slow, though they succeed', async () => {
    const { clock, guard } = setUp({ slow: { after: '1s', rate: 0.5 }, minimumCalls: 2 });
    const taking = (ms: number) =>
      watch(guard.run(() => new Promise((resolve) => void clock.schedule(ms, () => resolve(1)))));
    taking(10);
    taking(999);
    taking(1_000);
    await clock.advance(1_000);
    expect(guard.state.state).toBe('closed');
    taking(3_000);
    await clock.advance(3_000);
    expect(guard.state.state).toBe('open');
  });

  test.each([
    ["the caller's abort", () => new DOMException('gone', 'AbortError')],
    ['a client error', () => status(404)],
    ['too many requests', () => status(429)],
    ['a programming error', () => new TypeError('x is undefined')],
  ])('P6, S12: %s is no failure', async (_, error) => {
    const { guard, bad } = setUp({ consecutiveFailures: 1 });
    await bad(error());
    expect(guard.state).toMatchObject({ state: 'closed', failures: 0 });
  });

  test('P6: an aborted call is no failure, whatever the work makes of it', async () => {
    const { clock, guard } = setUp({ consecutiveFailures: 1 });
    const controller = new AbortController();
    watch(guard.run(() => new Promise(() => {}), { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(guard.state.state).toBe('closed');
  });

  test('P6: what policies further in refuse is no failure', async () => {
    const { clock, guard } = setUp({ consecutiveFailures: 1 });
    const users = pipeline('users', guard, bulkhead({ limit: 1, runtime: clock.runtime }));
    void users.run(() => new Promise(() => {}));
    expect(await users.tryRun(() => 1)).toMatchObject({ error: { code: 'REJECTED' } });
    expect(guard.state.state).toBe('closed');
  });

  test('P6: but a failure is one also when the retry budget further in ran out', async () => {
    const { clock, guard } = setUp({ consecutiveFailures: 1 });
    const empty = retry({ runtime: clock.runtime, budget: retryBudget({ burst: 0, ratio: 0 }) });
    expect(await pipeline('users', guard, empty).tryRun(() => Promise.reject(refused()))).toMatchObject({
      error: { code: 'BUDGET_EXHAUSTED' },
    });
    expect(guard.state.state).toBe('open');
  });

  test('P7: a returned 503 can be a failure', async () => {
    const { guard } = setUp({ consecutiveFailures: 2, on: isTransient });
    expect(await guard.run(() => ({ status: 503 }))).toEqual({ status: 503 });
    await guard.run(() => ({ status: 404 }));
    expect(guard.state).toMatchObject({ state: 'closed', failures: 0 });
    await guard.run(() => ({ status: 503 }));
    await guard.run(() => ({ status: 503 }));
    expect(guard.state).toMatchObject({ state: 'open', lastFailure: { error: { status: 503 } } });
  });

  test('opens when the target hangs and a time-out around it ends the calls', async () => {
    const { clock, guard } = setUp({ consecutiveFailures: 2 });
    const users = pipeline('users', timeout({ after: '1s', runtime: clock.runtime }), guard);
    for (let call = 0; call < 2; call++) watch(users.run(() => new Promise(() => {})));
    await clock.advance(1_000);
    expect(guard.state.state).toBe('open');
  });

  test('but not when the calls spent that time in a queue and never reached the target', async () => {
    const { clock, guard } = setUp({ consecutiveFailures: 1 });
    const { runtime } = clock;
    const limit = bulkhead({ limit: 1, queue: 9, runtime });
    void limit.run(() => new Promise(() => {}));
    watch(pipeline('users', timeout({ after: '1s', runtime }), guard, limit).run(() => 1));
    await clock.advance(1_000);
    expect(guard.state.state).toBe('closed');
  });

  test('P12: depends on no wall clock: only differences of monotonic time are ever used', async () => {
    const { clock, guard } = await opened();
    const twin = setUp({ consecutiveFailures: 1 });
    await twin.clock.advance(1e12);
    await twin.bad();
    await clock.advance(9_999);
    await twin.clock.advance(9_999);
    expect(twin.guard.state.retryAfterMs).toBe(1);
    expect(guard.state.retryAfterMs).toBe(1);
  });
});

describe('an open breaker', () => {
  test('refuses at once, and says when to come back', async () => {
    const { clock, guard } = await opened();
    await clock.advance(4_000);
    let calls = 0;
    expect(await guard.tryRun(() => calls++)).toMatchObject({
      ok: false,
      error: { code: 'CIRCUIT_OPEN', retryAfterMs: 6_000 },
    });
    await expect(guard.run(() => calls++)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 6_000 });
    expect(calls).toBe(0);
    expect(guard.state.refused).toBe(2);
  });

  test('P11: a late result from an earlier epoch changes nothing', async () => {
    const { clock, guard, ok } = setUp({ consecutiveFailures: 1 });
    const [lateGood, lateBad] = [new Deferred<number>(), new Deferred<number>()];
    watch(guard.run(() => lateGood.promise));
    watch(guard.run(() => lateBad.promise));
    await guard.tryRun(() => Promise.reject(failure()));
    lateGood.resolve(1);
    await clock.settle();
    expect(guard.state.state).toBe('open');
    await clock.advance(10_000);
    await ok();
    expect(guard.state.state).toBe('closed');
    lateBad.reject(failure());
    await clock.settle();
    expect(guard.state).toMatchObject({ state: 'closed', failures: 0 });
  });

  test('P13: stays open longer with each failed probing, up to a limit, and as at first once it had closed', async () => {
    const { clock, guard, bad, ok } = await opened({ consecutiveFailures: 1, maxOpenFor: '35s' });
    const opens: number[] = [];
    for (let round = 0; round < 4; round++) {
      opens.push(guard.state.retryAfterMs);
      await clock.advance(guard.state.retryAfterMs);
      await bad();
    }
    expect(opens).toEqual([10_000, 20_000, 35_000, 35_000]);
    await clock.advance(35_000);
    await ok();
    await bad();
    expect(guard.state.retryAfterMs).toBe(10_000);
  });

  test('P13: breakers that open together do not probe together', async () => {
    const clock = new VirtualPlatform();
    const fleet = Array.from({ length: 100 }, () =>
      breaker({ consecutiveFailures: 1, openFor: '10s', runtime: clock.runtime }),
    );
    for (const each of fleet) await each.tryRun(() => Promise.reject(failure()));
    const after = fleet.map((each) => each.state.retryAfterMs);
    expect(Math.min(...after)).toBeGreaterThanOrEqual(10_000);
    expect(Math.max(...after)).toBeLessThan(12_000);
    expect(new Set(after.map((ms) => Math.floor(ms / 200))).size).toBe(10);
  });
});

describe('a half-open breaker', () => {
  async function halfOpen(options: BreakerOptions) {
    const world = await opened({ ...options });
    await world.clock.advance(10_000);
    return world;
  }

  test('P8, S12: of a thousand callers exactly the allowed number pass, the others hear when to come back', async () => {
    const { clock, guard } = await halfOpen({ consecutiveFailures: 1, probes: 3 });
    const work = new Deferred<number>();
    let reached = 0;
    const outcomes: unknown[] = [];
    for (let caller = 0; caller < 1_000; caller++) {
      void guard
        .tryRun(() => {
          reached++;
          return work.promise;
        })
        .then((outcome) => outcomes.push(outcome));
    }
    await clock.settle();
    expect(reached).toBe(3);
    expect(outcomes).toHaveLength(997);
    expect(outcomes[0]).toMatchObject({ error: { code: 'CIRCUIT_OPEN', retryAfterMs: 10_000 } });
    work.resolve(1);
    await clock.settle();
    expect(guard.state.state).toBe('closed');
  });

  test('closes after enough successes, and opens once they cannot be reached', async () => {
    const enough = await halfOpen({ consecutiveFailures: 1, probes: 3, successes: 2 });
    await enough.ok();
    await enough.bad();
    expect(enough.guard.state.state).toBe('half-open');
    await enough.ok();
    expect(enough.guard.state.state).toBe('closed');

    const few = await halfOpen({ consecutiveFailures: 1, probes: 3, successes: 2 });
    await few.bad();
    expect(few.guard.state.state).toBe('half-open');
    await few.bad();
    expect(few.guard.state.state).toBe('open');
  });

  test('P9: a probe that hangs gives its place back in the end, and its late result counts no more', async () => {
    const { clock, guard, ok } = await halfOpen({ consecutiveFailures: 1, probeFor: '5s' });
    const hung = new Deferred<number>();
    watch(guard.run(() => hung.promise));
    await clock.advance(4_999);
    expect(await ok()).toMatchObject({ ok: false, error: { code: 'CIRCUIT_OPEN', retryAfterMs: 1 } });
    await clock.advance(1);
    const second = new Deferred<number>();
    watch(guard.run(() => second.promise));
    hung.reject(failure());
    await clock.settle();
    expect(guard.state.state).toBe('half-open');
    second.resolve(1);
    await clock.settle();
    expect(guard.state.state).toBe('closed');
  });

  test('P10: a cancelled probe gives its permit back and decides nothing', async () => {
    const { clock, guard, ok } = await halfOpen({ consecutiveFailures: 1 });
    const controller = new AbortController();
    watch(guard.run(() => new Promise(() => {}), { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(guard.state.state).toBe('half-open');
    await ok();
    expect(guard.state.state).toBe('closed');
  });

  test('P10: an ignored probe gives its permit back and decides nothing', async () => {
    const { guard, ok, bad } = await halfOpen({ consecutiveFailures: 1 });
    for (let probe = 0; probe < 5; probe++) await bad(status(404));
    expect(guard.state.state).toBe('half-open');
    await ok();
    expect(guard.state.state).toBe('closed');
  });

  test('a slow probe is a failed one where slow calls count', async () => {
    const { clock, guard } = setUp({ failureRate: 1, slow: { after: '1s', rate: 1 }, minimumCalls: 1 });
    await guard.tryRun(() => Promise.reject(failure()));
    await clock.advance(10_000);
    watch(guard.run(() => new Promise((resolve) => void clock.schedule(1_000, () => resolve(1)))));
    await clock.advance(1_000);
    expect(guard.state.state).toBe('open');
  });
});

describe('a breaker under orders', () => {
  test('metrics-only: changes state and says so, and refuses nobody', async () => {
    const changes: BreakerChange[] = [];
    const { clock, guard, bad, ok } = setUp({
      consecutiveFailures: 2,
      mode: 'metrics-only',
      onStateChange: (change) => changes.push(change),
    });
    await bad();
    await bad();
    expect(guard.state.state).toBe('open');
    expect(await ok()).toEqual({ ok: true, value: 'ok' });
    await clock.advance(10_000);
    await ok();
    expect(changes).toEqual([
      { from: 'closed', to: 'open', reason: 'failures' },
      { from: 'open', to: 'half-open', reason: 'probing' },
      { from: 'half-open', to: 'closed', reason: 'recovered' },
    ]);
  });

  test('forced-closed: never opens', async () => {
    const { guard, bad } = setUp({ consecutiveFailures: 1, mode: 'forced-closed' });
    for (let call = 0; call < 10; call++) await bad();
    expect(guard.state.state).toBe('closed');
  });

  test('P20: a listener that throws changes nothing', async () => {
    const { guard, bad } = setUp({
      consecutiveFailures: 1,
      onStateChange: () => {
        throw new Error('a broken listener');
      },
    });
    expect(await bad()).toMatchObject({ ok: false, error: { message: 'the backend failed' } });
    expect(guard.state.state).toBe('open');
  });

  test('isolation is counted, and ends with the last hold', async () => {
    const { guard, ok } = setUp({ consecutiveFailures: 1 });
    const [first, second] = [guard.isolate(), guard.isolate()];
    first.release();
    first.release();
    expect(await ok()).toMatchObject({ error: { code: 'ISOLATED' } });
    second[Symbol.dispose]();
    expect(await ok()).toEqual({ ok: true, value: 'ok' });
  });

  test('a snapshot carries an open breaker over to another process, whose clock began elsewhere', async () => {
    const { clock, guard } = await opened();
    await clock.advance(4_000);
    const other = setUp({ consecutiveFailures: 1 });
    await other.clock.advance(123_456);
    other.guard.hydrate(JSON.parse(JSON.stringify(guard.snapshot())));
    expect(other.guard.state).toMatchObject({ state: 'open', retryAfterMs: 6_000 });
    await other.clock.advance(6_000);
    await other.ok();
    expect(other.guard.state.state).toBe('closed');
  });

  test('a snapshot of a closed one carries its failures in a row', async () => {
    const one = setUp({ consecutiveFailures: 3 });
    await one.bad();
    await one.bad();
    const other = setUp({ consecutiveFailures: 3 });
    other.guard.hydrate(one.guard.snapshot());
    await other.bad();
    expect(other.guard.state.state).toBe('open');
  });

  test('reset closes it and forgets', async () => {
    const { guard } = await opened();
    guard.reset();
    expect(guard.state).toMatchObject({ state: 'closed', failures: 0 });
  });

  test('options that make no sense are refused when it is made', () => {
    const wrong = (options: unknown) => () => breaker(options as BreakerOptions);
    const misconfigured = expect.objectContaining({ code: 'MISCONFIGURED' });
    expect(wrong({})).toThrow(misconfigured);
    expect(wrong({ consecutiveFailures: 5, failureRate: 0.5 })).toThrow(misconfigured);
    expect(wrong({ consecutiveFailures: 0 })).toThrow(misconfigured);
    expect(wrong({ failureRate: 0 })).toThrow(misconfigured);
    expect(wrong({ failureRate: 0.5, calls: 5, minimumCalls: 6 })).toThrow(misconfigured);
    expect(wrong({ consecutiveFailures: 1, probes: 2, successes: 3 })).toThrow(misconfigured);
    expect(wrong({ consecutiveFailures: 1, openFor: '5 parsecs' })).toThrow(misconfigured);
  });
});
