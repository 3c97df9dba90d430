import { assert } from '../../base/assert.ts';
import type { UsedSets } from './used-sets.ts';

/** The columns of a record: then come the words of `placed`, then those of `covered`. */
export const STATE = 0;
export const USED = 1;
export const TRACE = 2;
export const PLACED = 3;

/** In the column of the state: another record made this one superfluous. */
export const SUPERSEDED = -1;

/** So few records are compared one by one. */
const SCANNED = 8;
const BUCKETS = 16;
const LOAD = 4;
const NOTHING = new Int32Array(0);

/**
 * What an object can have come to: its state, which operations under way are placed, which of them are covered (would
 * have fitted in earlier without changing anything) and which unknown ones were used. Flat integers, in the order in
 * which they were added, without those that another one makes superfluous: of two with the same state and the same
 * operations placed, the one that used no more and covers no less can do whatever the other can.
 */
export class Configurations {
  readonly words: number;
  readonly stride: number;
  data: Int32Array;
  /** Superseded records included. */
  count = 0;
  #superseded = 0;
  /** By state, modulo the number of buckets, the last record; and by record, the one before it. */
  #buckets = 0;
  #heads: Int32Array = NOTHING;
  #next: Int32Array = NOTHING;

  constructor(words: number, capacity = 4) {
    this.words = words;
    this.stride = PLACED + 2 * words;
    this.data = new Int32Array(capacity * this.stride);
  }

  /** Without the superseded. */
  get size(): number {
    return this.count - this.#superseded;
  }

  clear(): void {
    this.count = 0;
    this.#superseded = 0;
    this.#buckets = 0;
  }

  /** As it is now, for reading only. */
  copy(): Configurations {
    const copy = new Configurations(this.words, 0);
    copy.data = this.data.slice(0, this.count * this.stride);
    copy.count = this.count;
    copy.#superseded = this.#superseded;
    return copy;
  }

  /** Gives states and used sets other numbers, different ones for different ones; for reading only afterwards. */
  rewrite(state: (old: number) => number, used: (old: number) => number): void {
    for (let at = 0; at < this.count * this.stride; at += this.stride) {
      if (this.data[at] === SUPERSEDED) continue;
      this.data[at + STATE] = state(this.data[at + STATE] as number);
      this.data[at + USED] = used(this.data[at + USED] as number);
    }
  }

  /** The used sets of all records. */
  usedSets(into: Set<number>): void {
    for (let at = 0; at < this.count * this.stride; at += this.stride) {
      if (this.data[at] !== SUPERSEDED) into.add(this.data[at + USED] as number);
    }
  }

  /** Copies one record into one with at least as many words; false when it is superseded. */
  read(index: number, record: Int32Array, words: number): boolean {
    const at = index * this.stride;
    const { data } = this;
    if (data[at] === SUPERSEDED) return false;
    record[STATE] = data[at] as number;
    record[USED] = data[at + USED] as number;
    record[TRACE] = data[at + TRACE] as number;
    for (let word = 0; word < words; word++) {
      const there = word < this.words;
      record[PLACED + word] = there ? (data[at + PLACED + word] as number) : 0;
      record[PLACED + words + word] = there ? (data[at + PLACED + this.words + word] as number) : 0;
    }
    return true;
  }

  /** False, and nothing added, when a record that is there already does for this one. */
  add(record: Int32Array, used: UsedSets): boolean {
    assert(record.length === this.stride, 'a record has the words of its set');
    if (this.#buckets === 0) {
      if (this.count <= SCANNED) {
        for (let i = 0; i < this.count; i++) if (!this.#settle(i, record, used)) return false;
        this.#append(record);
        return true;
      }
      this.#index(BUCKETS);
    }
    const bucket = (record[STATE] as number) & (this.#buckets - 1);
    let after = -1;
    for (let i = this.#heads[bucket] as number; i >= 0; i = this.#next[i] as number) {
      if (this.data[i * this.stride] !== SUPERSEDED && !this.#settle(i, record, used)) return false;
      if (this.data[i * this.stride] !== SUPERSEDED) after = i;
      else if (after < 0) this.#heads[bucket] = this.#next[i] as number;
      else this.#next[after] = this.#next[i] as number;
    }
    this.#append(record);
    this.#link(this.count - 1, bucket);
    if (this.count > LOAD * this.#buckets) this.#index(this.#buckets * 4);
    return true;
  }

  /**
   * Compares with record i: false when that one will do, and marks that one when it is no longer needed. A covered
   * operation can stand for one that is placed, and for one that is not.
   */
  #settle(i: number, record: Int32Array, used: UsedSets): boolean {
    const { data, words } = this;
    const at = i * this.stride;
    if (data[at] !== record[STATE]) return true;
    let theirsDoes = true;
    let oursDoes = true;
    for (let word = PLACED; word < PLACED + words; word++) {
      const differs = (data[at + word] as number) ^ (record[word] as number);
      const theirs = data[at + words + word] as number;
      const ours = record[words + word] as number;
      if (((differs | ours) & ~theirs) !== 0) theirsDoes = false;
      if (((differs | theirs) & ~ours) !== 0) oursDoes = false;
    }
    if (!theirsDoes && !oursDoes) return true;
    const theirs = data[at + USED] as number;
    const ours = record[USED] as number;
    if (theirsDoes && used.within(theirs, ours)) return false;
    if (oursDoes && used.within(ours, theirs)) {
      data[at] = SUPERSEDED;
      this.#superseded++;
    }
    return true;
  }

  #append(record: Int32Array): void {
    const at = this.count * this.stride;
    if (at + this.stride > this.data.length) {
      const larger = new Int32Array(this.data.length * 2);
      larger.set(this.data);
      this.data = larger;
    }
    for (let i = 0; i < this.stride; i++) this.data[at + i] = record[i] as number;
    this.count++;
  }

  #index(buckets: number): void {
    this.#buckets = buckets;
    if (this.#heads.length < buckets) this.#heads = new Int32Array(buckets);
    this.#heads.fill(-1, 0, buckets);
    for (let i = 0; i < this.count; i++) {
      const state = this.data[i * this.stride] as number;
      if (state !== SUPERSEDED) this.#link(i, state & (buckets - 1));
    }
  }

  #link(i: number, bucket: number): void {
    if (i >= this.#next.length) {
      const larger = new Int32Array(4 * (i + 1));
      larger.set(this.#next);
      this.#next = larger;
    }
    this.#next[i] = this.#heads[bucket] as number;
    this.#heads[bucket] = i;
  }
}
