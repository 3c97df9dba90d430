import type { RaftMessage, RaftRules, RaftTiming } from '../../consensus/raft/index.ts';
import type { Rejection } from '../../consensus/replica.ts';
import type { CheckpointOptions, DriverObserver, DriverStatus } from '../../driver/index.ts';
import type { KvRequest, KvResult } from '../../kv/index.ts';
import type { Sabotage } from './sabotage.ts';

export type RaftStatus = DriverStatus & { readonly member: number; readonly leads: boolean; readonly ready: boolean };

export interface RaftTypes {
  readonly request: RaftRequest;
  readonly outcome: RaftOutcome;
  readonly status: RaftStatus;
}

export interface RaftRequest {
  /** `read`: linearizable, without an entry in the log. */
  readonly kind: 'propose' | 'read';
  readonly request: KvRequest;
}

export type RaftOutcome =
  | { readonly type: 'applied'; readonly index: number; readonly term: number; readonly result: KvResult }
  | { readonly type: 'answer'; readonly index: number; readonly term: number; readonly answer: KvResult }
  | { readonly type: 'rejected'; readonly reason: Rejection };

export interface RaftSimulationOptions {
  readonly timing?: Partial<RaftTiming>;
  /** The cluster begins with members 1 to this; the others wait to be added. Without it, membership never changes. */
  readonly initial?: number;
  readonly leaseReads?: boolean;
  readonly rules?: RaftRules;
  /** A member makes a snapshot after so many entries, and keeps so many below it. */
  readonly snapshotEntries?: number;
  readonly trailingEntries?: number;
  /** Chunks and pieces of snapshots; small ones make several of a small state. */
  readonly snapshotChunkBytes?: number;
  /** Of the write-ahead log; small ones are rolled and removed often. */
  readonly segmentBytes?: number;
  /** The state machine's state outlives a crash, in a store on the simulated disk. Default: it is in memory. */
  readonly durable?: boolean;
  readonly checkpoints?: CheckpointOptions;
  readonly maxOverlayBytes?: number;
  /** Made for each life of a member; it may read that member's clock. */
  readonly observer?: (member: number, nowUs: () => number) => DriverObserver<RaftMessage>;
  /** Breaks a rule, in every member: for the zoo. */
  readonly sabotage?: Sabotage;
}

/** Ten times faster than the defaults, so that seconds of virtual time hold many elections. */
export const QUICK: Partial<RaftTiming> = {
  electionTimeoutUs: 100_000,
  heartbeatUs: 10_000,
  proposalTimeoutUs: 500_000,
};
