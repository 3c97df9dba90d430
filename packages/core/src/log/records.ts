/** The records inside a batch, and the hard state that they add up to. */
import { unreachable } from '../base/assert.ts';
import { type ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readEntry, writeEntry } from '../consensus/entry-codec.ts';
import type { LogRecord } from '../consensus/replica.ts';

/** What a log stores besides what a replica gives it. */
export type StoredRecord = LogRecord | { readonly type: 'boot'; readonly boot: number };

const VOTE = 1;
const ENTRY = 2;
const SNAPSHOT = 3;
const DIRECTORY = 4;
const REGISTERED = 5;
const BOOT = 6;

export function writeRecord(writer: ByteWriter, record: StoredRecord): void {
  switch (record.type) {
    case 'vote':
      writer.u8(VOTE);
      writer.varint(record.term);
      return writer.varint(record.votedFor);
    case 'entry':
      writer.u8(ENTRY);
      return writeEntry(writer, record.entry);
    case 'snapshot':
      writer.u8(SNAPSHOT);
      writer.varint(record.index);
      writer.varint(record.term);
      return writer.string(record.file);
    case 'directory':
      writer.u8(DIRECTORY);
      writer.varint(record.member);
      return writer.varint(record.directory);
    case 'registered':
      return writer.u8(REGISTERED);
    case 'boot':
      writer.u8(BOOT);
      return writer.varint(record.boot);
    default:
      return unreachable(record);
  }
}

/** A record that a replica gave: a boot is the log's own. Throws `MalformedBytes`. */
export function readLogRecord(reader: ByteReader): LogRecord {
  const record = readRecord(reader);
  if (record.type === 'boot') throw new PolderError('MalformedBytes', 'a replica never writes a boot record');
  return record;
}

/** Throws `MalformedBytes`. */
export function readRecord(reader: ByteReader): StoredRecord {
  const type = reader.u8();
  switch (type) {
    case VOTE:
      return { type: 'vote', term: reader.varint(), votedFor: reader.varint() };
    case ENTRY:
      return { type: 'entry', entry: readEntry(reader) };
    case SNAPSHOT:
      return { type: 'snapshot', index: reader.varint(), term: reader.varint(), file: reader.string() };
    case DIRECTORY:
      return { type: 'directory', member: reader.varint(), directory: reader.varint() };
    case REGISTERED:
      return { type: 'registered' };
    case BOOT:
      return { type: 'boot', boot: reader.varint() };
    default:
      throw new PolderError('MalformedBytes', `the log holds a record of unknown type ${type}`);
  }
}

/** Everything a log knows except its entries; a segment begins with it, so that older segments can go. */
export class HardState {
  boot = 0;
  term = 0;
  votedFor = 0;
  snapshotIndex = 0;
  snapshotTerm = 0;
  snapshotFile = '';
  registered = false;
  readonly directories = new Map<number, number>();

  apply(record: StoredRecord): void {
    switch (record.type) {
      case 'vote':
        this.term = record.term;
        this.votedFor = record.votedFor;
        return;
      case 'snapshot':
        this.snapshotIndex = record.index;
        this.snapshotTerm = record.term;
        this.snapshotFile = record.file;
        return;
      case 'directory':
        this.directories.set(record.member, record.directory);
        return;
      case 'registered':
        this.registered = true;
        return;
      case 'boot':
        this.boot = record.boot;
        return;
      case 'entry':
        return;
      default:
        return unreachable(record);
    }
  }

  /** Equal states give equal bytes. */
  encode(): Uint8Array {
    const writer = new ByteWriter();
    this.save(writer);
    return writer.finish();
  }

  save(writer: ByteWriter): void {
    writer.varint(this.boot);
    writer.varint(this.term);
    writer.varint(this.votedFor);
    writer.varint(this.snapshotIndex);
    writer.varint(this.snapshotTerm);
    writer.string(this.snapshotFile);
    writer.bool(this.registered);
    const known = [...this.directories].sort((a, b) => a[0] - b[0]);
    writer.varint(known.length);
    for (const [member, directory] of known) {
      writer.varint(member);
      writer.varint(directory);
    }
  }

  load(reader: ByteReader): void {
    this.boot = reader.varint();
    this.term = reader.varint();
    this.votedFor = reader.varint();
    this.snapshotIndex = reader.varint();
    this.snapshotTerm = reader.varint();
    this.snapshotFile = reader.string();
    this.registered = reader.bool();
    this.directories.clear();
    for (let left = reader.varint(); left > 0; left--) this.directories.set(reader.varint(), reader.varint());
  }
}
