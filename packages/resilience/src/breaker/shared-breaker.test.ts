import { describe, expect, test } from 'vitest';
import { MemoryVotes } from '../testing/memory-votes.ts';
import { failure, VirtualPlatform } from '../testing/support.test-support.ts';
import { type SharedBreaker, sharedBreaker } from './shared-breaker.ts';

function fleet(size: number, quorum: number) {
  const clock = new VirtualPlatform();
  const votes = new MemoryVotes(clock);
  const breakers = Array.from({ length: size }, (_, index) =>
    sharedBreaker({
      consecutiveFailures: 1,
      openFor: '10s',
      jitter: 0,
      runtime: clock.runtime,
      votes,
      target: 'users',
      observer: `client ${index}`,
      quorum,
    }),
  );
  const states = () => breakers.map((each) => each.state.state);
  const fail = async (index: number) => {
    await (breakers[index] as SharedBreaker).tryRun(() => Promise.reject(failure()));
    await clock.settle();
  };
  return { clock, votes, breakers, states, fail };
}

describe('a shared breaker', () => {
  test('one bad client opens its own and poisons no one', async () => {
    const { clock, states, fail } = fleet(4, 2);
    for (let round = 0; round < 5; round++) {
      await fail(0);
      expect(states()).toEqual(['open', 'closed', 'closed', 'closed']);
      await clock.advance(100_000);
    }
  });

  test('a quorum opens it for everybody', async () => {
    const { states, fail } = fleet(4, 2);
    await fail(0);
    await fail(1);
    expect(states()).toEqual(['open', 'open', 'open', 'open']);
  });

  test('it stays open for as long as a quorum stands, not as long as one voter wants', async () => {
    const { clock, breakers, fail } = fleet(3, 2);
    await fail(0);
    await clock.advance(6_000);
    await fail(1);
    expect(breakers[2]?.state.retryAfterMs).toBe(4_000);
  });

  test('after it has recovered here, old votes do not open it again, and new ones do', async () => {
    const { clock, votes, breakers, states, fail } = fleet(3, 2);
    await fail(0);
    await fail(1);
    await clock.advance(10_000);
    await breakers[2]?.run(() => 1);
    expect(states()[2]).toBe('closed');
    votes.repeat('users');
    expect(states()[2]).toBe('closed');
    await fail(0);
    await fail(1);
    expect(states()[2]).toBe('open');
  });

  test('an observer that was started anew is heard again', async () => {
    const { clock, votes, breakers, states, fail } = fleet(3, 2);
    for (let round = 0; round < 3; round++) {
      await fail(0);
      await fail(1);
      await clock.advance(100_000);
      await breakers[2]?.run(() => 1);
    }
    expect(states()[2]).toBe('closed');
    const vote = { observer: 'client 0', sequence: 1, forMs: 10_000 };
    await votes.cast('users', vote);
    await votes.cast('users', { ...vote, observer: 'client 1' });
    expect(states()[2]).toBe('open');
  });

  test('tells its listeners when to come back, also when others opened it', async () => {
    const { breakers, fail } = fleet(3, 2);
    const after: number[] = [];
    breakers[2]?.subscribe(() => after.push(breakers[2]?.state.retryAfterMs ?? -1));
    await fail(0);
    await fail(1);
    expect(after).toEqual([10_000]);
  });

  test('is a local breaker while the store cannot be reached', async () => {
    const { clock, votes, breakers, states, fail } = fleet(3, 2);
    votes.reachable = false;
    await fail(0);
    await fail(1);
    expect(states()).toEqual(['open', 'open', 'closed']);
    expect(breakers[0]?.storeFailures).toBe(1);
    await clock.advance(10_000);
    await breakers[0]?.run(() => 1);
    expect(states()[0]).toBe('closed');
  });

  test('a recovery takes the vote back', async () => {
    const { clock, breakers, states, fail } = fleet(3, 2);
    await fail(0);
    await clock.advance(10_000);
    await breakers[0]?.run(() => 1);
    await fail(1);
    expect(states()).toEqual(['closed', 'open', 'closed']);
  });

  test('listens no more once disposed of', async () => {
    const { breakers, states, fail } = fleet(3, 2);
    breakers[2]?.[Symbol.dispose]();
    await fail(0);
    await fail(1);
    expect(states()).toEqual(['open', 'open', 'closed']);
  });
});
