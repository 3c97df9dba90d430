/**
 * An OrderedStore in memory: sorted chunks under a sorted list of chunks, which is a B+tree of two levels. A snapshot
 * copies only the list; chunks are copied when either side writes to one.
 */
import { assert, defined } from '../base/assert.ts';
import { compareBytes } from '../base/bytes.ts';
import type { OrderedStore, Visit } from './ordered-store.ts';

const CHUNK_KEYS = 256;

interface Chunk<Value> {
  readonly keys: Uint8Array[];
  readonly values: Value[];
  /** Only the store that owns a chunk may change it. */
  readonly owner: object;
}

export class MemoryStore<Value> implements OrderedStore<Value> {
  /** Never an empty chunk; keys ascend within and across chunks. */
  #chunks: Chunk<Value>[] = [];
  #size = 0;
  #owner: object = {};

  get size(): number {
    return this.#size;
  }

  get(key: Uint8Array): Value | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (chunk === undefined) return undefined;
    const at = lowerBound(chunk.keys, key);
    const found = chunk.keys[at];
    return found !== undefined && compareBytes(found, key) === 0 ? chunk.values[at] : undefined;
  }

  put(key: Uint8Array, value: Value): void {
    if (this.#chunks.length === 0) {
      this.#chunks.push({ keys: [key], values: [value], owner: this.#owner });
      this.#size = 1;
      return;
    }
    const index = this.#chunkOf(key);
    const chunk = this.#owned(index);
    const at = lowerBound(chunk.keys, key);
    const found = chunk.keys[at];
    if (found !== undefined && compareBytes(found, key) === 0) {
      chunk.values[at] = value;
      return;
    }
    chunk.keys.splice(at, 0, key);
    chunk.values.splice(at, 0, value);
    this.#size++;
    if (chunk.keys.length > CHUNK_KEYS) this.#split(index, at);
  }

  delete(key: Uint8Array): boolean {
    const index = this.#chunkOf(key);
    const chunk = this.#chunks[index];
    if (chunk === undefined) return false;
    const at = lowerBound(chunk.keys, key);
    const found = chunk.keys[at];
    if (found === undefined || compareBytes(found, key) !== 0) return false;
    const owned = this.#owned(index);
    owned.keys.splice(at, 1);
    owned.values.splice(at, 1);
    this.#size--;
    if (owned.keys.length === 0) this.#chunks.splice(index, 1);
    else if (owned.keys.length < CHUNK_KEYS / 4) this.#merge(index);
    return true;
  }

  scan(from: Uint8Array, to: Uint8Array | null, visit: Visit<Value>): void {
    for (let index = this.#chunkOf(from); index < this.#chunks.length; index++) {
      const chunk = defined(this.#chunks[index], 'chunk in bounds');
      const start = lowerBound(chunk.keys, from);
      const end = to === null ? chunk.keys.length : lowerBound(chunk.keys, to);
      for (let at = start; at < end; at++) {
        if (!visit(chunk.keys[at] as Uint8Array, chunk.values[at] as Value)) return;
      }
      if (end < chunk.keys.length) return;
    }
  }

  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: Visit<Value>): void {
    const last = this.#chunks.length - 1;
    for (let index = to === null ? last : Math.min(last, this.#chunkOf(to)); index >= 0; index--) {
      const chunk = defined(this.#chunks[index], 'chunk in bounds');
      const start = lowerBound(chunk.keys, from);
      const end = to === null ? chunk.keys.length : lowerBound(chunk.keys, to);
      for (let at = end - 1; at >= start; at--) {
        if (!visit(chunk.keys[at] as Uint8Array, chunk.values[at] as Value)) return;
      }
      if (start > 0) return;
    }
  }

  count(from: Uint8Array, to: Uint8Array | null): number {
    let count = 0;
    for (let index = this.#chunkOf(from); index < this.#chunks.length; index++) {
      const { keys } = defined(this.#chunks[index], 'chunk in bounds');
      // Whole chunks are counted without looking into them: only the first and the last need a search.
      const first = defined(keys[0], 'no chunk is empty');
      const last = defined(keys[keys.length - 1], 'no chunk is empty');
      const start = compareBytes(first, from) >= 0 ? 0 : lowerBound(keys, from);
      const end = to === null || compareBytes(last, to) < 0 ? keys.length : lowerBound(keys, to);
      count += Math.max(0, end - start);
      if (end < keys.length) break;
    }
    return count;
  }

  snapshot(): MemoryStore<Value> {
    const copy = new MemoryStore<Value>();
    copy.#chunks = this.#chunks.slice();
    copy.#size = this.#size;
    // From now on neither side owns the shared chunks.
    this.#owner = {};
    return copy;
  }

  close(): void {
    // Memory is all that it holds.
  }

  /** What `scan` or `scanBackward` would visit, one at a time. No writes meanwhile. */
  cursor(from: Uint8Array, to: Uint8Array | null, direction: Direction): StoreCursor<Value> {
    const end = to !== null && compareBytes(from, to) >= 0 ? from : to;
    const start = direction === 'ascending' ? this.#firstNotBelow(from) : this.#lastBelow(end);
    const step = direction === 'ascending' ? 1 : -1;
    return new ChunkCursor(this.#chunks, start, step, (key) =>
      direction === 'ascending' ? end === null || compareBytes(key, end) < 0 : compareBytes(key, from) >= 0,
    );
  }

  #firstNotBelow(from: Uint8Array): Place {
    const chunk = this.#chunkOf(from);
    return { chunk, at: lowerBound(this.#chunks[chunk]?.keys ?? [], from) };
  }

  #lastBelow(end: Uint8Array | null): Place {
    const last = this.#chunks.length - 1;
    const chunk = end === null ? last : Math.min(last, this.#chunkOf(end));
    const keys = this.#chunks[chunk]?.keys ?? [];
    return { chunk, at: (end === null ? keys.length : lowerBound(keys, end)) - 1 };
  }

  /** The chunk in which `key` is or would be: the last that starts at or before it. */
  #chunkOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const first = this.#chunks[middle]?.keys[0] as Uint8Array;
      if (compareBytes(first, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : low - 1;
  }

  #owned(index: number): Chunk<Value> {
    const chunk = defined(this.#chunks[index], 'chunk in bounds');
    if (chunk.owner === this.#owner) return chunk;
    const copy = { keys: chunk.keys.slice(), values: chunk.values.slice(), owner: this.#owner };
    this.#chunks[index] = copy;
    return copy;
  }

  /** Ascending inserts, the common bulk load, leave full chunks behind instead of half-full ones. */
  #split(index: number, insertedAt: number): void {
    const chunk = this.#owned(index);
    const half = insertedAt === chunk.keys.length - 1 ? insertedAt : chunk.keys.length >>> 1;
    const keys = chunk.keys.splice(half);
    const values = chunk.values.splice(half);
    assert(keys.length > 0 && chunk.keys.length > 0, 'no half is empty');
    this.#chunks.splice(index + 1, 0, { keys, values, owner: this.#owner });
  }

  #merge(index: number): void {
    const left = index > 0 ? index - 1 : index;
    const next = this.#chunks[left + 1];
    if (next === undefined) return;
    const chunk = this.#owned(left);
    if (chunk.keys.length + next.keys.length > CHUNK_KEYS) return;
    chunk.keys.push(...next.keys);
    chunk.values.push(...next.values);
    this.#chunks.splice(left + 1, 1);
  }
}

export type Direction = 'ascending' | 'descending';

/** Stands on an entry, or behind the last one: then `key` is null. */
export interface StoreCursor<Value> {
  readonly key: Uint8Array | null;
  readonly value: Value;
  next(): void;
}

interface Place {
  readonly chunk: number;
  readonly at: number;
}

class ChunkCursor<Value> implements StoreCursor<Value> {
  readonly #chunks: readonly Chunk<Value>[];
  readonly #step: 1 | -1;
  readonly #within: (key: Uint8Array) => boolean;
  #chunk: number;
  #at: number;
  #key: Uint8Array | null = null;

  constructor(chunks: readonly Chunk<Value>[], start: Place, step: 1 | -1, within: (key: Uint8Array) => boolean) {
    this.#chunks = chunks;
    this.#step = step;
    this.#within = within;
    this.#chunk = start.chunk;
    this.#at = start.at;
    this.#settle();
  }

  get key(): Uint8Array | null {
    return this.#key;
  }

  get value(): Value {
    assert(this.#key !== null, 'a cursor stands on an entry');
    return this.#chunks[this.#chunk]?.values[this.#at] as Value;
  }

  next(): void {
    assert(this.#key !== null, 'a cursor moves on from an entry');
    this.#at += this.#step;
    this.#settle();
  }

  /** Into the next chunk where this one ends; no chunk is empty. */
  #settle(): void {
    const keys = this.#chunks[this.#chunk]?.keys ?? [];
    if (this.#at >= keys.length || this.#at < 0) {
      this.#chunk += this.#step;
      const length = this.#chunks[this.#chunk]?.keys.length ?? 0;
      this.#at = this.#step === 1 ? 0 : length - 1;
    }
    const key = this.#chunks[this.#chunk]?.keys[this.#at] ?? null;
    this.#key = key !== null && this.#within(key) ? key : null;
  }
}

/** The first position whose key is not below `key`. */
function lowerBound(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(keys[middle] as Uint8Array, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
