import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { LogRecord, Mark } from '../consensus/replica.ts';
import { readLogRecord, writeRecord } from '../log/index.ts';
import { loadSnapshot, type Purpose, type Snapshot, saveSnapshot } from './snapshots.ts';

/** The records of one write and one sync, and what happens once they are durable. */
export interface Group {
  records: LogRecord[];
  mark: Mark;
  snapshot: { snapshot: Snapshot; purpose: Purpose } | null;
}

export function saveGroup(writer: ByteWriter, group: Group): void {
  writeList(writer, group.records, writeRecord);
  writer.varint(group.mark);
  saveSnapshot(writer, group.snapshot?.snapshot ?? null);
  writer.bool(group.snapshot?.purpose === 'own');
}

export function loadGroup(reader: ByteReader): Group {
  const records = readList(reader, readLogRecord);
  const mark = reader.varint();
  const snapshot = loadSnapshot(reader);
  const purpose = reader.bool() ? 'own' : 'peer';
  return { records, mark, snapshot: snapshot === null ? null : { snapshot, purpose } };
}
