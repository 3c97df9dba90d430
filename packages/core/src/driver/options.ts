/** What a driver is given, and what it tells its clients. */
import type { Codec, Outbox, Rejection, Replica, ReplicaStatus } from '../consensus/replica.ts';
import type { DurableStateMachine, StateMachine } from '../consensus/state-machine.ts';
import type { LogRules } from '../log/index.ts';
import type { World } from '../world/world.ts';
import type { CheckpointOptions, CheckpointRules } from './checkpoints.ts';
import type { DriverObserver } from './observer.ts';
import type { SnapshotRules } from './snapshot-arrival.ts';

export interface ClientPort<Result, Answer> {
  onProposed(id: number, outcome: ProposalOutcome<Result>): void;
  onRead(id: number, outcome: ReadOutcome<Answer>): void;
  onChanged(id: number, outcome: ChangeOutcome): void;
  onStarted(): void;
  /** The member must stop: its disk, or its own reasoning, can no longer be trusted. */
  onStopped(error: Error): void;
}

export type ProposalOutcome<Result> =
  | { readonly type: 'applied'; readonly index: number; readonly term: number; readonly result: Result }
  | { readonly type: 'rejected'; readonly reason: Rejection };

export type ReadOutcome<Answer> =
  | { readonly type: 'answer'; readonly index: number; readonly term: number; readonly answer: Answer }
  | { readonly type: 'rejected'; readonly reason: Rejection };

/** Of a change of membership. */
export type ChangeOutcome =
  | { readonly type: 'changed'; readonly index: number }
  | { readonly type: 'rejected'; readonly reason: Rejection };

export interface DriverOptions<Message, Result, Query, Answer> {
  readonly member: number;
  readonly directory: number;
  readonly world: World;
  readonly codec: Codec<Message>;
  readonly createReplica: (outbox: Outbox<Message>) => Replica<Message>;
  readonly stateMachine: StateMachine<Result, Query, Answer>;
  /** The same machine, where its state outlives the process. */
  readonly durable?: DurableStateMachine<Result, Query, Answer>;
  readonly checkpoints?: CheckpointOptions;
  readonly clients: ClientPort<Result, Answer>;
  /** Needed for `save` and `load` only: reads that wait are part of the state. */
  readonly queryCodec?: Codec<Query>;
  /** A snapshot is made after so many entries, by default 100,000; or a durable store named in the log, after 10,000. */
  readonly snapshotEntries?: number;
  /** So much of a snapshot is written or read at a time. Best as large as the replica's chunks. Default 256 KiB. */
  readonly snapshotPieceBytes?: number;
  /** So many entries stay in memory below a snapshot, for peers that are a little behind. */
  readonly trailingEntries?: number;
  /** A segment of the log that has reached this size is closed. */
  readonly segmentBytes?: number;
  /** For the zoo. */
  readonly logRules?: LogRules;
  readonly checkpointRules?: CheckpointRules;
  readonly observer?: DriverObserver<Message>;
  readonly snapshotRules?: Partial<SnapshotRules>;
}

export type DriverStatus = ReplicaStatus & {
  readonly phase: 'opening' | 'running' | 'stopped';
  readonly appliedIndex: number;
  /** What was applied last could not be made durable for lack of room; it is tried again. */
  readonly storeIsFull: boolean;
};
