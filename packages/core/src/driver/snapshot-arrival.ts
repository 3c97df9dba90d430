/** A peer's snapshot on its way in: chunks are written to a file beside the state, in order, and acknowledged as they are. */
import { type ByteReader, type ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { DiskOperation } from '../world/world.ts';
import type { SnapshotName } from './snapshot-file.ts';

export const ARRIVING_FILE = 'snapshot.arriving';
/** What is being written is in memory; a leader has fewer chunks under way. */
const APPENDS_MAX = 16;

/** For the zoo. */
export interface SnapshotRules {
  /** Where a chunk may go: behind what there is, without a gap. */
  readonly fits: (offset: number, sizeBytes: number) => boolean;
  /** Whether a chunk is of the snapshot that is arriving. */
  readonly continues: (arriving: SnapshotName, chunk: SnapshotName) => boolean;
  /** What was received is durable before the log names it. */
  readonly syncsArrived: () => boolean;
  /** A snapshot has its durable name before the log names it. */
  readonly syncsName: () => boolean;
}

export const SNAPSHOT_RULES: SnapshotRules = {
  fits: (offset, sizeBytes) => offset === sizeBytes,
  continues: (arriving, chunk) => arriving.index === chunk.index && arriving.term === chunk.term,
  syncsArrived: () => true,
  syncsName: () => true,
};

export interface Chunk {
  readonly index: number;
  readonly term: number;
  readonly offset: number;
  readonly data: Uint8Array;
  readonly done: boolean;
}

interface Arriving extends SnapshotName {
  /** So much was handed to the disk, and so much is written. */
  submittedBytes: number;
  writtenBytes: number;
  /** 0: the last chunk has not come yet. */
  sizeBytes: number;
  appends: { readonly token: number; readonly end: number }[];
}

/** Up to where, or `whole`. */
export interface Stored extends SnapshotName {
  readonly nextOffset: number;
  readonly whole: boolean;
}

export class SnapshotArrival {
  readonly #submit: (operation: DiskOperation) => number;
  readonly #rules: SnapshotRules;
  #arriving: Arriving | null = null;

  constructor(submit: (operation: DiskOperation) => number, rules: SnapshotRules) {
    this.#submit = submit;
    this.#rules = rules;
  }

  /** What is there, whole, until `drop`. */
  get whole(): SnapshotName | null {
    const arriving = this.#arriving;
    return arriving !== null && arriving.sizeBytes > 0 && arriving.writtenBytes === arriving.sizeBytes
      ? arriving
      : null;
  }

  get busy(): boolean {
    return this.#arriving !== null;
  }

  owns(token: number): boolean {
    return this.#arriving?.appends.some((append) => append.token === token) === true;
  }

  /** null: there is nothing to say yet. A chunk out of order is dropped: the peer hears where to go on. */
  store(chunk: Chunk): Stored | null {
    const { index, term, offset, data, done } = chunk;
    if (this.whole !== null) return null;
    const same = this.#arriving !== null && this.#rules.continues(this.#arriving, chunk);
    if (!same && offset > 0) return { index, term, nextOffset: 0, whole: false };
    const arriving = same && this.#arriving !== null ? this.#arriving : this.#begin(index, term);
    const fits = this.#rules.fits(offset, arriving.submittedBytes) && arriving.sizeBytes === 0;
    if (!fits || arriving.appends.length >= APPENDS_MAX) {
      return { index, term, nextOffset: arriving.writtenBytes, whole: false };
    }
    const token = this.#submit({ type: 'append', file: ARRIVING_FILE, bytes: data });
    arriving.submittedBytes += data.length;
    if (done) arriving.sizeBytes = arriving.submittedBytes;
    arriving.appends.push({ token, end: arriving.submittedBytes });
    return null;
  }

  #begin(index: number, term: number): Arriving {
    this.#submit({ type: 'append', file: ARRIVING_FILE, bytes: EMPTY_BYTES });
    this.#submit({ type: 'truncate', file: ARRIVING_FILE, length: 0 });
    this.#arriving = { index, term, submittedBytes: 0, writtenBytes: 0, sizeBytes: 0, appends: [] };
    return this.#arriving;
  }

  /** null: not its token. */
  onDisk(token: number): Stored | null {
    const arriving = this.#arriving;
    const append = arriving?.appends.find((each) => each.token === token);
    if (arriving === null || append === undefined) return null;
    arriving.appends = arriving.appends.filter((each) => each !== append);
    arriving.writtenBytes = append.end;
    const { index, term } = arriving;
    return { index, term, nextOffset: append.end, whole: this.whole !== null };
  }

  /** Whatever came next starts from nothing. */
  drop(): void {
    this.#arriving = null;
  }

  save(writer: ByteWriter): void {
    const arriving = this.#arriving;
    writer.bool(arriving !== null);
    if (arriving === null) return;
    const { index, term, submittedBytes, writtenBytes, sizeBytes, appends } = arriving;
    for (const value of [index, term, submittedBytes, writtenBytes, sizeBytes]) writer.varint(value);
    writeList(writer, appends, (to, { token, end }) => {
      to.varint(token);
      to.varint(end);
    });
  }

  load(reader: ByteReader): void {
    this.#arriving = null;
    if (!reader.bool()) return;
    const [index, term, submittedBytes] = [reader.varint(), reader.varint(), reader.varint()];
    const [writtenBytes, sizeBytes] = [reader.varint(), reader.varint()];
    const appends = readList(reader, (from) => ({ token: from.varint(), end: from.varint() }));
    this.#arriving = { index, term, submittedBytes, writtenBytes, sizeBytes, appends };
  }
}
