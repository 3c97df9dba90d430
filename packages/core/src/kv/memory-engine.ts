/** An Engine whose trees are in memory: what it holds is lost with the process, unless whoever uses it writes it down. */
import { assert } from '../base/assert.ts';
import { type ByteReader, type ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { type Change, type Engine, readTransaction, type Transaction, type Tree, writeTransaction } from './engine.ts';
import { MemoryStore } from './memory-store.ts';
import type { Visit } from './ordered-store.ts';

export class MemoryEngine implements Engine {
  readonly #trees = new Map<string, MemoryStore<Uint8Array>>();
  readonly #begin: (token: number, transaction: Transaction) => void;
  #record: Uint8Array | null = null;
  #pending: Transaction | null = null;

  /** `begin` sees to it that the transaction's outcome is delivered, later. */
  constructor(begin: (token: number, transaction: Transaction) => void) {
    this.#begin = begin;
  }

  get record(): Uint8Array | null {
    return this.#record;
  }

  get sizeBytes(): number {
    let sizeBytes = 0;
    for (const store of this.#trees.values()) {
      store.scan(EMPTY_BYTES, null, (key, bytes) => {
        sizeBytes += key.length + bytes.length;
        return true;
      });
    }
    return sizeBytes;
  }

  tree(name: string): Tree {
    return new MemoryTree(this.#trees.get(name) ?? new MemoryStore());
  }

  commit(token: number, transaction: Transaction): void {
    assert(this.#pending === null, 'one transaction at a time');
    this.#pending = transaction;
    this.#begin(token, transaction);
  }

  settle(outcome: 'done' | 'error'): void {
    const transaction = this.#pending;
    assert(transaction !== null, 'a transaction was begun');
    this.#pending = null;
    if (outcome === 'done') this.restore(transaction);
  }

  /** A transaction that was durable before this engine was made. */
  restore(transaction: Transaction): void {
    for (const [name, changes] of transaction.changes) {
      const store = this.#trees.get(name)?.snapshot() ?? new MemoryStore<Uint8Array>();
      for (const change of changes) applyChange(store, change);
      this.#trees.set(name, store);
    }
    this.#record = transaction.record;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#trees.size);
    for (const [name, store] of this.#trees) {
      writer.string(name);
      writer.varint(store.size);
      store.scan(EMPTY_BYTES, null, (key, bytes) => {
        writer.bytes(key);
        writer.bytes(bytes);
        return true;
      });
    }
    writer.bool(this.#record !== null);
    if (this.#record !== null) writer.bytes(this.#record);
    writer.bool(this.#pending !== null);
    if (this.#pending !== null) writeTransaction(writer, this.#pending);
  }

  load(reader: ByteReader): void {
    for (let trees = reader.varint(); trees > 0; trees--) {
      const store = new MemoryStore<Uint8Array>();
      this.#trees.set(reader.string(), store);
      for (let left = reader.varint(); left > 0; left--) store.put(reader.bytes(), reader.bytes());
    }
    this.#record = reader.bool() ? reader.bytes() : null;
    this.#pending = reader.bool() ? readTransaction(reader) : null;
  }
}

function applyChange(store: MemoryStore<Uint8Array>, { key, bytes, existed }: Change): void {
  assert((store.get(key) !== undefined) === existed, 'a change knows what it changes');
  if (bytes === null) store.delete(key);
  else store.put(key, bytes);
}

class MemoryTree implements Tree {
  readonly #store: MemoryStore<Uint8Array>;

  constructor(store: MemoryStore<Uint8Array>) {
    this.#store = store;
  }

  get size(): number {
    return this.#store.size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#store.get(key);
  }

  has(key: Uint8Array): boolean {
    return this.#store.get(key) !== undefined;
  }

  scan(from: Uint8Array, to: Uint8Array | null, visit: Visit<Uint8Array>): void {
    this.#store.scan(from, to, visit);
  }

  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: Visit<Uint8Array>): void {
    this.#store.scanBackward(from, to, visit);
  }

  count(from: Uint8Array, to: Uint8Array | null): number {
    return this.#store.count(from, to);
  }

  snapshot(): Tree {
    return this;
  }

  close(): void {
    // Nothing but memory.
  }
}
