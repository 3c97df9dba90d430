import { votingSets } from '../configuration.ts';
import type { Configuration } from '../replica.ts';

/**
 * Raft's decisions in one place, each with its section of the paper (Ongaro and Ousterhout, extended version).
 * They can be replaced only by who constructs a replica in a test: the zoo breaks them one at a time.
 */

export interface LogPosition {
  readonly term: number;
  readonly index: number;
}

/** What a majority is asked for. */
export type QuorumPurpose = 'elect' | 'commit' | 'read' | 'lead';

export interface RaftRules {
  /** Dissertation §9.6: a member raises its term only after a majority said that it would vote for it (pre-vote). */
  readonly asksFirst: () => boolean;
  /** §5.4.1: the voter's log may not be more up to date than the candidate's. */
  readonly isUpToDate: (candidate: LogPosition, voter: LogPosition) => boolean;
  /** §5.2: one vote per term, first come first served. */
  readonly mayGrantVote: (votedFor: number, candidate: number) => boolean;
  /** §5.4.2, Figure 8: only an entry of the current term is committed by counting replicas. */
  readonly mayCommit: (entryTerm: number, currentTerm: number) => boolean;
  /** §5.3: how far a follower, whose log ends at `lastIndex`, knows it to equal the leader's after an AppendEntries. */
  readonly matchIndex: (previousIndex: number, entries: number, lastIndex: number) => number;
  /** §5.3: a follower's commit index never passes what it has verified. */
  readonly followerCommit: (leaderCommit: number, matchIndex: number) => number;
  /** §5.3: an existing entry conflicts with a new one if it has the same index but another term. */
  readonly conflicts: (existingTerm: number, newTerm: number) => boolean;
  /** §5.3, step 3 of AppendEntries: only a real conflict removes entries; a late or repeated message removes none. */
  readonly mayTruncate: (existingTerm: number, newTerm: number) => boolean;
  /** §8: a leader answers reads only after an entry of its own term is committed. */
  readonly mayServeReads: (commitTerm: number, currentTerm: number) => boolean;
  /** §5.2: more than half of the configured members, whatever it is for. */
  readonly majority: (members: number, purpose: QuorumPurpose) => number;
  /** §6: whose majorities must agree; in a joint configuration those of the old voters and of the new. */
  readonly votingSets: (configuration: Configuration) => readonly (readonly number[])[];
  /** A leader changes the membership only after an entry of its own term is committed (PITFALLS R13). */
  readonly mayChangeMembership: (commitTerm: number, currentTerm: number) => boolean;
  /** One change at a time: the next begins when the newest configuration is committed. */
  readonly isSettled: (configurationIndex: number, commitIndex: number) => boolean;
  /** §6: the joint configuration is left once it is committed, not before. */
  readonly mayLeaveJoint: (configurationIndex: number, commitIndex: number) => boolean;
  /** §6: a configuration whose entry is truncated is in force no more. */
  readonly revertsConfiguration: () => boolean;
  /** Dissertation §4.2.1: a learner that is far behind would leave the cluster without a majority that has the log. */
  readonly isCaughtUp: (matchIndex: number, commitIndex: number) => boolean;
  /** Dissertation §4.2.2: who votes in a configuration that may be in force; the newest may not be committed yet. */
  readonly mayCampaign: (votesInNewest: boolean, votesInAny: boolean) => boolean;
  /** Dissertation §4.2.3: whether a member that hears a leader refuses to vote. */
  readonly sticksToLeader: () => boolean;
  /** Dissertation §6.4.1: a lease counts from when its round was sent: later nobody knows how long ago it was heard (PITFALLS R10). */
  readonly leaseFromUs: (roundSentUs: number, confirmedUs: number) => number;
  /** A member that starts may have heard a leader just before: it votes for no other within that one's lease (PITFALLS R25). */
  readonly waitsOutLeases: () => boolean;
  /** The target of a transfer is elected inside any lease: who asks for it has none any more (PITFALLS R25). */
  readonly keepsLeaseInTransfer: () => boolean;
  /** Dissertation §6.2: whether a leader that hears no majority steps down. */
  readonly checksQuorum: () => boolean;
  /** §7: whether a follower may install a snapshot: it stands for what was committed here, and more. */
  readonly mayInstall: (index: number, commitIndex: number) => boolean;
  /** Up to where the log may forget while snapshots, the oldest at `sentIndex`, are being sent (PITFALLS R18). */
  readonly mayForget: (through: number, sentIndex: number) => number;
}

/** So many entries are sent and stored within an election time-out on any network that Raft is run on. */
const LEARNER_LAG_MAX = 1024;

export const RAFT_RULES: RaftRules = {
  asksFirst: () => true,
  isUpToDate: (candidate, voter) =>
    candidate.term > voter.term || (candidate.term === voter.term && candidate.index >= voter.index),
  mayGrantVote: (votedFor, candidate) => votedFor === 0 || votedFor === candidate,
  mayCommit: (entryTerm, currentTerm) => entryTerm === currentTerm,
  matchIndex: (previousIndex, entries) => previousIndex + entries,
  followerCommit: (leaderCommit, matchIndex) => Math.min(leaderCommit, matchIndex),
  conflicts: (existingTerm, newTerm) => existingTerm !== newTerm,
  mayTruncate: (existingTerm, newTerm) => existingTerm !== newTerm,
  mayServeReads: (commitTerm, currentTerm) => commitTerm === currentTerm,
  majority: (members) => Math.floor(members / 2) + 1,
  votingSets,
  mayChangeMembership: (commitTerm, currentTerm) => commitTerm === currentTerm,
  isSettled: (configurationIndex, commitIndex) => configurationIndex <= commitIndex,
  mayLeaveJoint: (configurationIndex, commitIndex) => configurationIndex <= commitIndex,
  revertsConfiguration: () => true,
  isCaughtUp: (matchIndex, commitIndex) => matchIndex > 0 && commitIndex - matchIndex <= LEARNER_LAG_MAX,
  mayCampaign: (_, votesInAny) => votesInAny,
  sticksToLeader: () => true,
  leaseFromUs: (roundSentUs) => roundSentUs,
  waitsOutLeases: () => true,
  keepsLeaseInTransfer: () => false,
  checksQuorum: () => true,
  mayInstall: (index, commitIndex) => index > commitIndex,
  mayForget: (through, sentIndex) => Math.min(through, sentIndex),
};
