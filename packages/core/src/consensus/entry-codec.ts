/** The bytes of log entries, the same in messages, in the log and in saved state. */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { Entry, Origin } from './replica.ts';

const LIST_MAX = 1 << 16;

export function writeOrigin(writer: ByteWriter, origin: Origin): void {
  writer.varint(origin.member);
  writer.varint(origin.boot);
  writer.varint(origin.sequence);
  writer.varint(origin.acknowledgedThrough);
}

export function readOrigin(reader: ByteReader): Origin {
  return {
    member: reader.varint(),
    boot: reader.varint(),
    sequence: reader.varint(),
    acknowledgedThrough: reader.varint(),
  };
}

export function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer.varint(entry.term);
  writer.varint(entry.index);
  writer.bool(entry.origin !== null);
  if (entry.origin !== null) writeOrigin(writer, entry.origin);
  writer.bytes(entry.command);
}

export function readEntry(reader: ByteReader): Entry {
  const term = reader.varint();
  const index = reader.varint();
  const origin = reader.bool() ? readOrigin(reader) : null;
  return { term, index, origin, command: reader.bytes() };
}

export function writeList<T>(writer: ByteWriter, items: readonly T[], write: (writer: ByteWriter, item: T) => void) {
  writer.varint(items.length);
  for (const item of items) write(writer, item);
}

export function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const length = reader.varint();
  if (length > LIST_MAX) throw new PolderError('MalformedBytes', 'a list is longer than any member writes');
  const items: T[] = [];
  for (let i = 0; i < length; i++) items.push(read(reader));
  return items;
}
