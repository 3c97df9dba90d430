/** One version of a key, and its bytes in the trees of an engine. */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { OrderedStore } from './ordered-store.ts';
import type { ValueCodec } from './overlay-store.ts';
import { readPastKey } from './past-key.ts';

export interface Version {
  readonly key: Uint8Array;
  /** 0 in a tombstone, as is `version`. */
  readonly createRevision: number;
  readonly modRevision: number;
  /** Orders the changes of one transaction: a revision is {modRevision, sub}. */
  readonly sub: number;
  readonly version: number;
  /** null: a tombstone. */
  readonly value: Uint8Array | null;
}

/** Each living key's newest version by its key; every other one, and every tombstone, by its past key. */
export interface VersionStores {
  readonly current: OrderedStore<Version>;
  readonly past: OrderedStore<Version>;
}

const TOMBSTONE = 0;
const VALUE = 1;
const VERSION_BYTES = 100;

/** What the key says is not written again; the value comes last and needs no length. */
export const CURRENT_VERSIONS: ValueCodec<Version> = {
  encode: (version) => {
    const writer = new ByteWriter(sizeHint(version));
    writer.u8(VALUE);
    writer.varint(version.modRevision);
    writer.varint(version.sub);
    writeLiving(writer, version);
    return writer.finish();
  },
  decode: (key, bytes) => {
    const reader = new ByteReader(bytes);
    if (reader.u8() !== VALUE) throw malformed();
    const modRevision = reader.varint();
    return readLiving(reader, key, modRevision, reader.varint());
  },
  sizeOf,
};

export const PAST_VERSIONS: ValueCodec<Version> = {
  encode: (version) => {
    const writer = new ByteWriter(sizeHint(version));
    writer.u8(version.value === null ? TOMBSTONE : VALUE);
    writeLiving(writer, version);
    return writer.finish();
  },
  decode: (pastKey, bytes) => {
    const { key, main: modRevision, sub } = readPastKey(pastKey);
    const reader = new ByteReader(bytes);
    const type = reader.u8();
    if (type === VALUE) return readLiving(reader, key, modRevision, sub);
    if (type !== TOMBSTONE) throw malformed();
    return { key, createRevision: 0, modRevision, sub, version: 0, value: null };
  },
  sizeOf,
};

function writeLiving(writer: ByteWriter, version: Version): void {
  if (version.value === null) return;
  writer.varint(version.createRevision);
  writer.varint(version.version);
  writer.raw(version.value);
}

function readLiving(reader: ByteReader, key: Uint8Array, modRevision: number, sub: number): Version {
  const createRevision = reader.varint();
  const version = reader.varint();
  return { key, createRevision, modRevision, sub, version, value: reader.rest() };
}

function sizeHint(version: Version): number {
  return (version.value?.length ?? 0) + 32;
}

function sizeOf(version: Version): number {
  return VERSION_BYTES + version.key.length + (version.value?.length ?? 0);
}

function malformed(): PolderError {
  return new PolderError('MalformedBytes', 'the store holds a version of a kind that this program does not know');
}
