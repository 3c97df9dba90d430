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
