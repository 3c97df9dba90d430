/**
 * What lies under an overlay: named trees of bytes and one record, changed only by whole, durable transactions. The
 * server's is LMDB; the simulator's is a file that loses what was not synced.
 *
 *   commit(token, transaction) ──► the world delivers `token`, never from inside ──► settle(): reads see it
 *
 * A crash leaves the last transaction that was durable, whole, or a later one that was under way, whole.
 */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Visit } from './ordered-store.ts';

/** Stays as it is: what a transaction changes is in the tree that the engine gives after it has settled. */
export interface Tree {
  readonly size: number;
  get(key: Uint8Array): Uint8Array | undefined;
  has(key: Uint8Array): boolean;
  scan(from: Uint8Array, to: Uint8Array | null, visit: Visit<Uint8Array>): void;
  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: Visit<Uint8Array>): void;
  /** May take time in proportion to the answer. */
  count(from: Uint8Array, to: Uint8Array | null): number;
  /** The same tree once more, to be closed by itself: it stays readable whatever is committed meanwhile. */
  snapshot(): Tree;
  close(): void;
}

export interface Change {
  readonly key: Uint8Array;
  /** null: the key goes. */
  readonly bytes: Uint8Array | null;
  /** Whether the tree holds the key before this change. */
  readonly existed: boolean;
}

export interface Transaction {
  /** By a tree's name; keys ascend, each once. */
  readonly changes: ReadonlyMap<string, readonly Change[]>;
  /** Takes the place of the one before: what must never be seen without its data (PITFALLS R29). */
  readonly record: Uint8Array;
}

export interface Engine {
  /** As of the last transaction that has settled. */
  tree(name: string): Tree;
  /** As of the same transaction; null: there was none yet. */
  readonly record: Uint8Array | null;
  /** What it takes on its device. */
  readonly sizeBytes: number;
  /** One at a time. Its outcome is delivered as a disk event under `token`: `done` means that it survives power loss. */
  commit(token: number, transaction: Transaction): void;
  /** The outcome was delivered: `done` makes its changes visible; after an `error` nothing has changed. */
  settle(outcome: 'done' | 'error'): void;
}

export function writeTransaction(writer: ByteWriter, { changes, record }: Transaction): void {
  writer.bytes(record);
  writer.varint(changes.size);
  for (const [name, list] of changes) {
    writer.string(name);
    writer.varint(list.length);
    for (const { key, bytes, existed } of list) {
      writer.bytes(key);
      writer.bool(existed);
      writer.bool(bytes !== null);
      if (bytes !== null) writer.bytes(bytes);
    }
  }
}

/** Throws `MalformedBytes`. */
export function readTransaction(reader: ByteReader): Transaction {
  const record = reader.bytes();
  const changes = new Map<string, readonly Change[]>();
  for (let trees = reader.varint(); trees > 0; trees--) {
    const name = reader.string();
    const list: Change[] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const key = reader.bytes();
      const existed = reader.bool();
      list.push({ key, bytes: reader.bool() ? reader.bytes() : null, existed });
    }
    changes.set(name, list);
  }
  return { changes, record };
}
