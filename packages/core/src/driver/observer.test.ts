import { describe, expect, it } from 'vitest';
import { utf8 } from '../base/bytes.ts';
import type { RaftMessage } from '../consensus/raft/index.ts';
import { SimulatedCluster } from '../simulation/raft/cluster.ts';
import { generalRaft } from '../simulation/raft/general.ts';
import type { DriverObserver } from './observer.ts';

interface Seen {
  readonly member: number;
  readonly what: string;
  readonly value: number;
  readonly timeUs: number;
}

function recorder(seen: Seen[]): (member: number, nowUs: () => number) => DriverObserver<RaftMessage> {
  return (member, nowUs) => {
    const note = (what: string, value: number): void => void seen.push({ member, what, value, timeUs: nowUs() });
    return {
      onProposed: (id) => note('proposed', id),
      onMessage: (from) => note('message', from),
      onAppended: (index) => note('appended', index),
      onWriting: () => note('writing', 0),
      onDurable: () => note('durable', 0),
      onCommitted: (index) => note('committed', index),
      onApplying: () => note('applying', 0),
      onApplied: (index) => note('applied', index),
    };
  };
}

describe('an observer', () => {
  it('changes nothing: the same seeds give the same runs with one and without', () => {
    for (let seed = 1; seed <= 8; seed++) {
      const seen: Seen[] = [];
      const observed = generalRaft({ observer: recorder(seen) }).record(seed);
      expect(observed.hash, `seed ${seed}`).toBe(generalRaft().record(seed).hash);
      expect(seen.length).toBeGreaterThan(100);
    }
  });

  it('sees a proposal durable before it is applied, and committed before it is applied, at every member', () => {
    const seen: Seen[] = [];
    const cluster = new SimulatedCluster({ seed: 3, members: 3, observer: recorder(seen) });
    cluster.run(1_000_000);
    const leader = cluster.leader();
    seen.splice(0);
    const put = cluster.propose(leader, { type: 'put', key: utf8('k'), value: utf8('v') });
    cluster.run(200_000);
    expect(cluster.outcome(put).type).toBe('applied');
    const index = cluster.member(leader).status()?.lastIndex ?? 0;
    for (const member of [1, 2, 3]) {
      const mine = seen.filter((each) => each.member === member);
      const at = (what: string): number => mine.findIndex((each) => each.what === what && each.value === index);
      const durable = mine.findIndex((each, i) => each.what === 'durable' && i > at('appended'));
      expect(at('appended')).toBeGreaterThanOrEqual(0);
      expect(durable).toBeGreaterThan(at('appended'));
      expect(durable).toBeLessThan(at('applied'));
      expect(mine.slice(at('appended'), durable).map(({ what }) => what)).toContain('writing');
      expect(mine[at('applied') - 1]?.what).toBe('applying');
      expect(at('committed')).toBeGreaterThan(at('appended'));
      expect(at('committed')).toBeLessThan(at('applied'));
      expect(mine.filter((each) => each.what === 'proposed').length).toBe(member === leader ? 1 : 0);
      expect(mine.map((each) => each.timeUs)).toEqual(mine.map((each) => each.timeUs).sort((a, b) => a - b));
    }
  });
});
