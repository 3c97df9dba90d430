import { describe, expect, it } from 'vitest';
import { SimulatedCluster } from './cluster.ts';

function led(seed: number): { cluster: SimulatedCluster; leader: number; followers: number[] } {
  const cluster = new SimulatedCluster({ seed, members: 3 });
  cluster.run(1_000_000);
  const leader = cluster.leader();
  expect(leader, `seed ${seed}`).not.toBe(0);
  return { cluster, leader, followers: cluster.ids.filter((id) => id !== leader) };
}

describe('a hint that the leader has died', () => {
  it('has another one elected long before an election time-out, when it is right', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { cluster, leader, followers } = led(seed);
      cluster.crash(leader);
      for (const member of followers) cluster.control(member, { type: 'unreachable', peer: leader });
      cluster.run(ELECTION_TIMEOUT_US / 2);
      expect(followers, `seed ${seed}`).toContain(cluster.leader());
    }
  });

  it('R12: changes neither leader nor term when it is wrong and one member has it', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { cluster, leader, followers } = led(seed);
      const termBefore = cluster.status().find((status) => status?.role === 'leader')?.term;
      cluster.control(followers[0] as number, { type: 'unreachable', peer: leader });
      cluster.run(ELECTION_TIMEOUT_US * 3);
      expect(cluster.leader(), `seed ${seed}`).toBe(leader);
      expect(
        cluster.status().map((status) => status?.term),
        `seed ${seed}`,
      ).toEqual([termBefore, termBefore, termBefore]);
    }
  });
});

/** What the simulator's members wait at least. */
const ELECTION_TIMEOUT_US = 100_000;
