import { describe, expect, test } from 'vitest';
import { pipeline } from '../pipeline/pipeline.ts';
import { retryBudget } from '../retry/budget.ts';
import { retry } from '../retry/retry.ts';
import { failure, refused, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import { type HedgeOptions, hedge } from './hedge.ts';

/** Work whose n-th start takes so long; it heeds its signal and says when it was stopped. */
function setUp(durationsMs: number[], options: Partial<HedgeOptions> = {}) {
  const clock = new VirtualPlatform();
  const started: number[] = [];
  const stopped: number[] = [];
  const policy = hedge({ after: 100, idempotent: true, runtime: clock.runtime, ...options });
  const work = ({ signal, attempt }: { signal: AbortSignal; attempt: number }) =>
    new Promise((resolve, reject) => {
      started.push(clock.now());
      const durationMs = durationsMs[started.length - 1] ?? 0;
      clock.schedule(Math.abs(durationMs), () => (durationMs < 0 ? reject(failure()) : resolve(`start ${attempt}`)));
      signal.addEventListener('abort', () => stopped.push(clock.now()));
    });
  return { clock, policy, work, started, stopped };
}

describe('a hedge', () => {
  test('starts slow work once more, takes the first success and cancels the loser', async () => {
    const { clock, policy, work, started, stopped } = setUp([1_000, 50]);
    const call = watch(policy.run(work));
    await clock.advance(150);
    expect(call).toMatchObject({ state: 'ok', value: 'start 2' });
    expect(started).toEqual([0, 100]);
    expect(stopped).toContain(150);
  });

  test('does nothing more for work that is fast enough, or that failed before it was slow', async () => {
    const fast = setUp([99]);
    const call = watch(fast.policy.run(fast.work));
    await fast.clock.advance(10_000);
    expect(call).toMatchObject({ state: 'ok', value: 'start 1' });
    expect(fast.started).toEqual([0]);

    const failing = setUp([-50]);
    const failed = watch(failing.policy.run(failing.work));
    await failing.clock.advance(10_000);
    expect(failed).toMatchObject({ state: 'failed', error: { message: 'the backend failed' } });
    expect(failing.started).toEqual([0]);
    expect(failing.clock.pending).toBe(0);
  });

  test('waits for the other start when one fails', async () => {
    const { clock, policy, work } = setUp([-150, 100]);
    const call = watch(policy.run(work));
    await clock.advance(199);
    expect(call.state).toBe('pending');
    await clock.advance(1);
    expect(call).toMatchObject({ state: 'ok', value: 'start 2' });
  });

  test('starts no more than told', async () => {
    const { clock, policy, work, started } = setUp([5_000, 5_000, 5_000, 5_000], { maxHedges: 2 });
    watch(policy.run(work));
    await clock.advance(10_000);
    expect(started).toEqual([0, 100, 200]);
  });

  test('P17: stays within its budget', async () => {
    const { clock, policy, work, started } = setUp(
      Array.from({ length: 1_000 }, () => 500),
      {
        budget: retryBudget({ ratio: 0.1, burst: 5 }),
      },
    );
    for (let call = 0; call < 100; call++) {
      watch(policy.run(work));
      await clock.advance(500);
    }
    expect(started.length).toBeGreaterThan(105);
    expect(started.length).toBeLessThanOrEqual(115);
  });

  test('P16: does not start a call twice that says it is not idempotent', async () => {
    const { clock, policy, work, started } = setUp([1_000]);
    watch(policy.run(work, { idempotent: false }));
    await clock.advance(1_000);
    expect(started).toEqual([0]);
  });

  test('learns how long to wait from a percentile of the latencies', async () => {
    const { clock, policy } = setUp([], { after: { percentile: 0.9, initial: '1s' } });
    expect(policy.delayMs()).toBe(1_000);
    for (let call = 0; call < 48; call++) {
      watch(policy.run(() => new Promise((resolve) => void clock.schedule(call % 8, () => resolve(1)))));
      await clock.advance(20);
    }
    expect(policy.delayMs()).toBe(7);
  });

  test('P14: an abort stops every start, and settles at once', async () => {
    const { clock, policy, work, stopped } = setUp([5_000, 5_000]);
    const controller = new AbortController();
    const call = watch(policy.run(work, { signal: controller.signal }));
    await clock.advance(200);
    controller.abort(new Error('left'));
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: { message: 'left' } });
    expect(stopped).toEqual([200, 200]);
    await clock.advance(10_000);
    expect(clock.pending).toBe(0);
  });

  test('stands between other policies', async () => {
    const { clock, policy, work, started } = setUp([5_000, 5_000, 5_000, 20]);
    const { runtime } = clock;
    const users = pipeline(
      'users',
      retry({ runtime, idempotent: true, baseDelay: 0 }),
      timeout({ after: 300, runtime }),
      policy,
      retry({ runtime }),
    );
    const call = watch(users.run(work));
    await clock.advance(420);
    expect(started).toEqual([0, 100, 300, 400]);
    expect(call).toMatchObject({ state: 'ok', value: 'start 3' });
    expect(users.counters()).toMatchObject({ calls: 1, succeeded: 1, hedges: 2, timeouts: 1, retries: 1 });
  });

  test('retries further in happen within each start', async () => {
    const { clock, policy } = setUp([]);
    const { runtime } = clock;
    let calls = 0;
    const call = watch(
      pipeline('users', policy, retry({ runtime, baseDelay: 10 })).run(() => {
        if (++calls < 3) throw refused();
        return calls;
      }),
    );
    await clock.advance(99);
    expect(call).toMatchObject({ state: 'ok', value: 3 });
  });
});
