import { describe, expect, test } from 'vitest';
import { pipeline } from '../pipeline/pipeline.ts';
import { failure, status, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import { adaptiveLimit } from './adaptive-limit.ts';
import { AimdLimit, GradientLimit } from './limit-algorithm.ts';
import { rateLimit } from './rate-limit.ts';
import { throttle } from './throttle.ts';

describe('a rate limit', () => {
  test('lets its burst through at once, then its rate, and says when the next may come', async () => {
    const clock = new VirtualPlatform();
    const limit = rateLimit({ permits: 10, per: '1s', burst: 3, runtime: clock.runtime });
    const outcomes = () => Promise.all(Array.from({ length: 4 }, () => limit.tryRun(() => 1)));
    expect((await outcomes()).map((outcome) => outcome.ok)).toEqual([true, true, true, false]);
    expect(await limit.tryRun(() => 1)).toMatchObject({ error: { code: 'RATE_LIMITED', retryAfterMs: 100 } });
    await clock.advance(100);
    expect((await outcomes()).map((outcome) => outcome.ok)).toEqual([true, false, false, false]);
    await clock.advance(1_000_000);
    expect(limit.inspect()).toMatchObject({ available: 3 });
  });

  test('lets calls wait their turn, in order, but not longer than told', async () => {
    const clock = new VirtualPlatform();
    const limit = rateLimit({ permits: 1, per: '1s', waitFor: '2s', runtime: clock.runtime });
    const at: number[] = [];
    const calls = Array.from({ length: 4 }, () => watch(limit.run(() => at.push(clock.now()))));
    await clock.settle();
    expect(calls[3]).toMatchObject({ state: 'failed', error: { code: 'RATE_LIMITED', retryAfterMs: 3_000 } });
    await clock.advance(10_000);
    expect(at).toEqual([0, 1_000, 2_000]);
  });

  test('P21: an aborted wait rejects at once and gives its token back', async () => {
    const clock = new VirtualPlatform();
    const limit = rateLimit({ permits: 1, per: '1s', waitFor: '1s', runtime: clock.runtime });
    await limit.run(() => 1);
    const controller = new AbortController();
    const waiting = watch(limit.run(() => 2, { signal: controller.signal }));
    await clock.settle();
    expect(await limit.tryRun(() => 3)).toMatchObject({ ok: false });
    controller.abort();
    await clock.settle();
    expect(waiting.state).toBe('failed');
    const next = watch(limit.run(() => 4));
    await clock.advance(1_000);
    expect(next).toMatchObject({ state: 'ok', value: 4 });
  });
});

/** A target that works on `capacity` calls at a time, each for 10 ms, and lets the others wait. */
function settleAt(algorithm: AimdLimit | GradientLimit, capacity: number, dropsAbove = Infinity): number {
  for (let round = 0; round < 20_000; round++) {
    const running = algorithm.limit;
    const waits = Math.max(1, running / capacity);
    algorithm.onSample({ durationMs: 10 * waits, running, dropped: running > dropsAbove });
  }
  return algorithm.limit;
}

describe('an adaptive limit', () => {
  const bounds = { initial: 20, least: 1, most: 1_000 };

  test('gradient: settles near what the target can do, from below and from above', () => {
    for (const initial of [2, 20, 400]) {
      const settled = settleAt(new GradientLimit({ ...bounds, initial }), 50);
      expect(settled).toBeGreaterThan(40);
      expect(settled).toBeLessThan(150);
    }
  });

  test('gradient: falls when latency rises, though nothing fails', () => {
    const limit = new GradientLimit(bounds);
    for (let call = 0; call < 300; call++) limit.onSample({ durationMs: 10, running: limit.limit, dropped: false });
    const before = limit.limit;
    for (let call = 0; call < 150; call++) limit.onSample({ durationMs: 200, running: limit.limit, dropped: false });
    expect(limit.limit).toBeLessThan(before / 2);
  });

  test('aimd: saws below the limit at which the target drops calls', () => {
    const settled = settleAt(new AimdLimit(bounds), 1_000, 100);
    expect(settled).toBeGreaterThanOrEqual(80);
    expect(settled).toBeLessThanOrEqual(101);
  });

  test('does not grow while it is not used', () => {
    const limit = new AimdLimit(bounds);
    for (let call = 0; call < 1_000; call++) limit.onSample({ durationMs: 1, running: 2, dropped: false });
    expect(limit.limit).toBe(20);
  });

  test('refuses above its limit, and lowers it as calls time out', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const limit = adaptiveLimit({ algorithm: 'aimd', initial: 10, runtime });
    const users = pipeline('users', timeout({ after: '1s', runtime }), limit);
    const calls = Array.from({ length: 11 }, () =>
      watch(
        users.run(
          ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
        ),
      ),
    );
    await clock.settle();
    expect(calls[10]).toMatchObject({ state: 'failed', error: { code: 'REJECTED' } });
    await clock.advance(1_000);
    expect(limit.inspect()).toEqual({ limit: 3, running: 0, waiting: 0 });
  });

  test("P6: the caller's abort teaches it nothing", async () => {
    const clock = new VirtualPlatform();
    const limit = adaptiveLimit({ algorithm: 'aimd', initial: 10, runtime: clock.runtime });
    const controller = new AbortController();
    watch(limit.run(() => new Promise(() => {}), { signal: controller.signal }));
    await clock.settle();
    controller.abort(new Error('left'));
    await clock.settle();
    expect(limit.algorithm.limit).toBe(10);
  });
});

describe('a throttle', () => {
  test('refuses nothing while the target accepts at least half', async () => {
    const { runtime } = new VirtualPlatform();
    const guard = throttle({ runtime });
    for (let call = 0; call < 500; call++) {
      await guard.tryRun(() => (call % 2 === 0 ? 1 : Promise.reject(failure())));
    }
    expect(guard.inspect()).toEqual({ refuseProbability: 0, refused: 0 });
  });

  test('sends about twice as much as the target can take, refusing the rest here', async () => {
    const clock = new VirtualPlatform();
    const guard = throttle({ runtime: clock.runtime, window: '10s' });
    let [sent, accepted, freeMs] = [0, 0, 0];
    const codes = new Set<unknown>();
    for (let call = 0; call < 40_000; call++) {
      if (call === 20_000) [sent, accepted] = [0, 0];
      const outcome = await guard.tryRun(() => {
        sent++;
        if (clock.now() < freeMs) throw status(503);
        accepted++;
        freeMs = clock.now() + 10;
      });
      if (!outcome.ok) codes.add((outcome.error as { code?: unknown }).code);
      clock.advanceSynchronously(1);
    }
    expect(sent / accepted).toBeGreaterThan(1.7);
    expect(sent / accepted).toBeLessThan(2.3);
    expect(codes).toEqual(new Set([undefined, 'THROTTLED']));
  });

  test('forgets, so that a target that recovered gets its calls', async () => {
    const clock = new VirtualPlatform();
    const guard = throttle({ runtime: clock.runtime, window: '10s' });
    for (let call = 0; call < 100; call++) await guard.tryRun(() => Promise.reject(failure()));
    expect(guard.core.refuseProbability(clock.now())).toBeGreaterThan(0.9);
    await clock.advance(11_000);
    expect(guard.core.refuseProbability(clock.now())).toBe(0);
  });
});
