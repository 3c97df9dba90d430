/** What a driver holds until it may go on. */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readEntry, writeEntry } from '../consensus/entry-codec.ts';
import type { Entry, Mark } from '../consensus/replica.ts';

export interface HeldSend {
  readonly to: number;
  readonly frame: Uint8Array;
  readonly after: Mark;
}

export interface HeldApply {
  readonly entry: Entry;
  readonly after: Mark;
}

/** Answered once `index` is applied. */
export interface ReadyRead {
  readonly id: number;
  readonly index: number;
}

interface Saved<Held> {
  readonly write: (writer: ByteWriter, held: Held) => void;
  readonly read: (reader: ByteReader) => Held;
}

export const SENDS: Saved<HeldSend> = {
  write: (writer, { to, frame, after }) => {
    writer.varint(to);
    writer.bytes(frame);
    writer.varint(after);
  },
  read: (reader) => ({ to: reader.varint(), frame: reader.bytes(), after: reader.varint() }),
};

export const APPLIES: Saved<HeldApply> = {
  write: (writer, { entry, after }) => {
    writeEntry(writer, entry);
    writer.varint(after);
  },
  read: (reader) => ({ entry: readEntry(reader), after: reader.varint() }),
};

export const READS: Saved<ReadyRead> = {
  write: (writer, { id, index }) => {
    writer.varint(id);
    writer.varint(index);
  },
  read: (reader) => ({ id: reader.varint(), index: reader.varint() }),
};
