import type { Random } from '../../base/random.ts';
import type { RaftRules } from './rules.ts';

export interface RaftTiming {
  /** The least time without a leader after which an election begins; each is drawn from [1, 2) times this (§5.2). */
  readonly electionTimeoutUs: number;
  readonly heartbeatUs: number;
  /** After this a proposal is rejected as `Unknown` and a read as `NoLeader`. */
  readonly proposalTimeoutUs: number;
}

export interface RaftOptions {
  /** 1 or above; 0 means "nobody" in every field that names a member. */
  readonly member: number;
  readonly members: readonly number[];
  readonly directory: number;
  readonly random: Random;
  readonly timing?: Partial<RaftTiming>;
  readonly rules?: RaftRules;
}

export const DEFAULT_TIMING: RaftTiming = {
  electionTimeoutUs: 1_000_000,
  heartbeatUs: 100_000,
  proposalTimeoutUs: 5_000_000,
};
