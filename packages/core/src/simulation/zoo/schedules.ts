/** Schedules by hand, for mistakes that chance seldom meets. Each throws a Violation when its promise is broken. */
import { utf8 } from '../../base/bytes.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import { SimulatedCluster } from '../raft/cluster.ts';
import type { Sabotage } from '../raft/sabotage.ts';
import { Violation } from '../violation.ts';

/** A cluster with the mistake switched on. */
export type Schedule = (sabotage: Sabotage, seed: number) => void;

const put = (value: string) => ({ type: 'put', key: utf8('k'), value: utf8(value) }) as const;

function newCluster(members: number, sabotage: Sabotage, seed: number, initial = members): SimulatedCluster {
  const cluster = new SimulatedCluster({ seed, members, sabotage, initial });
  cluster.runUntil(() => cluster.status().every((status) => status?.registered === true), 3_000_000);
  return cluster;
}

/** Lets only `electable` become leader; only `followers` get its entries. */
function steer(cluster: SimulatedCluster, electable: number, followers: readonly number[]): void {
  cluster.filter = (from, to, message: RaftMessage) => {
    if (message.type === 'requestVote' && from !== electable) return 'drop';
    const appends = message.type === 'append' && message.entries.length > 0;
    return appends && !followers.includes(to) ? 'drop' : 'deliver';
  };
}

/** False: it cannot be elected, as it should not be in some of these schedules. */
function elect(cluster: SimulatedCluster, member: number, followers: readonly number[]): boolean {
  steer(cluster, member, followers);
  return cluster.runUntil(() => cluster.member(member).status()?.role === 'leader', 3_000_000);
}

/** The paper's Figure 8: entry X of an earlier term reaches a majority, then a log with a later term wins. */
export const figure8: Schedule = (sabotage, seed) => {
  const cluster = newCluster(5, sabotage, seed);
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
  cluster.crash(1);
  // (d) Member 5 wins with its later term, and its log replaces X.
  cluster.restart(5);
  elect(cluster, 5, [3, 4]);
  cluster.run(200_000);
};

/** An old leader's longer log of an earlier term against a shorter one that holds what was committed. */
export const oldLeaderReturns: Schedule = (sabotage, seed) => {
  const cluster = newCluster(3, sabotage, seed);
  elect(cluster, 1, [2, 3]);
  cluster.run(100_000);
  steer(cluster, 1, []);
  for (let i = 0; i < 8; i++) cluster.propose(1, put(`lost ${i}`));
  cluster.run(5_000);
  cluster.crash(1);
  elect(cluster, 2, [1, 3]);
  const kept = cluster.propose(2, put('kept'));
  cluster.runUntil(() => cluster.outcome(kept).type === 'applied', 1_000_000);
  cluster.crash(2);
  cluster.restart(1);
  steer(cluster, 1, [2, 3]);
  cluster.run(2_000_000);
  cluster.filter = null;
  cluster.restart(2);
  cluster.run(2_000_000);
};

/** Two members stand for one term; one of them is heard by one voter only, whose answer comes twice (R4). */
export const duplicatedVotes: Schedule = (sabotage, seed) => {
  const cluster = newCluster(5, sabotage, seed);
  elect(cluster, 1, [2, 3, 4, 5]);
  cluster.run(200_000);
  // Members 2 and 4 may stand; member 3 hears member 2 alone, members 1 and 5 hear member 4 alone.
  const voters = new Map([
    [2, [3]],
    [4, [1, 5]],
  ]);
  cluster.filter = (from, to, message) => {
    if (message.type === 'requestVote') {
      const stands = voters.get(from)?.includes(to) ?? false;
      return stands || (message.preVote && voters.has(from) && to !== 2 && to !== 4) ? 'deliver' : 'drop';
    }
    if (message.type !== 'voteReply') return 'drop';
    return from === 3 && to === 2 && !message.preVote ? 'hold' : message.preVote || to !== 2 ? 'deliver' : 'drop';
  };
  cluster.crash(1);
  cluster.restart(1);
  for (let i = 0; i < 100; i++) {
    cluster.run(10_000);
    // What the network held comes twice.
    cluster.releaseHeld(2);
  }
};

