import { utf8 } from '../base/bytes.ts';

/**
 * The ids of a clock, ascending by code units: each has the slot of its place. Clocks that come from one another share
 * one membership, so that their counts are compared slot by slot without a look at an id.
 */
export class Membership {
  readonly ids: readonly string[];
  /** The ids in UTF-8, made when first asked for: reading and writing clocks then handles bytes only. */
  #encoded: readonly Uint8Array[] | null = null;

  constructor(ids: readonly string[]) {
    this.ids = ids;
  }

  get encodedIds(): readonly Uint8Array[] {
    this.#encoded ??= this.ids.map(utf8);
    return this.#encoded;
  }

  equals(other: Membership): boolean {
    const mine = this.ids;
    const theirs = other.ids;
    if (mine.length !== theirs.length) return false;
    for (let slot = 0; slot < mine.length; slot++) if (mine[slot] !== theirs[slot]) return false;
    return true;
  }

  /** The slot of an id, or the complement (~) of where it would stand. */
  slotOf(id: string): number {
    const ids = this.ids;
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = ids[middle] as string;
      if (found === id) return middle;
      if (found < id) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  with(id: string, slot: number): Membership {
    return new Membership(this.ids.toSpliced(slot, 0, id));
  }
}
