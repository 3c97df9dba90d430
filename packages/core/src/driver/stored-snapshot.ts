/** What is known of a snapshot that is a whole, durable file. */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PolderError } from '../base/error.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import { snapshotFile } from './snapshot-file.ts';

export interface StoredSnapshot {
  readonly index: number;
  readonly term: number;
  readonly sizeBytes: number;
  /** Of each piece of `pieceBytes`: 16 KiB for a file of 1 GiB. So that rot is not sent to others (PITFALLS R20). */
  readonly checksums: readonly number[];
  readonly pieceBytes: number;
}

/** Throws `CorruptSnapshot` when the bytes, which were read at `offset`, are not the ones that were written. */
export function checkPiece(snapshot: StoredSnapshot, offset: number, bytes: Uint8Array): void {
  const { index, sizeBytes, pieceBytes, checksums } = snapshot;
  if (bytes.length === 0 && offset < sizeBytes) throw corruptSnapshot(index);
  for (let at = offset % pieceBytes === 0 ? 0 : bytes.length; at < bytes.length; at += pieceBytes) {
    const end = Math.min(at + pieceBytes, bytes.length);
    if (end - at < pieceBytes && offset + end !== sizeBytes) return;
    if (crc32c(bytes, at, end) !== checksums[(offset + at) / pieceBytes]) throw corruptSnapshot(index);
  }
}

export function corruptSnapshot(index: number): PolderError {
  const advice = 'Restore the data directory, or replace this member.';
  return new PolderError('CorruptSnapshot', `${snapshotFile(index)} is corrupt: the member cannot go on. ${advice}`);
}

export function diskError(code: string, message: string): PolderError {
  const advice = 'the member stops. Mend the disk, then start it again.';
  return new PolderError('DiskError', `the disk failed (${code}: ${message}): ${advice}`);
}

export function saveStored(writer: ByteWriter, snapshot: StoredSnapshot | null): void {
  writer.bool(snapshot !== null);
  if (snapshot === null) return;
  for (const value of [snapshot.index, snapshot.term, snapshot.sizeBytes, snapshot.pieceBytes]) writer.varint(value);
  writeList(writer, snapshot.checksums, (to, checksum) => to.u32(checksum));
}

export function loadStored(reader: ByteReader): StoredSnapshot | null {
  if (!reader.bool()) return null;
  const [index, term] = [reader.varint(), reader.varint()];
  const [sizeBytes, pieceBytes] = [reader.varint(), reader.varint()];
  return { index, term, sizeBytes, pieceBytes, checksums: readList(reader, (from) => from.u32()) };
}
