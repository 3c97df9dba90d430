/** An Engine whose trees are in memory: what it holds is lost with the process, unless whoever uses it writes it down. */
import { assert } from '../base/assert.ts';
import type { Change, Engine, Transaction, Tree } from './engine.ts';
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
      store.scan(new Uint8Array(0), null, (key, bytes) => {
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