/** An answer to a candidate of an earlier term comes when it stands again (R4). */
export const lateVotes: Schedule = (sabotage, seed) => {
  const cluster = newCluster(5, sabotage, seed);
  elect(cluster, 1, [2, 3, 4, 5]);
  cluster.run(200_000);
  cluster.crash(1);
  // Member 2 stands once; every vote for it is held back.
  cluster.filter = (from, to, message) => {
    if (message.type === 'requestVote') return from === 2 ? 'deliver' : 'drop';
    return message.type === 'voteReply' && !message.preVote && to === 2 ? 'hold' : 'deliver';
  };
  cluster.runUntil(() => cluster.network.heldCount >= 3, 2_000_000);
  // It stands again, and nobody hears of it; meanwhile member 3 is elected in that term by the others.
  cluster.filter = (from, to, message) => {
    const asks = message.type === 'requestVote';
    if (asks && from === 2) return message.preVote ? 'deliver' : 'drop';
    if (asks) return from === 3 && to !== 2 ? 'deliver' : 'drop';
    return from === 3 && to === 2 ? 'drop' : 'deliver';
  };
  for (let i = 0; i < 30; i++) {
    cluster.run(50_000);
    if (cluster.member(3).status()?.role !== 'leader' || cluster.member(2).status()?.role !== 'candidate') continue;
    if (cluster.member(2).status()?.term === cluster.member(3).status()?.term) break;
  }
  cluster.releaseHeld();
  cluster.run(20_000);
};

/** A member that was cut off for long comes back to a healthy cluster, whose leader and term should stay (R12). */
export const longAbsence: Schedule = (sabotage, seed) => {
  const cluster = newCluster(5, sabotage, seed);
  cluster.runUntil(() => cluster.leader() !== 0, 3_000_000);
  cluster.run(500_000);
  const leader = cluster.leader();
  const term = cluster.member(leader).status()?.term ?? 0;
  const absent = cluster.ids.find((id) => id !== leader) ?? 0;
  cluster.partition(
    [absent],
    cluster.ids.filter((id) => id !== absent),
  );
  cluster.run(3_000_000);
  cluster.heal();
  cluster.run(1_000_000);
  const now = cluster.member(cluster.leader()).status()?.term ?? 0;
  if (cluster.leader() === leader && now === term) return;
  const sentence = `member ${absent} came back after 3 s, and the term rose from ${term} to ${now} though the leader was well`;
  throw new Violation('Stability', sentence, cluster.nowUs);
};

/** A leader that is heard by all and hears nobody must make way, for it can commit nothing (R11). */
export const deafLeader: Schedule = (sabotage, seed) => {
  const cluster = newCluster(5, sabotage, seed);
  cluster.runUntil(() => cluster.leader() !== 0, 3_000_000);
  cluster.run(500_000);
  const deaf = cluster.leader();
  for (const id of cluster.ids) if (id !== deaf) cluster.blockOneWay(id, deaf);
  const asked = cluster.ids.find((id) => id !== deaf) ?? 0;
  let id = cluster.propose(asked, put('through'));
  const accepted = (): boolean => {
    const { type } = cluster.outcome(id);
    if (type === 'rejected') id = cluster.propose(asked, put('through'));
    return type === 'applied';
  };
  if (cluster.runUntil(accepted, 5_000_000)) return;
  const sentence = `no write succeeded within 5 s, though only member ${deaf}, which leads, hears nobody`;
  throw new Violation('Availability', sentence, cluster.nowUs);
};

/**
 * Two of three old voters are cut off together, while the third exchanges both of them for two learners. Of all five the
 * three are a majority; of the old three they are not.
 */
export const exchangeBehindAPartition: Schedule = (sabotage, seed) => {
  const cluster = newCluster(5, sabotage, seed, 3);
  elect(cluster, 1, [2, 3, 4, 5]);
  cluster.run(100_000);
  for (const learner of ['add 4', 'add 5']) {
    cluster.changeMembership(1, learner);
    cluster.run(100_000);
  }
  cluster.partition([1, 4, 5], [2, 3]);
  cluster.changeMembership(1, 'promote 4', 'promote 5', 'remove 2', 'remove 3');
  cluster.run(60_000);
  cluster.filter = null;
  cluster.run(1_000_000);
};

/** Of two, the leader removes itself; it dies when it alone has the entry that leaves the joint configuration. */
export const lastVoterDies: Schedule = (sabotage, seed) => {
  const cluster = newCluster(2, sabotage, seed, 2);
  elect(cluster, 1, [2]);
  cluster.run(100_000);
  cluster.filter = (_, to, message) => {
    const joint = cluster.member(1).status()?.configuration.joint === true;
    return to === 2 && message.type === 'append' && message.entries.length > 0 && !joint ? 'drop' : 'deliver';
  };
  cluster.changeMembership(1, 'remove 1');
  cluster.runUntil(() => cluster.member(1).status()?.configuration.members.length === 1, 1_000_000);
  cluster.run(5_000);
  cluster.crash(1);
  cluster.filter = null;
  cluster.restart(1);
  if (cluster.runUntil(() => cluster.member(2).status()?.role === 'leader', 5_000_000)) return;
  const sentence = 'member 1 has left, member 2 has stayed alone, and nobody leads';
  throw new Violation('Liveness', sentence, cluster.nowUs);
};
