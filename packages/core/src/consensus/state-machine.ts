import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Entry } from './replica.ts';

/**
 * What a replicated log drives: deterministic, without a clock of its own. Sessions, data and the applied index
 * are one state: they are snapshotted, saved and (in a durable store) committed together.
 */
export interface StateMachine<Result, Query, Answer> {
  appliedIndex(): number;
  /** In index order. `null`: a repeat of a proposal already applied, or of an expired session: nothing happened. */
  apply(entry: Entry): Result | null;
  /** Reads the state as it is now. */
  query(query: Query): Answer;
  /** Whether the proposal (member, boot, sequence) is part of the state. */
  contains(member: number, boot: number, sequence: number): boolean;
  /** The command of the newest configuration entry applied: a part of the state, like its sessions. Empty: none was. */
  configuration(): Uint8Array;
  /** The state as it is now, to be read in pieces while the state goes on. Equal states give equal bytes. */
  openSnapshot(): SnapshotSource;
  /** Takes such bytes, beside the present state. */
  stageSnapshot(): SnapshotStage;
  /** The whole state at once, for who checkpoints a world. */
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

/** A state that no longer changes, as a stream of bytes. It holds what it needs until it is closed. */
export interface SnapshotSource {
  /** The applied index of the state. */
  readonly index: number;
  /** From where the last read ended: exactly `sizeMax` bytes, fewer at the end, none behind it. */
  read(sizeMax: number): Uint8Array;
  /** All that was not read yet, which stays unread: for who checkpoints a world. */
  rest(): Uint8Array;
  close(): void;
}

/** A state on its way in: `write` … `write`, then `install` or `discard`. Nothing else changes before `install`. */
export interface SnapshotStage {
  /** The next bytes, cut anywhere. Throws `MalformedBytes`: the stage is then good for nothing but `discard`. */
  write(bytes: Uint8Array): void;
  /** Whether everything has come. */
  readonly whole: boolean;
  /** Takes the place of the state; the stage is `whole`. */
  install(): void;
  discard(): void;
  /** For who checkpoints a world; `load` on a new stage of the same machine. */
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

/**
 * A state machine whose state outlives the process, in a store that lags what is applied. What is applied is in memory
 * until a checkpoint has written it; the log may forget only what a checkpoint has made durable (PITFALLS R29).
 *
 *   open ──► apply … checkpoint ──► (apply …) its outcome ──► durable
 *                    stage ──► (fill, flushStage) … finishStage ──► its outcome, and then the log's record ──► adopt
 *
 * One of `open`, `checkpoint`, `stage`, `flushStage`, `finishStage` at a time. Its outcome comes as a disk event under the token, never from
 * inside, and is handed to `settle`.
 */
export interface DurableStateMachine<Result, Query, Answer> extends StateMachine<Result, Query, Answer> {
  /** Opens the store of that name, made empty if absent: `applied` is then what it holds. Other stores go. */
  open(token: number, store: string): void;
  /** Begins to write what is applied now; `term` is that of the entry applied last. */
  checkpoint(token: number, term: number): void;
  /** Begins to make another store, for a peer's snapshot. */
  stage(token: number, store: string): void;
  /** What goes into it: the bytes of the peer's `openSnapshot`, in order, while nothing is begun. */
  readonly staging: Pick<SnapshotStage, 'write' | 'whole'>;
  /** About what of it is in memory only. */
  readonly stagedBytes: number;
  /** Begins to write what has come of it so far, so that memory is free for more. */
  flushStage(token: number): void;
  /** Begins to make it durable, whole; `term` is that of its last entry. */
  finishStage(token: number, term: number): void;
  /** It is not wanted. */
  discardStage(): void;
  settle(outcome: 'done' | 'error'): void;
  /** What was staged, and is named in the log now, takes the place of this machine's state and store. */
  adopt(): void;
  /** All of it as it is in this process, for one that goes on elsewhere with the same stores. */
  saveProcess(writer: ByteWriter): void;
  loadProcess(reader: ByteReader): void;
  /** What a loss of power leaves. */
  readonly durable: { readonly index: number; readonly term: number };
  /** The store's name. */
  readonly store: string;
  /** About what is in memory only. */
  readonly overlayBytes: number;
  /** False: memory is full of what no checkpoint has written yet; nothing may be applied before one has. */
  readonly mayApply: boolean;
}
