/** What the log of a registers' replica holds. Its durable state is these, applied one after the other, and nothing else. */
import { unreachable } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readVectorClock, type VectorClock, writeVectorClock } from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import {
  readMaybe,
  readTag,
  readVersion,
  type Tag,
  type Version,
  writeMaybe,
  writeTag,
  writeVersion,
} from './version.ts';

export type RegisterRecord =
  /** Versions that came, and then what is complete with them. */
  | { readonly type: 'install'; readonly versions: readonly Version[]; readonly vector: VectorClock | null }
  /** `member` speaks through this directory from now on; the one before it is gone for good. */
  | { readonly type: 'bind'; readonly member: number; readonly directory: number }
  /** This directory has fetched what its member may have promised: it takes part in majorities. */
  | { readonly type: 'joined' }
  /** Tombstones that every member has, and with them all that they replaced. */
  | { readonly type: 'collect'; readonly tombstones: readonly Collected[] };

export interface Collected {
  readonly key: string;
  readonly tag: Tag;
}

const INSTALL = 1;
const BIND = 2;
const JOINED = 3;
const COLLECT = 4;

export function writeRegisterRecord(writer: ByteWriter, record: RegisterRecord): void {
  switch (record.type) {
    case 'install':
      writer.u8(INSTALL);
      writeList(writer, record.versions, writeVersion);
      return writeMaybe(writer, record.vector, writeVectorClock);
    case 'bind':
      writer.u8(BIND);
      writer.varint(record.member);
      return writer.varint(record.directory);
    case 'joined':
      return writer.u8(JOINED);
    case 'collect':
      writer.u8(COLLECT);
      return writeList(writer, record.tombstones, (to, { key, tag }) => {
        to.string(key);
        writeTag(to, tag);
      });
    default:
      return unreachable(record);
  }
}

/** Throws `MalformedBytes`. */
export function readRegisterRecord(reader: ByteReader): RegisterRecord {
  const type = reader.u8();
  switch (type) {
    case INSTALL:
      return { type: 'install', versions: readList(reader, readVersion), vector: readMaybe(reader, readVectorClock) };
    case BIND:
      return { type: 'bind', member: reader.varint(), directory: reader.varint() };
    case JOINED:
      return { type: 'joined' };
    case COLLECT:
      return { type: 'collect', tombstones: readList(reader, (from) => ({ key: from.string(), tag: readTag(from) })) };
    default:
      throw new PolderError('MalformedBytes', `the registers' log holds a record of unknown type ${type}`);
  }
}

export function encodeRegisterRecord(record: RegisterRecord): Uint8Array {
  const writer = new ByteWriter();
  writeRegisterRecord(writer, record);
  return writer.finish();
}

export function decodeRegisterRecord(bytes: Uint8Array): RegisterRecord {
  const reader = new ByteReader(bytes);
  const record = readRegisterRecord(reader);
  reader.end();
  return record;
}
