import { describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../../base/bytes.ts';
import { RAFT_RULES, type RaftRules } from '../../consensus/raft/index.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import { SimulatedCluster } from './cluster.ts';

const put = (value: string) => ({ type: 'put', key: utf8('k'), value: utf8(value) }) as const;

/** Lets only `electable` become leader; only `follower` gets its entries. */
function steer(cluster: SimulatedCluster, electable: number, followers: readonly number[]): void {
  cluster.filter = (from, to, message: RaftMessage) => {
    if (message.type === 'requestVote' && from !== electable) return 'drop';
    const appends = message.type === 'append' && message.entries.length > 0;
    return appends && !followers.includes(to) ? 'drop' : 'deliver';
  };
}

function elect(cluster: SimulatedCluster, member: number, followers: readonly number[]): void {
  steer(cluster, member, followers);
  const leads = (): boolean => cluster.member(member).status()?.role === 'leader';
  expect(cluster.runUntil(leads, 3_000_000), `member ${member} is elected`).toBe(true);
}

/** An old leader's longer log of an earlier term against a shorter one that holds what was committed. */
function bringBackOldLeader(rules: RaftRules): SimulatedCluster {
  const cluster = new SimulatedCluster({ seed: 1, members: 3, rules });
  cluster.runUntil(() => cluster.status().every((status) => status?.phase === 'running'), 1_000_000);
  elect(cluster, 1, [2, 3]);
  cluster.run(100_000);
  steer(cluster, 1, []);
  for (let i = 0; i < 8; i++) cluster.propose(1, put(`lost ${i}`));
  cluster.run(5_000);
  cluster.crash(1);
  elect(cluster, 2, [1, 3]);
  const id = cluster.propose(2, put('kept'));
  expect(cluster.runUntil(() => cluster.outcome(id).type === 'applied', 1_000_000)).toBe(true);
  cluster.crash(2);
  cluster.restart(1);
  steer(cluster, 1, [2, 3]);
  cluster.run(2_000_000);
  cluster.filter = null;
  cluster.restart(2);
  cluster.run(2_000_000);
  return cluster;
}

describe('a leader that comes back with a longer log of an earlier term', () => {
  it('R3: is not elected over a log with a later term', () => {
    const cluster = bringBackOldLeader(RAFT_RULES);
    const states = cluster.ids.map((id) => cluster.member(id).stateBytes() ?? utf8(''));
    expect(states.every((state) => equalBytes(state, states[0] as Uint8Array))).toBe(true);
  });

  it('R3: is caught when a voter compares indexes only', () => {
    const rules: RaftRules = { ...RAFT_RULES, isUpToDate: (candidate, voter) => candidate.index >= voter.index };
    expect(() => bringBackOldLeader(rules)).toThrow(/Leader Completeness|State Machine Safety/);
  });
});

/** The paper's Figure 8: entry X of an earlier term reaches a majority, then a log with a later term wins. */
function figure8(rules: RaftRules): SimulatedCluster {
  const cluster = new SimulatedCluster({ seed: 1, members: 5, rules });
  cluster.runUntil(() => cluster.status().every((status) => status?.phase === 'running'), 1_000_000);
  elect(cluster, 1, [2, 3, 4, 5]);
  cluster.run(100_000);
  // (a) X reaches member 2 alone. It fills a message, so that nothing travels with it in (c).
  steer(cluster, 1, [2]);
  cluster.propose(1, put('x'.repeat(1 << 20)));
  cluster.run(20_000);
  cluster.crash(1);
  // (b) Member 5 opens a later term, and no one else gets its entry.
  elect(cluster, 5, []);
  cluster.run(20_000);
  cluster.crash(5);
  // (c) Member 1 leads again, and brings X, but nothing of its new term, to member 3.
  cluster.restart(1);
  elect(cluster, 1, []);
  cluster.filter = (_, to, message) => {
    if (message.type === 'requestVote') return 'drop';
    if (message.type !== 'append' || message.entries.length === 0) return 'deliver';
    // Member 2 may have all: two of five are no majority. To member 3 only X, and the probe that it rejects.
    const rejected = message.previousIndex > (cluster.member(3).status()?.lastIndex ?? 0);
    const old = message.entries.every((entry) => entry.term < message.term);
    return to === 2 || (to === 3 && (rejected || old)) ? 'deliver' : 'drop';
  };
  cluster.run(80_000);
  expect([1, 2, 3].map((id) => cluster.member(id).status()?.lastIndex)).toEqual([3, 3, 2]);
  cluster.crash(1);
  // (d) Member 5 wins with its later term, and its log replaces X.
  cluster.restart(5);
  elect(cluster, 5, [3, 4]);
  cluster.run(200_000);
  return cluster;
}

describe('Figure 8', () => {
  it('R1: an entry of an earlier term on a majority is not committed, so replacing it breaks no promise', () => {
    expect(() => figure8(RAFT_RULES)).not.toThrow();
  });

  it('R1: is caught when a leader commits it by counting', () => {
    expect(() => figure8({ ...RAFT_RULES, mayCommit: () => true })).toThrow(/Leader Completeness|State Machine Safety/);
  });
});
