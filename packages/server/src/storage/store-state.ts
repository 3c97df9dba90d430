/** The records beside the trees: whose store it is, and what each transaction writes with its data. */
import { ByteReader, ByteWriter, PolderError, text, utf8 } from '@polder/core';
import { AWAY } from './lmdb-errors.ts';
import type { TreeSize } from './lmdb-tree.ts';

const MAGIC = 'polder store';
const FORMAT = 1;

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

export function isText(bytes: Uint8Array, names: readonly string[]): boolean {
  try {
    return names.includes(text(bytes));
  } catch {
    return false;
  }
}
