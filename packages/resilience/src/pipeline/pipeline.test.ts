import { describe, expect, test } from 'vitest';
import { breaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { retry } from '../retry/retry.ts';
import { Deferred, failure, refused, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import type { PipelineEvent } from './event.ts';
import { pipeline } from './pipeline.ts';

function world() {
  const clock = new VirtualPlatform();
  return { clock, runtime: clock.runtime };
}

function everything(clock: VirtualPlatform) {
  const { runtime } = clock;
  return pipeline(
    'users',
    timeout({ after: '5s', runtime }),
    retry({ runtime, baseDelay: 100, jitter: 'none' }),
    breaker({ consecutiveFailures: 5, runtime, jitter: 0 }),
    bulkhead({ limit: 100, runtime }),
  );
}

describe('a pipeline', () => {
  test('returns what the work returns, and throws what it throws', async () => {
    const { clock } = world();
    const users = everything(clock);
    expect(await users.run(() => 7)).toBe(7);
    expect(await users.run(async () => 'later')).toBe('later');
    const mine = new TypeError('mine');
    await expect(users.run(() => Promise.reject(mine))).rejects.toBe(mine);
    await expect(
      users.run(() => {
        throw mine;
      }),
    ).rejects.toBe(mine);
  });

  test('returns outcomes as values from tryRun', async () => {
    const { clock } = world();
    const users = everything(clock);
    expect(await users.tryRun(() => 7)).toEqual({ ok: true, value: 7 });
    const mine = new TypeError('mine');
    expect(await users.tryRun(() => Promise.reject(mine))).toEqual({ ok: false, error: mine });
  });

  test('P1: a hundred parallel calls of 100 ms take 100 ms', async () => {
    const { clock } = world();
    const users = everything(clock);
    const slow = () => new Promise<void>((resolve) => void clock.schedule(100, resolve));
    const all = watch(Promise.all(Array.from({ length: 100 }, () => users.run(slow))));
    await clock.advance(99);
    expect(all.state).toBe('pending');
    await clock.advance(1);
    expect(all.state).toBe('ok');
  });

  test('P2, S12: a call made from within a guarded call does not wait for itself', async () => {
    const { clock } = world();
    const users = everything(clock);
    expect(await users.run((context) => users.run(() => 'inner', { parent: context }))).toBe('inner');
  });

  test('P3, S12: a call that hangs blocks neither others, nor state, nor isolate', async () => {
    const { clock } = world();
    const guard = breaker({ consecutiveFailures: 5, runtime: clock.runtime });
    void guard.run(() => new Promise(() => {}));
    expect(await guard.run(() => 'other')).toBe('other');
    expect(guard.state.state).toBe('closed');
    const held = guard.isolate();
    expect(guard.state.state).toBe('isolated');
    await expect(guard.run(() => 1)).rejects.toMatchObject({ code: 'ISOLATED' });
    held.release();
    expect(await guard.run(() => 1)).toBe(1);
  });

  test('P14: an abort during backoff settles at once with the reason, and no further call is made', async () => {
    const { clock, runtime } = world();
    const controller = new AbortController();
    let calls = 0;
    const work = () => {
      calls++;
      throw refused();
    };
    const call = watch(retry({ runtime, baseDelay: '10s', jitter: 'none' }).run(work, { signal: controller.signal }));
    await clock.advance(1);
    expect(call.state).toBe('pending');
    const reason = new Error('the user left');
    controller.abort(reason);
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: reason });
    await clock.advance(100_000);
    expect(calls).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('P14: an abort while the work runs settles at once, even if the work ignores its signal', async () => {
    const { clock } = world();
    const users = everything(clock);
    const controller = new AbortController();
    const call = watch(users.run(() => new Promise(() => {}), { signal: controller.signal }));
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: controller.signal.reason });
  });

  test('P15: with a signal aborted beforehand there is no call at all', async () => {
    const { clock } = world();
    const users = everything(clock);
    let calls = 0;
    const reason = new Error('before');
    await expect(users.run(() => calls++, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(calls).toBe(0);
  });

  test('P20: a listener that throws does not replace the result, and the others are told', async () => {
    const { clock, runtime } = world();
    const events: PipelineEvent[] = [];
    const users = pipeline('users', retry({ runtime, baseDelay: 1, onRetry: () => fail('mine') }));
    users.subscribe(() => fail('yours'));
    users.subscribe((event) => events.push(event));
    let calls = 0;
    const call = watch(users.run(() => (++calls < 3 ? fail('backend') : 'good')));
    await clock.advance(1_000);
    expect(call).toMatchObject({ state: 'ok', value: 'good' });
    expect(events.map((event) => event.type)).toEqual(['retry', 'retry']);
    expect(users.counters().listenersThrown).toBe(2);
  });

  test('P22: a time-out inside a retry policy aborts that attempt alone', async () => {
    const { clock, runtime } = world();
    const users = pipeline(
      'users',
      retry({ runtime, idempotent: true, baseDelay: 0 }),
      timeout({ after: 100, runtime }),
    );
    const signals: AbortSignal[] = [];
    const call = watch(
      users.run((context) => {
        signals.push(context.signal);
        return context.attempt === 1 ? new Promise(() => {}) : `attempt ${context.attempt}`;
      }),
    );
    const other = watch(users.run(() => new Promise((resolve) => void clock.schedule(99, () => resolve('other')))));
    await clock.advance(100);
    expect(call).toMatchObject({ state: 'ok', value: 'attempt 2' });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    expect(other).toMatchObject({ state: 'ok', value: 'other' });
  });

  test('P23: counting costs numbers only: a million calls leave nothing behind', async () => {
    const { clock } = world();
    const users = everything(clock);
    for (let call = 0; call < 1_000; call++) await users.run(() => call);
    const before = JSON.stringify(users.inspect()).length;
    for (let call = 0; call < 9_000; call++) await users.run(() => call);
    expect(users.counters()).toMatchObject({ calls: 10_000, succeeded: 10_000 });
    expect(JSON.stringify(users.inspect()).length).toBe(before + 2);
  });

  test('tells its work the attempt and the deadline', async () => {
    const { clock, runtime } = world();
    const users = pipeline(
      'users',
      timeout({ after: '2s', runtime }),
      retry({ runtime, baseDelay: 500, jitter: 'none' }),
    );
    const seen: unknown[] = [];
    const call = watch(
      users.run((context) => {
        seen.push([context.attempt, context.deadline, context.remainingMs()]);
        if (context.attempt < 3) throw failure();
      }),
    );
    await clock.advance(1_600);
    expect(call.state).toBe('ok');
    expect(seen).toEqual([
      [1, 2_000, 2_000],
      [2, 2_000, 1_500],
      [3, 2_000, 500],
    ]);
  });

  test('is isolated by whoever holds it, and open again when the last hold is gone', async () => {
    const { clock } = world();
    const users = everything(clock);
    const first = users.isolate();
    {
      using _second = users.isolate();
      first.release();
      first.release();
      await expect(users.run(() => 1)).rejects.toMatchObject({ code: 'ISOLATED' });
      expect(await users.tryRun(() => 1)).toMatchObject({ ok: false, error: { code: 'ISOLATED' } });
    }
    expect(await users.run(() => 1)).toBe(1);
    expect(users.inspect()).toMatchObject({ isolated: false, counters: { refused: { ISOLATED: 2 } } });
  });

  test('shares a policy with other pipelines', async () => {
    const { clock, runtime } = world();
    const shared = breaker({ consecutiveFailures: 1, runtime, jitter: 0 });
    const reads = pipeline('reads', shared);
    const writes = pipeline('writes', bulkhead({ limit: 1, runtime }), shared);
    await expect(reads.run(() => fail('down'))).rejects.toThrow('down');
    await expect(writes.run(() => 1)).rejects.toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 30_000 });
    await clock.advance(30_000);
    expect(await writes.run(() => 1)).toBe(1);
    expect(await reads.run(() => 2)).toBe(2);
  });

  test('leaves every stage when a predicate throws, and says what it threw', async () => {
    const { runtime } = world();
    const limit = bulkhead({ limit: 1, runtime });
    const wrong = () => fail('a broken predicate');
    const users = pipeline('users', limit, breaker({ consecutiveFailures: 1, runtime, on: wrong }));
    await expect(users.run(() => 1)).rejects.toThrow('a broken predicate');
    expect(limit.core.running).toBe(0);
  });

  test('refuses policies of different runtimes, and the same policy twice', () => {
    const one = retry({ runtime: new VirtualPlatform().runtime });
    const other = retry({ runtime: new VirtualPlatform().runtime });
    expect(() => pipeline('mixed', one, other)).toThrow(expect.objectContaining({ code: 'MISCONFIGURED' }));
    expect(() => pipeline('twice', one, one)).toThrow(expect.objectContaining({ code: 'MISCONFIGURED' }));
  });
});

