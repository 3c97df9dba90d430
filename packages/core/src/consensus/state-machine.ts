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
  /** The whole state as bytes; equal states give equal bytes. */
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

/**
 * A state machine whose state outlives the process, in a store that lags what is applied. What is applied is in memory
 * until a checkpoint has written it; the log may forget only what a checkpoint has made durable (PITFALLS R29).
 *
 *   open ──► apply … checkpoint ──► (apply …) its outcome ──► durable
 *                    stage ──► its outcome, and then the log's record that names the store ──► adopt
 *
 * One of `open`, `checkpoint`, `stage` at a time. Its outcome comes as a disk event under the token, never from
 * inside, and is handed to `settle`.
 */
export interface DurableStateMachine<Result, Query, Answer> extends StateMachine<Result, Query, Answer> {
  /** Opens the store of that name, made empty if absent: `applied` is then what it holds. Other stores go. */
  open(token: number, store: string): void;
  /** Begins to write what is applied now; `term` is that of the entry applied last. */
  checkpoint(token: number, term: number): void;
  /** Begins to make another store, of a peer's snapshot: the bytes of its `save`, its last entry's term. */
  stage(token: number, store: string, bytes: Uint8Array, term: number): void;
  /** False: that was a part of it, and the token will come again. */
  settle(outcome: 'done' | 'error'): boolean;
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
