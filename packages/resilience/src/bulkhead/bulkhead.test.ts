import { describe, expect, test } from 'vitest';
import { Deferred, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { type BulkheadOptions, bulkhead } from './bulkhead.ts';

function setUp(options: Omit<BulkheadOptions, 'runtime'>) {
  const clock = new VirtualPlatform();
  const limit = bulkhead({ ...options, runtime: clock.runtime });
  const works: Deferred<unknown>[] = [];
  const started: unknown[] = [];
  const start = (name: unknown, call: { priority?: number; signal?: AbortSignal } = {}) =>
    watch(
      limit.run(() => {
        const work = new Deferred<unknown>();
        works.push(work);
        started.push(name);
        return work.promise;
      }, call),
    );
  const finish = async () => {
    works.shift()?.resolve('done');
    await clock.settle();
  };
  return { clock, limit, start, started, finish };
}

describe('a bulkhead', () => {
  test('lets so many calls run at a time, so many wait, and refuses the rest at once', async () => {
    const { clock, limit, start, started, finish } = setUp({ limit: 2, queue: 1 });
    const calls = ['a', 'b', 'c', 'd'].map((name) => start(name));
    await clock.settle();
    expect(calls.map((call) => call.state)).toEqual(['pending', 'pending', 'pending', 'failed']);
    expect(calls[3]?.error).toMatchObject({ code: 'REJECTED' });
    expect(limit.inspect()).toEqual({ limit: 2, running: 2, waiting: 1 });
    await finish();
    expect(started).toEqual(['a', 'b', 'c']);
    await finish();
    await finish();
    expect(limit.inspect()).toEqual({ limit: 2, running: 0, waiting: 0 });
  });

  test('lets higher priority go first, and equals in their order', async () => {
    const { clock, start, started, finish } = setUp({ limit: 1, queue: 9 });
    start('running');
    start('low', { priority: -1 });
    start('first');
    start('high', { priority: 5 });
    start('second');
    await clock.settle();
    for (let call = 0; call < 5; call++) await finish();
    expect(started).toEqual(['running', 'high', 'first', 'second', 'low']);
  });

  test('a full queue puts out its last of lower priority for a newcomer of higher', async () => {
    const { clock, start } = setUp({ limit: 1, queue: 2 });
    start('running');
    const [first, last] = [start('first'), start('last')];
    const equal = start('equal');
    const urgent = start('urgent', { priority: 1 });
    await clock.settle();
    expect(first.state).toBe('pending');
    expect(last).toMatchObject({ state: 'failed', error: { code: 'REJECTED' } });
    expect(equal).toMatchObject({ state: 'failed', error: { code: 'REJECTED' } });
    expect(urgent.state).toBe('pending');
  });

  test('P21: a queued task that is aborted rejects and frees its place at once', async () => {
    const { clock, limit, start, started, finish } = setUp({ limit: 1, queue: 1 });
    start('running');
    const controller = new AbortController();
    const queued = start('queued', { signal: controller.signal });
    await clock.settle();
    controller.abort();
    expect(limit.core.waiting).toBe(0);
    const next = start('next');
    await clock.settle();
    expect(queued).toMatchObject({ state: 'failed', error: controller.signal.reason });
    expect(next.state).toBe('pending');
    await finish();
    expect(started).toEqual(['running', 'next']);
  });

  test('lets nobody wait longer than told', async () => {
    const { clock, limit, start } = setUp({ limit: 1, queue: 5, queueFor: '2s' });
    start('running');
    const queued = start('queued');
    await clock.advance(1_999);
    expect(queued.state).toBe('pending');
    await clock.advance(1);
    expect(queued).toMatchObject({ state: 'failed', error: { code: 'REJECTED' } });
    expect(limit.core.waiting).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('P15, P21: a caller who leaves in the moment in which it gets its slot gives it back, and makes no call', async () => {
    const { clock, limit, start, started } = setUp({ limit: 1, queue: 1 });
    start('running');
    const controller = new AbortController();
    const queued = start('queued', { signal: controller.signal });
    await clock.settle();
    // Somebody else gives the slot back, and the abort comes before the queued call goes on.
    limit.core.release();
    controller.abort();
    await clock.settle();
    expect(queued.state).toBe('failed');
    expect(started).toEqual(['running']);
    expect(limit.inspect()).toEqual({ limit: 1, running: 0, waiting: 0 });
  });
});