describe('a slot', () => {
  test('takes what breakers and bulkheads allow, and gives it back at the end of the block', () => {
    const { runtime } = world();
    const limit = bulkhead({ limit: 1, runtime });
    const users = pipeline('users', retry({ runtime }), breaker({ consecutiveFailures: 1, runtime }), limit);
    {
      using slot = users.tryAcquire();
      expect(slot.ok).toBe(true);
      using second = users.tryAcquire();
      expect(second).toMatchObject({ ok: false, error: { code: 'REJECTED' } });
      expect(limit.core.running).toBe(1);
    }
    expect(limit.core.running).toBe(0);
    expect(users.inspect()).toMatchObject({ inFlight: 0 });
  });

  test('opens a breaker when told of a failure, and decides nothing when released without a word', () => {
    const { runtime } = world();
    const guard = breaker({ consecutiveFailures: 1, runtime });
    const users = pipeline('users', guard);
    using quiet = users.tryAcquire();
    if (quiet.ok) quiet.release();
    expect(guard.state.state).toBe('closed');
    using slot = users.tryAcquire();
    if (slot.ok) slot.fail(failure());
    expect(guard.state.state).toBe('open');
    expect(users.tryAcquire()).toMatchObject({ ok: false, error: { code: 'CIRCUIT_OPEN' } });
  });
});

