import type { Random } from '../../base/random.ts';
import type { RaftRules } from './rules.ts';
import type { SnapshotTransferOptions } from './snapshot-transfer.ts';

export interface RaftTiming {
  /** The least time without a leader after which an election begins; a random part is added to each (§5.2). */
  readonly electionTimeoutUs: number;
  /** What is added is drawn from [0, this); when not given, from [0, electionTimeoutUs). */
  readonly electionSpreadUs?: number;
  readonly heartbeatUs: number;
  /** After this a proposal is rejected as `Unknown` and a read as `NoLeader`. */
  readonly proposalTimeoutUs: number;
}

export interface RaftOptions {
  /** 1 or above; 0 means "nobody" in every field that names a member. */
  readonly member: number;
  /** Whom a cluster begins with, the same at each of them; none: this one is to be added to a cluster that runs. */
  readonly members: readonly number[];
  /** What the first configuration says of each, such as its addresses; the same at each of them. */
  readonly contextOf?: (member: number) => Uint8Array;
  readonly directory: number;
  readonly random: Random;
  readonly timing?: Partial<RaftTiming>;
  readonly snapshots?: Partial<SnapshotTransferOptions>;
  /**
   * A leader answers reads without asking a majority again, for as long as none can have elected another (dissertation
   * §6.4.1). It believes that no two members' clocks part by more than a tenth within an election time-out. The same at
   * every member: who votes must keep the promise that the leader counts on. Default: off.
   */
  readonly leaseReads?: boolean;
  /**
   * 0, the default, to 8: each step lets the member wait half an election time-out longer before it campaigns, so that
   * others lead first. Nothing but time depends on it.
   */
  readonly reluctance?: number;
  readonly rules?: RaftRules;
}

export const DEFAULT_TIMING: RaftTiming = {
  electionTimeoutUs: 1_000_000,
  heartbeatUs: 100_000,
  proposalTimeoutUs: 5_000_000,
};

const ELECTION_DRAW = 1;

/** §5.2: another one each time, so that split votes are rare and soon resolved. */
export function drawElectionTimeoutUs(timing: RaftTiming, random: Random, reluctance = 0): number {
  const { electionTimeoutUs, electionSpreadUs = electionTimeoutUs } = timing;
  const waitsUs = electionTimeoutUs + reluctance * Math.floor(electionTimeoutUs / 2);
  return waitsUs + (electionSpreadUs === 0 ? 0 : random.below(ELECTION_DRAW, electionSpreadUs));
}

const HINT_DRAW = 2;

/** After a hint that the leader has died: long enough for the others to have it too, and another one for each member. */
export function drawHintDelayUs({ heartbeatUs }: RaftTiming, random: Random, reluctance = 0): number {
  const leastUs = Math.ceil(heartbeatUs / 5);
  return leastUs + random.below(HINT_DRAW, heartbeatUs) + reluctance * heartbeatUs;
}
