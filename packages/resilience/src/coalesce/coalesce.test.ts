import { describe, expect, test } from 'vitest';
import { pipeline } from '../pipeline/pipeline.ts';
import { retry } from '../retry/retry.ts';
import { Deferred, failure, refused, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { coalesce } from './coalesce.ts';

function setUp() {
  const clock = new VirtualPlatform();
  const shared = coalesce({ runtime: clock.runtime });
  const works: Deferred<string>[] = [];
  const signals: AbortSignal[] = [];
  const work = ({ signal }: { signal: AbortSignal }) => {
    works.push(new Deferred());
    signals.push(signal);
    return (works.at(-1) as Deferred<string>).promise;
  };
  return { clock, shared, works, signals, work };
}

describe('coalescing', () => {
  test('callers who ask for the same key at the same time share one call', async () => {
    const { clock, shared, works, work } = setUp();
    const calls = ['a', 'a', 'b', 'a'].map((key) => watch(shared.run(work, { key })));
    await clock.settle();
    expect(works).toHaveLength(2);
    works[0]?.resolve('ann');
    works[1]?.resolve('bob');
    await clock.settle();
    expect(calls.map((call) => call.value)).toEqual(['ann', 'ann', 'bob', 'ann']);
    expect(shared.inspect()).toEqual({ flights: 0, joined: 2 });
    watch(shared.run(work, { key: 'a' }));
    await clock.settle();
    expect(works).toHaveLength(3);
  });

  test('they share its failure too', async () => {
    const { clock, shared, works, work } = setUp();
    const calls = [1, 2].map(() => watch(shared.run(work, { key: 'a' })));
    await clock.settle();
    works[0]?.reject(failure());
    await clock.settle();
    expect(calls.map((call) => call.state)).toEqual(['failed', 'failed']);
  });

  test('the one who was first may leave: the others still get the answer', async () => {
    const { clock, shared, works, signals, work } = setUp();
    const controller = new AbortController();
    const first = watch(shared.run(work, { key: 'a', signal: controller.signal }));
    const second = watch(shared.run(work, { key: 'a' }));
    await clock.settle();
    controller.abort(new Error('left'));
    await clock.settle();
    expect(first).toMatchObject({ state: 'failed', error: { message: 'left' } });
    expect(signals[0]?.aborted).toBe(false);
    works[0]?.resolve('ann');
    await clock.settle();
    expect(second).toMatchObject({ state: 'ok', value: 'ann' });
  });

  test('the work is stopped when all have left, and whoever asks then begins anew', async () => {
    const { clock, shared, works, signals, work } = setUp();
    const controllers = [new AbortController(), new AbortController()];
    for (const { signal } of controllers) watch(shared.run(work, { key: 'a', signal }));
    await clock.settle();
    for (const controller of controllers) controller.abort();
    expect(signals[0]?.aborted).toBe(true);
    const late = watch(shared.run(work, { key: 'a' }));
    await clock.settle();
    expect(works).toHaveLength(2);
    works[1]?.resolve('ann');
    await clock.settle();
    expect(late).toMatchObject({ state: 'ok', value: 'ann' });
  });

  test('one set of retries serves all', async () => {
    const { clock, shared } = setUp();
    const users = pipeline('users', shared, retry({ runtime: clock.runtime, baseDelay: 10 }));
    let calls = 0;
    const work = () => {
      if (++calls < 3) throw refused();
      return calls;
    };
    const both = [1, 2].map(() => watch(users.run(work, { key: 'a' })));
    await clock.advance(1_000);
    expect(both.map((call) => call.value)).toEqual([3, 3]);
    expect(users.counters()).toMatchObject({ calls: 2, coalesced: 1, retries: 2 });
  });
});
