/**
 * The contract of every replicated-log protocol: events in, effects out, nothing else. A replica holds no clock,
 * socket, disk, timer or promise.
 */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';

/** The ordinal of a `persist` effect in this run: never reused, first in first out. 0 = nothing to wait for. */
export type Mark = number;

export interface Origin {
  readonly member: number;
  /** How often the member has started; durable before its first proposal. */
  readonly boot: number;
  /** Counts from 1 in each boot. */
  readonly sequence: number;
  /** Every sequence up to this one is settled at its member and will never be forwarded again. */
  readonly acknowledgedThrough: number;
}

export interface Entry {
  readonly term: number;
  readonly index: number;
  /** null: the leader made it itself. It is the no-op that opens its term, or has a configuration as its command. */
  readonly origin: Origin | null;
  readonly command: Uint8Array;
}

export interface ConfiguredMember {
  readonly id: number;
  /** The data directory that may speak for it (PITFALLS R26); 0: one of the first members, which register theirs. */
  readonly directory: number;
  /** What the environment wants to know of it, such as its addresses; at most 4 KiB. */
  readonly context: Uint8Array;
  /** Votes; in a joint configuration: among the new voters. Who votes in neither set is a learner. */
  readonly votes: boolean;
  /** Votes among the old voters of a joint configuration. */
  readonly voted: boolean;
  /** Gone when the joint configuration is left. */
  readonly leaves: boolean;
}

export interface Configuration {
  /** By id, ascending. */
  readonly members: readonly ConfiguredMember[];
  /** Two sets of voters must agree. */
  readonly joint: boolean;
  /** Above every id that was ever used: none is used twice, so that a member's name never means another directory. */
  readonly nextMember: number;
}

export type MembershipChange =
  /** A new member, which receives the log and does not vote; its process must run already, for its directory is named. */
  | { readonly type: 'addLearner'; readonly id: number; readonly directory: number; readonly context: Uint8Array }
  /** A learner becomes a voter. */
  | { readonly type: 'promote'; readonly id: number }
  /** A voter becomes a learner. */
  | { readonly type: 'demote'; readonly id: number }
  | { readonly type: 'remove'; readonly id: number }
  /** It has moved: another context, the same directory. */
  | { readonly type: 'readdress'; readonly id: number; readonly context: Uint8Array };

/** What a log holds, in the order in which it was written. */
export type LogRecord =
  | { readonly type: 'vote'; readonly term: number; readonly votedFor: number }
  /** Supersedes every earlier entry at its index and above. */
  | { readonly type: 'entry'; readonly entry: Entry }
  /** The state up to `index` is in `file`; entries up to it are no longer needed. */
  | { readonly type: 'snapshot'; readonly index: number; readonly term: number; readonly file: string }
  /** `member` is known by this directory, and no other (PITFALLS R26). */
  | { readonly type: 'directory'; readonly member: number; readonly directory: number }
  /** Enough peers know this directory: it may vote. */
  | { readonly type: 'registered' };

/** What a log gives back at start. */
export interface Recovered {
  readonly boot: number;
  readonly term: number;
  readonly votedFor: number;
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  readonly snapshotFile: string;
  readonly entries: readonly Entry[];
  readonly directories: ReadonlyMap<number, number>;
  readonly registered: boolean;
}

export type ReplicaEvent<Message> =
  /** `configuration`: the newest that the state machine's state holds; empty: it holds none. */
  | { readonly type: 'start'; readonly recovered: Recovered; readonly configuration: Uint8Array }
  | { readonly type: 'receive'; readonly from: number; readonly directory: number; readonly message: Message }
  | { readonly type: 'propose'; readonly id: number; readonly command: Uint8Array }
  | { readonly type: 'read'; readonly id: number }
  | { readonly type: 'control'; readonly command: { readonly type: 'transferLeadership'; readonly to: number } }
  /** Answered by `changed` or `rejected`, at the leader only. */
  | { readonly type: 'change'; readonly id: number; readonly changes: readonly MembershipChange[] }
  | { readonly type: 'tick' }
  /** A hint, which may be wrong: the process of a peer has died, or so its connection says. */
  | { readonly type: 'unreachable'; readonly peer: number }
  /** Ends a batch: what it gathered is sent now, so that one message carries many proposals. */
  | { readonly type: 'flush' }
  | { readonly type: 'persisted'; readonly mark: Mark }
  /** The state machine has applied everything up to `index`. */
  | { readonly type: 'applied'; readonly index: number }
  /** A snapshot at `index` is durable here and named in the log: forget the entries up to `through`. */
  | { readonly type: 'compacted'; readonly index: number; readonly term: number; readonly through: number }
  /** The chunk that `readSnapshot` asked for, of a snapshot of `sizeBytes`. */
  | {
      readonly type: 'snapshotRead';
      readonly to: number;
      readonly index: number;
      readonly term: number;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly sizeBytes: number;
    }
  /**
   * The leader's snapshot is stored up to `nextOffset`, not durably; `whole`: all of it is, and waits for
   * `installSnapshot`. 0: nothing is, or what came did not hold.
   */
  | {
      readonly type: 'snapshotStored';
      readonly index: number;
      readonly term: number;
      readonly nextOffset: number;
      readonly whole: boolean;
    }
  | {
      readonly type: 'snapshotInstalled';
      readonly index: number;
      readonly term: number;
      /** As at `start`. */
      readonly configuration: Uint8Array;
      /** This boot's own proposals that the snapshot contains. */
      readonly settled: (sequence: number) => boolean;
    };

