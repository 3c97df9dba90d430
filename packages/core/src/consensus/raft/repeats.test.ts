import { expect, it } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { SimulatedCluster } from '../../simulation/index.ts';

it('R27 RI14: a proposal that is forwarded three times is in the log three times and happens once', () => {
  const cluster = new SimulatedCluster({ seed: 27, members: 3 });
  expect(cluster.runUntil(() => cluster.leader() !== 0, 2_000_000)).toBe(true);
  cluster.run(100_000);
  const leader = cluster.leader();
  const follower = leader === 1 ? 2 : 1;
  const put = (value: string): void => {
    const id = cluster.propose(follower, { type: 'put', key: utf8('k'), value: utf8(value) });
    expect(cluster.runUntil(() => cluster.outcome(id).type === 'applied', 2_000_000)).toBe(true);
  };
  let held = 0;
  cluster.filter = (_from, _to, message) => (message.type === 'forward' && held++ === 0 ? 'hold' : 'deliver');
  put('A');
  put('B');
  const commitIndex = () => cluster.status()[leader - 1]?.commitIndex ?? 0;
  const before = commitIndex();
  expect(cluster.releaseHeld(2)).toBe(1);
  cluster.run(100_000);
  // Both late copies are committed entries: only the session table stands between them and the key.
  expect(commitIndex() - before).toBe(2);
  const read = cluster.read(follower, { type: 'range', key: utf8('k') });
  expect(cluster.runUntil(() => cluster.outcome(read).type === 'answer', 2_000_000)).toBe(true);
  const outcome = cluster.outcome(read);
  if (outcome.type !== 'answer' || outcome.answer.type !== 'ok' || outcome.answer.response.type !== 'range') {
    throw new Error('the read has no answer');
  }
  const [kv] = outcome.answer.response.kvs;
  expect([text(kv?.value ?? utf8('')), kv?.version]).toEqual(['B', 2]);
});
