import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { LogRecord, Mark } from '../consensus/replica.ts';
import { readLogRecord, writeRecord } from '../log/index.ts';
import type { SnapshotName } from './snapshot-file.ts';
import type { Purpose } from './snapshots.ts';

/** The records of one write and one sync, and what happens once they are durable. */
export interface Group {
  records: LogRecord[];
  mark: Mark;
  snapshot: { readonly snapshot: SnapshotName; readonly purpose: Purpose } | null;
}

export function saveGroup(writer: ByteWriter, group: Group): void {
  writeList(writer, group.records, writeRecord);
  writer.varint(group.mark);
  writer.varint(group.snapshot?.snapshot.index ?? 0);
  writer.varint(group.snapshot?.snapshot.term ?? 0);
  writer.bool(group.snapshot?.purpose === 'own');
}

export function loadGroup(reader: ByteReader): Group {
  const records = readList(reader, readLogRecord);
  const mark = reader.varint();
  const snapshot = { index: reader.varint(), term: reader.varint() };
  const purpose = reader.bool() ? 'own' : 'peer';
  return { records, mark, snapshot: snapshot.index === 0 ? null : { snapshot, purpose } };
}
