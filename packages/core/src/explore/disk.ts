/** What a member's disk holds, folded from the records that became durable in it. */
import { unreachable } from '../base/assert.ts';
import type { ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { writeEntry, writeList } from '../consensus/entry-codec.ts';
import type { Entry, LogRecord, Recovered } from '../consensus/replica.ts';

export function written(disk: Recovered, record: LogRecord): Recovered {
  switch (record.type) {
    case 'vote':
      return { ...disk, term: record.term, votedFor: record.votedFor };
    case 'entry':
      return { ...disk, entries: withEntry(disk.entries, record.entry) };
    case 'directory':
      return { ...disk, directories: new Map([...disk.directories, [record.member, record.directory]]) };
    case 'registered':
      return { ...disk, registered: true };
    case 'snapshot':
      throw outOfScope('a snapshot');
    default:
      return unreachable(record);
  }
}

/** An entry supersedes those at its index and above. */
export function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  return [...entries.filter((each) => each.index < entry.index), entry];
}

export function outOfScope(what: string): PolderError {
  return new PolderError('OutOfScope', `exploration does not cover ${what}: take fewer entries, or simulate instead`);
}

export function writeRecord(writer: ByteWriter, record: LogRecord): void {
  writer.u8(['vote', 'entry', 'directory', 'registered', 'snapshot'].indexOf(record.type));
  switch (record.type) {
    case 'vote':
      writer.varint(record.term);
      return writer.varint(record.votedFor);
    case 'entry':
      return writeEntry(writer, record.entry);
    case 'directory':
      writer.varint(record.member);
      return writer.varint(record.directory);
    case 'registered':
      return;
    case 'snapshot':
      throw outOfScope('a snapshot');
    default:
      return unreachable(record);
  }
}

export function writeDisk(writer: ByteWriter, disk: Recovered): void {
  writer.varint(disk.boot);
  writer.varint(disk.term);
  writer.varint(disk.votedFor);
  writeList(writer, disk.entries, writeEntry);
  writeList(
    writer,
    [...disk.directories].sort(([a], [b]) => a - b),
    (to, [member, directory]) => {
      to.varint(member);
      to.varint(directory);
    },
  );
  writer.bool(disk.registered);
}
