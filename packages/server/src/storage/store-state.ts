/** The records beside the trees: whose store it is, and what each transaction writes with its data. */
import { ByteReader, ByteWriter, equalBytes, PolderError, utf8 } from '@polder/core';
import { AWAY } from './lmdb-errors.ts';
import type { TreeSize } from './lmdb-tree.ts';

const MAGIC = 'polder store';
const FORMAT = 1;
const LMDB_MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;

export interface State {
  /** null: no transaction yet. */
  readonly record: Uint8Array | null;
  readonly sizes: ReadonlyMap<string, TreeSize>;
}

export const NO_STATE: State = { record: null, sizes: new Map() };

export function encodeOwner(owner: string): Uint8Array {
  const writer = new ByteWriter();
  writer.string(MAGIC);
  writer.varint(FORMAT);
  writer.string(owner);
  return writer.finish();
}

/** Throws `ForeignStore` or `UnknownFormat`. */
export function checkOwner(path: string, owner: string, bytes: Uint8Array | undefined): void {
  let found: string | null = null;
  try {
    const reader = new ByteReader(bytes ?? utf8(''));
    if (reader.string() === MAGIC) {
      const format = reader.varint();
      if (format !== FORMAT) {
        const message = `${path} is of format ${format}, and this program knows ${FORMAT}: run the version that wrote it`;
        throw new PolderError('UnknownFormat', message);
      }
      found = reader.string();
    }
  } catch (error) {
    if (!(error instanceof PolderError) || error.code !== 'MalformedBytes') throw error;
  }
  if (found === owner) return;
  const whose = found === null ? 'is not a store of Polder' : `belongs to ${found}, not to ${owner}`;
  throw new PolderError('ForeignStore', `${path} ${whose}: ${AWAY}`);
}

export function encodeState({ record, sizes }: State): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(sizes.size);
  for (const [name, { keys, longKeys }] of sizes) {
    writer.string(name);
    writer.varint(keys);
    writer.varint(longKeys);
  }
  writer.raw(record ?? utf8(''));
  return writer.finish();
}

/** Throws `MalformedBytes`. */
export function decodeState(bytes: Uint8Array): State {
  const reader = new ByteReader(bytes);
  const sizes = new Map<string, TreeSize>();
  for (let left = reader.varint(); left > 0; left--) {
    sizes.set(reader.string(), { keys: reader.varint(), longKeys: reader.varint() });
  }
  return { record: reader.rest(), sizes };
}

export function encodeCount(count: number): Uint8Array {
  const writer = new ByteWriter(8);
  writer.varint(count);
  return writer.finish();
}

/** LMDB keeps a table's name with a zero byte behind it. */
export function isNameAmong(bytes: Uint8Array, names: readonly string[]): boolean {
  return names.some((name) => equalBytes(bytes, utf8(`${name}\0`)));
}

/** LMDB's own mark, in its first page's header. Looked at here, for LMDB itself crashes on some files that lack it. */
export function hasLmdbMagic(firstBytes: Uint8Array): boolean {
  return firstBytes.length >= MAGIC_AT + 4 && new ByteReader(firstBytes.subarray(MAGIC_AT)).u32() === LMDB_MAGIC;
}
