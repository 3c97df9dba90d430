/** Reads a log back, segment by segment: what it holds, where it ends, and whether it can be believed. */

import { assert, defined } from '../base/assert.ts';
import { ByteReader, type ByteWriter, equalBytes } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readEntry, writeEntry } from '../consensus/entry-codec.ts';
import type { Entry, Recovered } from '../consensus/replica.ts';
import {
  type Batch,
  checkSegmentHeader,
  findWitness,
  type LogRules,
  readBatch,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from './format.ts';
import { HardState, readRecord } from './records.ts';

export interface Segment {
  readonly number: number;
  sizeBytes: number;
  /** The highest index of an entry written to it, superseded or not; 0 = none. */
  lastIndex: number;
}

/** What to do to the last segment before the log goes on. */
export type Repair =
  | { readonly type: 'none' }
  /** A torn tail. */
  | { readonly type: 'cut'; readonly segment: number; readonly offset: number }
  /** It never got its first batch: a crash while it was made. */
  | { readonly type: 'drop'; readonly segment: number };

export class Recovery {
  readonly hardState = new HardState();
  readonly segments: Segment[] = [];
  ordinal = 0;
  repair: Repair = { type: 'none' };
  readonly #rules: LogRules;
  #entries: Entry[] = [];

  constructor(rules: LogRules) {
    this.#rules = rules;
  }

  /** Segments come in order, whole. Throws `CorruptLog`. */
  addSegment(number: number, bytes: Uint8Array, isLast: boolean): void {
    const header = checkSegmentHeader(bytes, number);
    if (header === 'version') {
      throw corrupt(number, 4, 'was written by another version of this program; run that version');
    }
    const first = header === 'good' ? readBatch(bytes, number, SEGMENT_HEADER_BYTES, this.#rules) : null;
    if (first === null) {
      this.#addTorn(number, bytes, header === 'good' ? SEGMENT_HEADER_BYTES : 0, isLast);
      return;
    }
    this.#addCheckpoint(first);
    const segment: Segment = { number, sizeBytes: first.end, lastIndex: 0 };
    this.segments.push(segment);
    while (segment.sizeBytes < bytes.length) {
      const batch = readBatch(bytes, number, segment.sizeBytes, this.#rules);
      if (batch === null) {
        this.#addTorn(number, bytes, segment.sizeBytes, isLast);
        return;
      }
      this.#addBatch(batch, segment);
      segment.sizeBytes = batch.end;
    }
  }

  /** `boot` is the one that begins now. Throws `CorruptLog` when entries are missing. */
  finish(boot: number): Recovered {
    const state = this.hardState;
    const entries = this.#entries.filter((entry) => entry.index > state.snapshotIndex);
    const first = entries[0];
    if (first !== undefined && first.index !== state.snapshotIndex + 1) {
      const segment = defined(this.segments[0], 'entries lie in a segment');
      throw corrupt(segment.number, 0, `begins with entry ${first.index}, after a gap: older segments are missing`);
    }
    return {
      boot,
      term: state.term,
      votedFor: state.votedFor,
      snapshotIndex: state.snapshotIndex,
      snapshotTerm: state.snapshotTerm,
      snapshotFile: state.snapshotFile,
      entries,
      directories: new Map(state.directories),
      registered: state.registered,
    };
  }

  save(writer: ByteWriter): void {
    this.hardState.save(writer);
    writer.varint(this.ordinal);
    writer.varint(this.repair.type === 'none' ? 0 : this.repair.type === 'cut' ? 1 : 2);
    writer.varint(this.repair.type === 'none' ? 0 : this.repair.segment);
    writer.varint(this.repair.type === 'cut' ? this.repair.offset : 0);
    saveSegments(writer, this.segments);
    writer.varint(this.#entries.length);
    for (const entry of this.#entries) writeEntry(writer, entry);
  }

  load(reader: ByteReader): void {
    this.hardState.load(reader);
    this.ordinal = reader.varint();
    const type = reader.varint();
    const segment = reader.varint();
    const offset = reader.varint();
    this.repair =
      type === 0 ? { type: 'none' } : type === 1 ? { type: 'cut', segment, offset } : { type: 'drop', segment };
    this.segments.splice(0, this.segments.length, ...loadSegments(reader));
    this.#entries = [];
    for (let left = reader.varint(); left > 0; left--) this.#entries.push(readEntry(reader));
  }

  /** The bytes from `offset` on are not a batch: a torn tail, unless something says that they were durable. */
  #addTorn(number: number, bytes: Uint8Array, offset: number, isLast: boolean): void {
    // A segment is made only after everything in the one before it was synced.
    if (!isLast) throw corrupt(number, offset, `is damaged, yet ${segmentName(number + 1)} was written after it`);
    const witness = findWitness(bytes, number, offset);
    if (this.#rules.isCorruptMiddle(witness)) {
      throw corrupt(
        number,
        offset,
        `is damaged in the middle: the batch at ${witness} was written after it was synced`,
      );
    }
    const last = this.segments.at(-1);
    if (last?.number === number) {
      this.repair = { type: 'cut', segment: number, offset };
      return;
    }
    // Older segments are removed only once this one is durable.
    if (last === undefined && number > 1) throw corrupt(number, offset, 'is damaged at its start');
    this.repair = { type: 'drop', segment: number };
  }

  #addCheckpoint(batch: Batch): void {
    const previous = this.segments.at(-1);
    if (previous === undefined) {
      this.ordinal = batch.ordinal - 1;
      this.#decode(batch, () => this.hardState.load(new ByteReader(batch.payload)));
    } else {
      if (batch.synced.segment !== previous.number || batch.synced.offset !== previous.sizeBytes) {
        throw corrupt(previous.number, previous.sizeBytes, `ends here, but held ${batch.synced.offset} durable bytes`);
      }
      if (!equalBytes(batch.payload, this.hardState.encode())) {
        throw corrupt(batch.segment, batch.offset, 'begins with another state than the segment before it ends with');
      }
    }
    this.#advance(batch);
  }

  #addBatch(batch: Batch, segment: Segment): void {
    this.#advance(batch);
    this.#decode(batch, () => {
      const reader = new ByteReader(batch.payload);
      while (reader.remaining > 0) {
        const record = readRecord(reader);
        this.hardState.apply(record);
        if (record.type === 'entry') {
          segment.lastIndex = Math.max(segment.lastIndex, record.entry.index);
          this.#addEntry(record.entry, batch);
        } else if (record.type === 'snapshot') {
          this.#addSnapshot(record.index, record.term);
        }
      }
    });
  }

  #advance(batch: Batch): void {
    if (batch.ordinal !== this.ordinal + 1) {
      throw corrupt(batch.segment, batch.offset, `holds batch ${batch.ordinal} where ${this.ordinal + 1} belongs`);
    }
    this.ordinal = batch.ordinal;
  }

  #addEntry(entry: Entry, batch: Batch): void {
    const first = this.#entries[0];
    if (first !== undefined) {
      const keep = Math.max(0, entry.index - first.index);
      if (keep > this.#entries.length) {
        throw corrupt(batch.segment, batch.offset, `holds entry ${entry.index}, but the one before it is missing`);
      }
      while (this.#entries.length > keep) this.#entries.pop();
    }
    this.#entries.push(entry);
  }

  /**
   * Raft §7: what follows a snapshot is kept only if the log agrees with it. Where the entry at `index` has been
   * removed with its segment, the next one's term decides: an entry of an older term was never behind a committed
   * one of `term`.
   */
  #addSnapshot(index: number, term: number): void {
    const first = this.#entries[0];
    if (first === undefined) return;
    const at = this.#entries[index - first.index];
    const next = this.#entries[index + 1 - first.index];
    const agrees = at !== undefined ? at.term === term : next !== undefined && next.term >= term;
    // Only what `index` covers is known to be obsolete when the log begins behind it.
    this.#entries = agrees || first.index > index + 1 ? this.#entries.filter((entry) => entry.index > index) : [];
  }

  #decode(batch: Batch, decode: () => void): void {
    try {
      decode();
    } catch (error) {
      if (!(error instanceof PolderError) || error.code !== 'MalformedBytes') throw error;
      throw corrupt(batch.segment, batch.offset, `cannot be understood: ${error.message}`);
    }
  }
}

export function saveSegments(writer: ByteWriter, segments: readonly Segment[]): void {
  writer.varint(segments.length);
  for (const segment of segments) {
    writer.varint(segment.number);
    writer.varint(segment.sizeBytes);
    writer.varint(segment.lastIndex);
  }
}

export function loadSegments(reader: ByteReader): Segment[] {
  const segments: Segment[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    segments.push({ number: reader.varint(), sizeBytes: reader.varint(), lastIndex: reader.varint() });
  }
  return segments;
}

export function corrupt(segment: number, offset: number, what: string): PolderError {
  assert(segment > 0 && offset >= 0, 'a corrupt place must exist');
  return new PolderError(
    'CorruptLog',
    `${segmentName(segment)} at byte ${offset} ${what}. Starting without what was there could lose acknowledged ` +
      'writes, so this member stays down. Keep a copy of its data directory, check the disk, then replace the member: ' +
      'give it an empty data directory and let the others bring it up to date.',
  );
}
