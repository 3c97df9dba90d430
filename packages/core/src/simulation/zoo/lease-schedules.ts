/** Schedules by hand against leases: a new leader acknowledges a write while the old one still believes to lead. */
import { utf8 } from '../../base/bytes.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import { SimulatedCluster } from '../raft/cluster.ts';
import type { Sabotage } from '../raft/sabotage.ts';
import { Violation } from '../violation.ts';
import type { Schedule } from './schedules.ts';

const KEY = utf8('k');
/** Followers wait at least so long for their leader: see QUICK. */
const ELECTION_US = 100_000;

/** Member 1 leads, with a lease, and has written "old". */
function leased(sabotage: Sabotage, seed: number): SimulatedCluster {
  const cluster = new SimulatedCluster({ seed, members: 3, leaseReads: true, sabotage });
  cluster.runUntil(() => cluster.status().every((status) => status?.registered === true), 3_000_000);
  cluster.filter = (from, _, message) => (message.type === 'requestVote' && from !== 1 ? 'drop' : 'deliver');
  cluster.runUntil(() => cluster.member(1).status()?.role === 'leader', 3_000_000);
  cluster.filter = null;
  cluster.propose(1, { type: 'put', key: KEY, value: utf8('old') });
  cluster.run(ELECTION_US);
  return cluster;
}

/** Member 2 leads and acknowledges "new"; a read at member 1 must not be answered with "old" any more. */
function readAfterWrite(cluster: SimulatedCluster): void {
  if (!cluster.runUntil(() => cluster.member(2).status()?.role === 'leader', ELECTION_US / 4)) return;
  const write = cluster.propose(2, { type: 'put', key: KEY, value: utf8('new') });
  if (!cluster.runUntil(() => cluster.outcome(write).type === 'applied', ELECTION_US / 4)) return;
  const read = cluster.read(1, { type: 'range', key: KEY });
  cluster.run(5_000);
  const outcome = cluster.outcome(read);
  if (outcome.type !== 'answer' || outcome.answer.type !== 'ok' || outcome.answer.response.type !== 'range') return;
  const [found] = outcome.answer.response.kvs;
  if (found === undefined || found.value.length !== 3 || found.value[0] !== utf8('o')[0]) return;
  throw new Violation(
    'Linearizability',
    'a read at member 1 gave "old" after member 2 had acknowledged "new"',
    cluster.nowUs,
  );
}

const asks = (message: RaftMessage): boolean => message.type === 'requestVote' && message.preVote;

/** Member 3 heard leader 1 a moment ago and starts again; member 2, cut off from the leader, asks for its vote. */
export const restartInsideALease: Schedule = (sabotage, seed) => {
  const cluster = leased(sabotage, seed);
  cluster.partition([1], [2]);
  let held = false;
  cluster.filter = (from, to, message) => {
    if (!asks(message) || from !== 2 || to !== 3) return 'deliver';
    held = true;
    return 'hold';
  };
  cluster.runUntil(() => held, 4 * ELECTION_US);
  cluster.crash(3);
  cluster.restart(3);
  cluster.partition([1], [3]);
  cluster.runUntil(() => (cluster.member(3).status()?.term ?? 0) > 0, ELECTION_US / 4);
  cluster.filter = null;
  cluster.releaseHeld();
  readAfterWrite(cluster);
};

/** Leader 1 asks member 2 to campaign, and is cut off before it hears of the election. */
export const transferInsideALease: Schedule = (sabotage, seed) => {
  const cluster = leased(sabotage, seed);
  cluster.filter = (_, to, message) => (message.type === 'requestVote' && to === 1 ? 'drop' : 'deliver');
  cluster.transferLeadership(1, 2);
  cluster.runUntil(() => cluster.member(2).status()?.role === 'candidate', ELECTION_US / 4);
  cluster.partition([1], [2, 3]);
  readAfterWrite(cluster);
};

/** The last answer that leader 1 gets from member 3 is under way so long that member 3 has lost patience meanwhile. */
export const lateAnswerRenewsALease: Schedule = (sabotage, seed) => {
  const cluster = leased(sabotage, seed);
  cluster.partition([1], [2]);
  cluster.run(10_000);
  cluster.filter = (from, to, message) => (from === 3 && to === 1 && message.type === 'appended' ? 'hold' : 'deliver');
  cluster.run(15_000);
  cluster.blockOneWay(1, 3);
  cluster.run(ELECTION_US - 10_000);
  cluster.releaseHeld();
  cluster.filter = null;
  cluster.run(5_000);
  cluster.partition([1], [2, 3]);
  cluster.runUntil(() => cluster.member(2).status()?.role === 'leader', ELECTION_US / 2);
  readAfterWrite(cluster);
};
