import type { RaftRules } from '../../consensus/raft/index.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Outbox, Replica } from '../../consensus/replica.ts';
import type { StateMachine } from '../../consensus/state-machine.ts';
import { CHECKPOINT_RULES, type CheckpointRules, type SnapshotRules } from '../../driver/index.ts';
import type { Transaction } from '../../kv/engine.ts';
import type { KvRequest, KvResult } from '../../kv/index.ts';
import type { LogRules } from '../../log/index.ts';
import type { DiskResult, World } from '../../world/world.ts';
import type { RaftOutcome } from './types.ts';

/** A member's way to its disk. */
export interface DiskPath {
  readonly world: World;
  readonly onResult: (token: number, result: DiskResult) => DiskResult;
}

/** What a wrapper around a replica is told. */
export interface SabotagedMember {
  readonly member: number;
  readonly members: readonly number[];
}

/**
 * Where the zoo may break a simulated member: a rule replaced, or a wrapper around one of its parts. Production has
 * no such place: its members are built without this file.
 */
export interface Sabotage {
  readonly rules: Partial<RaftRules>;
  readonly logRules: Partial<LogRules>;
  readonly directory: (directory: number) => number;
  readonly outbox: (outbox: Outbox<RaftMessage>) => Outbox<RaftMessage>;
  /** `outbox` is the replica's own. */
  readonly replica: (
    replica: Replica<RaftMessage>,
    outbox: Outbox<RaftMessage>,
    self: SabotagedMember,
  ) => Replica<RaftMessage>;
  readonly stateMachine: (
    machine: StateMachine<KvResult, KvRequest, KvResult>,
  ) => StateMachine<KvResult, KvRequest, KvResult>;
  readonly checkpointRules: CheckpointRules;
  readonly snapshotRules: Partial<SnapshotRules>;
  /** What becomes of a durable store's transaction. */
  readonly transactionsOf: (transaction: Transaction) => readonly Transaction[];
  readonly disk: (path: DiskPath) => DiskPath;
  readonly outcome: (outcome: RaftOutcome) => RaftOutcome;
  /** Each proposal is made again under a number of its own: at once, or when the next one comes. */
  readonly proposesAgain: 'never' | 'at once' | 'later';
  /** Damaged frames are believed. */
  readonly readsDamagedFrames: boolean;
}

export const NO_SABOTAGE: Sabotage = {
  rules: {},
  logRules: {},
  directory: (directory) => directory,
  outbox: (outbox) => outbox,
  replica: (replica) => replica,
  stateMachine: (machine) => machine,
  checkpointRules: CHECKPOINT_RULES,
  snapshotRules: {},
  transactionsOf: (transaction) => [transaction],
  disk: (path) => path,
  outcome: (outcome) => outcome,
  proposesAgain: 'never',
  readsDamagedFrames: false,
};