describe('calls without options, which take the light way', () => {
  test('are over when they ended in time: their time-out does nothing later', async () => {
    const { clock, runtime } = world();
    const limit = bulkhead({ limit: 2, runtime });
    for (const users of [
      pipeline('light', timeout({ after: 100, runtime }), limit),
      pipeline('heavy', limit, timeout({ after: 100, runtime })),
    ]) {
      const call = watch(users.run(() => new Promise((resolve) => void clock.schedule(99, () => resolve('in time')))));
      await clock.advance(1_000);
      expect(call).toMatchObject({ state: 'ok', value: 'in time' });
      expect(users.counters()).toMatchObject({ calls: 1, succeeded: 1, failed: 0, timeouts: 0 });
      expect(limit.core.running).toBe(0);
      expect(clock.pending).toBe(0);
    }
  });

  test('hand their slot to whoever waits for it', async () => {
    const { clock, runtime } = world();
    const users = pipeline('users', bulkhead({ limit: 1, queue: 2, runtime }));
    const work = new Deferred<string>();
    const calls = [1, 2, 3].map(() => watch(users.run(() => work.promise)));
    work.resolve('done');
    await clock.settle();
    expect(calls.map((call) => call.state)).toEqual(['ok', 'ok', 'ok']);
  });

  test('end in time also while they wait for a slot', async () => {
    const { clock, runtime } = world();
    const limit = bulkhead({ limit: 1, queue: 1, runtime });
    const users = pipeline('users', timeout({ after: 100, runtime }), limit);
    void limit.run(() => new Promise(() => {}));
    const call = watch(users.run(() => 1));
    await clock.advance(100);
    expect(call).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT' } });
    expect(limit.core.waiting).toBe(0);
  });

  test('are retried under their time-out, which ends the whole', async () => {
    const { clock, runtime } = world();
    const users = pipeline(
      'users',
      timeout({ after: 250, runtime }),
      retry({ runtime, baseDelay: 100, jitter: 'none' }),
    );
    let attempts = 0;
    const call = watch(
      users.run(() => {
        if (++attempts === 1) throw refused();
        return new Promise(() => {});
      }),
    );
    await clock.advance(249);
    expect([call.state, attempts]).toEqual(['pending', 2]);
    await clock.advance(1);
    expect(call).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT' } });
    expect(users.counters()).toMatchObject({ timeouts: 1, retries: 1, failed: 1 });
  });
});

describe('cancelling', () => {
  test('frees a bulkhead slot only when the abandoned work has ended', async () => {
    const { clock, runtime } = world();
    const limit = bulkhead({ limit: 1, runtime });
    const users = pipeline('users', timeout({ after: 100, runtime }), limit);
    const work = new Deferred<string>();
    const call = watch(users.run(() => work.promise));
    await clock.advance(100);
    expect(call).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT' } });
    expect(limit.core.running).toBe(1);
    work.resolve('late');
    await clock.settle();
    expect(limit.core.running).toBe(0);
  });

  test('waits, when cooperative, for work that was told to stop, and takes a value that came nevertheless', async () => {
    const { clock, runtime } = world();
    const patient = timeout({ after: 100, mode: 'cooperative', runtime });
    const work = new Deferred<string>();
    const slow = watch(patient.run(() => work.promise));
    const stopping = watch(
      patient.run(
        ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      ),
    );
    await clock.advance(200);
    expect(slow.state).toBe('pending');
    expect(stopping).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT' } });
    work.resolve('late');
    await clock.settle();
    expect(slow).toMatchObject({ state: 'ok', value: 'late' });
  });

  test('by the caller goes through a cooperative time-out', async () => {
    const { clock, runtime } = world();
    const patient = timeout({ after: 100, mode: 'cooperative', runtime });
    const controller = new AbortController();
    const call = watch(patient.run(() => new Promise(() => {}), { signal: controller.signal }));
    await clock.advance(200);
    expect(call.state).toBe('pending');
    controller.abort();
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: controller.signal.reason });
  });

  test('an abort from inside the work, before it returns, settles with the reason', async () => {
    const { clock, runtime } = world();
    const controller = new AbortController();
    const reason = new Error('from within');
    const call = watch(
      retry({ runtime }).run(
        () => {
          controller.abort(reason);
          return new Promise(() => {});
        },
        { signal: controller.signal },
      ),
    );
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: reason });
  });

  test('while queued for another attempt names the last failure as the cause', async () => {
    const { clock, runtime } = world();
    const limit = bulkhead({ limit: 1, queue: 1, runtime });
    const users = pipeline(
      'users',
      timeout({ after: 100, runtime }),
      retry({ runtime, baseDelay: 10, jitter: 'none' }),
      limit,
    );
    const call = watch(users.run(() => Promise.reject(refused())));
    await clock.settle();
    void limit.run(() => new Promise(() => {}));
    await clock.advance(100);
    expect(call).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT', cause: { code: 'ECONNREFUSED' } } });
    expect(limit.core.waiting).toBe(0);
  });
});

function fail(message: string): never {
  throw new Error(message);
}
