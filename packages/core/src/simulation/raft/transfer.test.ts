import { describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../../base/bytes.ts';
import { CALM } from '../world/network.ts';
import { SimulatedCluster } from './cluster.ts';

const put = (key: string, bytes = 1) => ({ type: 'put', key: utf8(key), value: new Uint8Array(bytes) }) as const;

function led(seed: number): { cluster: SimulatedCluster; leader: number; other: number } {
  const cluster = new SimulatedCluster({ seed, members: 3 });
  cluster.run(1_000_000);
  const leader = cluster.leader();
  expect(leader, `seed ${seed}`).not.toBe(0);
  return { cluster, leader, other: cluster.ids.find((id) => id !== leader) as number };
}

describe('leadership transfer', () => {
  it('R22: while writes go on, moves leadership, and every write is applied', () => {
    for (const seed of [1, 2, 3, 4]) {
      const { cluster, leader, other } = led(seed);
      const ids: number[] = [];
      for (let i = 0; i < 60; i++) {
        ids.push(cluster.propose((i % 3) + 1, put(`${i}`)));
        if (i === 20) cluster.transferLeadership(leader, other);
        cluster.run(1_000);
      }
      cluster.run(1_000_000);
      expect(cluster.leader(), `seed ${seed}`).toBe(other);
      const outcomes = ids.map((id) => cluster.outcome(id).type);
      expect(
        outcomes.filter((type) => type !== 'applied'),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  it('R22: to a member that cannot be reached is given up, and writes that waited are applied', () => {
    for (const seed of [1, 2, 3, 4]) {
      const { cluster, leader, other } = led(seed);
      cluster.partition(
        [other],
        cluster.ids.filter((id) => id !== other),
      );
      const before = cluster.propose(leader, put('before'));
      cluster.run(20_000);
      expect(cluster.outcome(before).type, `seed ${seed}`).toBe('applied');
      cluster.transferLeadership(leader, other);
      const waits = cluster.propose(leader, put('waits'));
      cluster.run(400_000);
      expect(cluster.leader(), `seed ${seed}`).toBe(leader);
      expect(cluster.outcome(waits).type, `seed ${seed}`).toBe('applied');
    }
  });

  it('R22: to a member that lags happens only once it holds all', () => {
    const { cluster, leader, other } = led(5);
    cluster.partition(
      [other],
      cluster.ids.filter((id) => id !== other),
    );
    for (let i = 0; i < 50; i++) cluster.propose(leader, put(`${i}`));
    cluster.run(50_000);
    const last = cluster.member(leader).status()?.lastIndex ?? 0;
    cluster.heal();
    let early = false;
    cluster.filter = (_, to, message) => {
      if (message.type === 'timeoutNow' && (cluster.member(to).status()?.lastIndex ?? 0) < last) early = true;
      return 'deliver';
    };
    cluster.transferLeadership(leader, other);
    cluster.run(1_000_000);
    expect(early).toBe(false);
    expect(cluster.leader()).toBe(other);
  });
});

describe('a snapshot of several chunks', () => {
  it.each([1, 2, 3])(
    'is installed whole under loss and duplication, with a leader change in the middle (seed %i)',
    (seed) => {
      const cluster = new SimulatedCluster({ seed, members: 3, snapshotEntries: 20, trailingEntries: 2 });
      cluster.run(1_000_000);
      const leader = cluster.leader();
      const behind = cluster.ids.find((id) => id !== leader) as number;
      cluster.crash(behind);
      for (let i = 0; i < 25; i++) {
        cluster.propose(leader, put(`${i}`, 60_000));
        cluster.run(20_000);
      }
      cluster.setWeather({
        ...CALM,
        lossPerMillion: 100_000,
        duplicatePerMillion: 100_000,
        spikePerMillion: 50_000,
        spikeUs: 20_000,
      });
      const chunks = new Set<number>();
      cluster.filter = (_, to, message) => {
        if (to === behind && message.type === 'snapshotChunk') chunks.add(message.offset);
        return 'deliver';
      };
      cluster.restart(behind);
      expect(cluster.runUntil(() => chunks.size >= 2, 2_000_000)).toBe(true);
      expect(cluster.invariants.snapshotsInstalled).toBe(0);
      const current = cluster.leader();
      cluster.crash(current);
      cluster.run(50_000);
      cluster.restart(current);
      const caughtUp = (): boolean => {
        const index = cluster.invariants.appliedIndex;
        return cluster.status().every((status) => status?.appliedIndex === index);
      };
      expect(cluster.runUntil(() => cluster.invariants.snapshotsInstalled > 0 && caughtUp(), 20_000_000)).toBe(true);
      expect(chunks.size).toBeGreaterThan(4);
      const states = cluster.ids.map((id) => cluster.member(id).stateBytes() as Uint8Array);
      expect(states.every((state) => equalBytes(state, states[0] as Uint8Array))).toBe(true);
    },
  );
});
