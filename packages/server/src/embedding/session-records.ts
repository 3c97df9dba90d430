/**
 * The users' sessions, as part of the replicated state: the last operation of each and its answer. All members decide
 * alike, by the log alone; no clock ends a session (PITFALLS R21).
 */
import type { ByteReader, ByteWriter } from '@polder/core';

/** Beyond this the session used longest ago, in the order of the log, ends. */
export const MAX_SESSIONS = 4096;
/** A longer answer is not kept: a repeat learns that it happened. */
export const MAX_KEPT_RESULT_BYTES = 64 * 1024;

interface SessionRecord {
  readonly sequence: number;
  /** Of the command: another one under the same number is a mistake of the holder. */
  readonly checksum: number;
  /** null: it was too long to keep. */
  readonly result: Uint8Array | null;
}

export type Verdict =
  | { readonly type: 'new' }
  | { readonly type: 'repeat'; readonly result: Uint8Array | null }
  | { readonly type: 'ended' }
  | { readonly type: 'misused' };

/**
 * A session is named by the entry that opened it (Raft dissertation §6.3): so an opening that comes late, or twice,
 * makes another one, and never brings an ended one back.
 */
export class SessionRecords {
  /** The one used longest ago first. */
  #records = new Map<number, SessionRecord>();

  open(id: number): void {
    this.#records.set(id, { sequence: 0, checksum: 0, result: null });
    const [oldest] = this.#records.keys();
    if (this.#records.size > MAX_SESSIONS && oldest !== undefined) this.#records.delete(oldest);
  }

  end(id: number): void {
    this.#records.delete(id);
  }

  judge(id: number, sequence: number, checksum: number): Verdict {
    const record = this.#records.get(id);
    if (record === undefined) return { type: 'ended' };
    if (sequence > record.sequence) return { type: 'new' };
    if (sequence < record.sequence || checksum !== record.checksum) return { type: 'misused' };
    return { type: 'repeat', result: record.result };
  }

  keep(id: number, sequence: number, checksum: number, result: Uint8Array): void {
    this.#records.delete(id);
    this.#records.set(id, { sequence, checksum, result: result.length <= MAX_KEPT_RESULT_BYTES ? result : null });
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#records.size);
    for (const [id, { sequence, checksum, result }] of this.#records) {
      writer.varint(id);
      writer.varint(sequence);
      writer.u32(checksum);
      writer.bool(result !== null);
      if (result !== null) writer.bytes(result);
    }
  }

  /** Throws `MalformedBytes`. */
  load(reader: ByteReader): void {
    const records = new Map<number, SessionRecord>();
    for (let left = reader.varint(); left > 0; left--) {
      const id = reader.varint();
      const [sequence, checksum] = [reader.varint(), reader.u32()];
      records.set(id, { sequence, checksum, result: reader.bool() ? reader.bytes() : null });
    }
    this.#records = records;
  }
}
