import { assert } from '../base/assert.ts';
import { compareBytes } from '../base/bytes.ts';

interface Interval {
  readonly from: Uint8Array;
  /** Exclusive; null: no end. */
  readonly to: Uint8Array | null;
}

/** A set of keys as disjoint intervals in order: thousands of deletes are searched, not walked through. */
export class KeyIntervals {
  #intervals: Interval[] = [];

  add(from: Uint8Array, to: Uint8Array | null): void {
    if (to !== null && compareBytes(from, to) >= 0) return;
    const start = this.#firstEndingAtOrAfter(from);
    let end = start;
    let lowest = from;
    let highest = to;
    for (let next = this.#intervals[end]; next !== undefined; next = this.#intervals[++end]) {
      if (highest !== null && compareBytes(next.from, highest) > 0) break;
      if (compareBytes(next.from, lowest) < 0) lowest = next.from;
      if (next.to === null || (highest !== null && compareBytes(next.to, highest) > 0)) highest = next.to;
    }
    assert(end >= start, 'what is replaced is a run');
    this.#intervals.splice(start, end - start, { from: lowest, to: highest });
  }

  addAll(other: KeyIntervals): void {
    for (const { from, to } of other.#intervals) this.add(from, to);
  }

  has(key: Uint8Array): boolean {
    for (let i = this.#firstEndingAtOrAfter(key); i < this.#intervals.length; i++) {
      const { from, to } = this.#intervals[i] as Interval;
      if (compareBytes(key, from) < 0) return false;
      if (to === null || compareBytes(key, to) < 0) return true;
    }
    return false;
  }

  #firstEndingAtOrAfter(key: Uint8Array): number {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { to } = this.#intervals[middle] as Interval;
      if (to !== null && compareBytes(to, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