export type Effect<Message> =
  | { readonly type: 'send'; readonly to: number; readonly message: Message; readonly after: Mark }
  | { readonly type: 'persist'; readonly mark: Mark; readonly record: LogRecord }
  /** Committed: apply in index order, not before `after` is durable (PITFALLS R28). */
  | { readonly type: 'apply'; readonly entry: Entry; readonly after: Mark }
  /** Answer read `id` from the state machine once it has applied `index`. */
  | { readonly type: 'readReady'; readonly id: number; readonly index: number }
  /** The change of membership is complete: its last configuration, at `index`, is committed. */
  | { readonly type: 'changed'; readonly id: number; readonly index: number }
  /** `Unknown`: it may or may not take effect (PITFALLS R23). */
  | { readonly type: 'rejected'; readonly id: number; readonly reason: Rejection }
  /**
   * Read a chunk of snapshot `index` for a peer behind the log; 0: of the newest. That one then stays, whatever newer
   * ones there are, until `closeSnapshot`.
   */
  | {
      readonly type: 'readSnapshot';
      readonly to: number;
      readonly index: number;
      readonly offset: number;
      readonly lengthMax: number;
    }
  /** `to` needs no snapshot any more, or not from this member. */
  | { readonly type: 'closeSnapshot'; readonly to: number }
  /** Store a chunk of the leader's snapshot, beside the state; `done`: its last. */
  | {
      readonly type: 'storeSnapshot';
      readonly index: number;
      readonly term: number;
      readonly offset: number;
      readonly data: Uint8Array;
      readonly done: boolean;
    }
  /**
   * What is stored of the leader's snapshot, whole: make it durable, name it in the log, put it in the place of the
   * state. Answered by `snapshotInstalled`, or by `snapshotStored` when it does not hold. Until then nothing is committed.
   */
  | { readonly type: 'installSnapshot'; readonly index: number; readonly term: number }
  /** The member must not go on. */
  | { readonly type: 'stop'; readonly code: string; readonly message: string };

export type Rejection =
  | 'NotApplied'
  | 'Unknown'
  | 'NoLeader'
  | 'Overloaded'
  /** Of a change of membership, which only the leader makes; none of it was done. */
  | 'NotLeader'
  /** An earlier change is not complete, or the leader is too new to know. */
  | 'ChangeUnderWay'
  /** It does not fit the configuration: `changed` of configuration.ts says why. */
  | 'InvalidChange'
  /** The learner to be promoted has not caught up. */
  | 'LearnerBehind';

/** Effects of one step, in order; the driver drains it once per batch. */
export interface Outbox<Message> {
  put(effect: Effect<Message>): void;
}

export type Role = 'follower' | 'precandidate' | 'candidate' | 'leader';

export interface ReplicaStatus {
  readonly role: Role;
  readonly term: number;
  /** 0 = unknown. */
  readonly leader: number;
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly firstIndex: number;
  /** The newest that this member knows, committed or not; another object when it changes. */
  readonly configuration: Configuration;
  readonly configurationIndex: number;
  /** Enough peers know its directory: it may vote (PITFALLS R26). Once so, always. */
  readonly registered: boolean;
}

export interface Replica<Message> {
  step(nowUs: number, event: ReplicaEvent<Message>): void;
  /** The next time at which it wants a `tick`. */
  deadlineUs(): number;
  status(): ReplicaStatus;
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

export interface Codec<Message> {
  encode(writer: ByteWriter, message: Message): void;
  /** Throws `MalformedBytes`. */
  decode(reader: ByteReader): Message;
}
