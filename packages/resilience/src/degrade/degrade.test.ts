import { describe, expect, test } from 'vitest';
import { isTransient } from '../base/classify.ts';
import { breaker } from '../breaker/breaker.ts';
import { pipeline } from '../pipeline/pipeline.ts';
import { Deferred, failure, status, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import { fallback } from './fallback.ts';
import { staleCache } from './stale-cache.ts';

describe('a fallback', () => {
  test('answers with something lesser, marked so in the outcome', async () => {
    const { runtime } = new VirtualPlatform();
    const users = fallback(() => 'anonymous', { runtime });
    expect(await users.tryRun(() => Promise.reject(failure()))).toEqual({
      ok: true,
      value: 'anonymous',
      degraded: 'fallback',
    });
    expect(await users.run(() => Promise.reject(failure()))).toBe('anonymous');
    expect(await users.tryRun(() => 'ann')).toEqual({ ok: true, value: 'ann' });
    expect(users.inspect()).toEqual({ used: 2 });
  });

  test('may take its time, and may fail', async () => {
    const { runtime } = new VirtualPlatform();
    const slow = fallback(async (outcome) => (outcome.ok ? 'never' : 'later'), { runtime });
    expect(await slow.tryRun(() => Promise.reject(failure()))).toMatchObject({ value: 'later', degraded: 'fallback' });
    const broken = fallback(() => Promise.reject(new Error('no copy either')), { runtime });
    await expect(broken.run(() => Promise.reject(failure()))).rejects.toThrow('no copy either');
    const thrown = fallback(
      () => {
        throw new Error('at once');
      },
      { runtime },
    );
    expect(await thrown.tryRun(() => Promise.reject(failure()))).toMatchObject({ ok: false });
  });

  test('takes over from an open breaker and from a time-out', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const guard = breaker({ consecutiveFailures: 1, runtime });
    const users = pipeline(
      'users',
      fallback(() => null, { runtime }),
      guard,
      timeout({ after: 100, runtime }),
    );
    const call = watch(users.run(() => new Promise<string>(() => {})));
    await clock.advance(100);
    expect(call).toMatchObject({ state: 'ok', value: null });
    expect(guard.state.state).toBe('open');
    expect(await users.tryRun(() => 'x')).toEqual({ ok: true, value: null, degraded: 'fallback' });
    expect(users.counters()).toMatchObject({ degraded: 2, succeeded: 2, failed: 0 });
  });

  test('P14: does not answer a caller who has left', async () => {
    const clock = new VirtualPlatform();
    const controller = new AbortController();
    const users = fallback(() => 'late', { runtime: clock.runtime });
    const call = watch(users.run(() => new Promise(() => {}), { signal: controller.signal }));
    await clock.settle();
    controller.abort(failure());
    await clock.settle();
    expect(call.state).toBe('failed');
  });

  test('P14: an abort while the fallback takes its time settles at once', async () => {
    const clock = new VirtualPlatform();
    const controller = new AbortController();
    const copy = new Deferred<string>();
    const users = fallback(() => copy.promise, { runtime: clock.runtime });
    const call = watch(users.run(() => Promise.reject(failure()), { signal: controller.signal }));
    await clock.settle();
    expect(call.state).toBe('pending');
    controller.abort(new Error('left'));
    await clock.settle();
    expect(call).toMatchObject({ state: 'failed', error: { message: 'left' } });
  });

  test('does not hide programming errors and client errors, unless told', async () => {
    const { runtime } = new VirtualPlatform();
    const users = fallback(() => 0, { runtime });
    const bug = new TypeError('x is undefined');
    await expect(users.run(() => Promise.reject(bug))).rejects.toBe(bug);
    await expect(users.run(() => Promise.reject(status(404)))).rejects.toMatchObject({ status: 404 });
    const all = fallback(() => 0, { runtime, on: (outcome) => !outcome.ok });
    expect(await all.run(() => Promise.reject(bug))).toBe(0);
  });

  test('P7: can replace a returned value', async () => {
    const { runtime } = new VirtualPlatform();
    const users = fallback(() => ({ status: 200 }), { runtime, on: isTransient });
    expect(await users.tryRun(() => ({ status: 503 }))).toMatchObject({ value: { status: 200 }, degraded: 'fallback' });
  });
});

describe('a stale cache', () => {
  test('answers a failed call with the last good answer under its key, marked as stale', async () => {
    const { runtime } = new VirtualPlatform();
    const users = staleCache({ runtime });
    expect(await users.tryRun(() => 'ann', { key: 'a' })).toEqual({ ok: true, value: 'ann' });
    expect(await users.tryRun(() => Promise.reject(failure()), { key: 'a' })).toEqual({
      ok: true,
      value: 'ann',
      degraded: 'stale',
    });
    expect(await users.tryRun(() => Promise.reject(failure()), { key: 'b' })).toMatchObject({ ok: false });
  });

  test('knows no answer that is too old', async () => {
    const clock = new VirtualPlatform();
    const users = staleCache({ runtime: clock.runtime, maxAge: '1m' });
    await users.run(() => 'ann', { key: 'a' });
    await clock.advance(60_000);
    expect(await users.tryRun(() => Promise.reject(failure()), { key: 'a' })).toMatchObject({ ok: true });
    await clock.advance(1);
    expect(await users.tryRun(() => Promise.reject(failure()), { key: 'a' })).toMatchObject({ ok: false });
  });

  test('P23: keeps so many and no more, the last stored', async () => {
    const { runtime } = new VirtualPlatform();
    const users = staleCache({ runtime, maxEntries: 3 });
    for (const key of ['a', 'b', 'c', 'a', 'd']) await users.run(() => key, { key });
    const known = async (key: string) => (await users.tryRun(() => Promise.reject(failure()), { key })).ok;
    expect(await Promise.all(['a', 'b', 'c', 'd'].map(known))).toEqual([true, false, true, true]);
    expect(users.inspect()).toMatchObject({ entries: 3 });
  });

  test('does not hide a client error: the answer has changed, the target is well', async () => {
    const { runtime } = new VirtualPlatform();
    const users = staleCache({ runtime });
    await users.run(() => 'ann', { key: 'a' });
    expect(await users.tryRun(() => Promise.reject(status(404)), { key: 'a' })).toMatchObject({ ok: false });
  });

  test('does not keep what a fallback further in made up', async () => {
    const { runtime } = new VirtualPlatform();
    const users = pipeline(
      'users',
      staleCache({ runtime }),
      fallback(() => 'nobody', { runtime }),
    );
    await users.run(() => Promise.reject(failure()), { key: 'a' });
    expect(await users.tryRun(() => Promise.reject(new TypeError('bug')), { key: 'a' })).toMatchObject({ ok: false });
  });
});
