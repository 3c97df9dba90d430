/**
 * Vector clocks (Fidge 1988, Mattern 1989) as immutable values: a membership, which clocks of one lineage share, and
 * an array of counts in its order. A count of zero is never stored, so that equal clocks have equal arrays. There is
 * no object with ids as keys, hence none of the ids that break one.
 */
import { PolderError } from '../base/error.ts';
import { checkMemberId } from './member-id.ts';
import { Membership } from './membership.ts';

/** How one clock, or event, stands to another. `equal` and `concurrent` are different answers (PITFALLS C1). */
export type Causality = 'before' | 'after' | 'equal' | 'concurrent';

export const MAX_CLOCK_MEMBERS = 1024;

export class VectorClock {
  /** Replaced only by an equal one, which is what makes the next comparison quick. */
  #membership: Membership;
  readonly #counts: readonly number[];

  private constructor(membership: Membership, counts: readonly number[]) {
    this.#membership = membership;
    this.#counts = counts;
  }

  /** Knows nothing: before every other clock. */
  static get empty(): VectorClock {
    return EMPTY;
  }

  /**
   * From pairs of id and count, in any order; pairs with 0 are dropped. Throws `InvalidMemberId`, `ClockLimit`, or
   * `MalformedClock` for a count that is no integer from 0 to 2^53 − 1 and for an id that is there twice.
   */
  static from(entries: Iterable<readonly [string, number]>): VectorClock {
    const kept: (readonly [string, number])[] = [];
    for (const entry of entries) {
      checkCount(entry[0], entry[1]);
      checkMemberId(entry[0]);
      if (entry[1] > 0) kept.push(entry);
      checkMembers(kept.length);
    }
    kept.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    const ids = kept.map((entry) => entry[0]);
    const twice = ids.find((id, i) => id === ids[i + 1]);
    if (twice !== undefined) throw malformed(`names ${JSON.stringify(twice)} twice`);
    const counts = kept.map((entry) => entry[1]);
    return new VectorClock(new Membership(ids), counts);
  }

  /** For those who have a membership at hand; every count is a safe integer above 0. */
  static ofMembership(membership: Membership, counts: readonly number[]): VectorClock {
    return new VectorClock(membership, counts);
  }

  /** From what `JSON.parse` made of `{"id": count, …}`; only own properties count. Throws as `from` does. */
  static fromJson(value: unknown): VectorClock {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('is not a JSON object');
    return VectorClock.from(Object.entries(value as Record<string, number>));
  }

  /** How many members it knows an event of. */
  get size(): number {
    return this.#counts.length;
  }

  get membership(): Membership {
    return this.#membership;
  }

  /** In the order of the membership's slots. */
  get counts(): readonly number[] {
    return this.#counts;
  }

  /** How many events of this member it knows: 0 when the member is absent. */
  get(id: string): number {
    const slot = this.#membership.slotOf(id);
    return slot < 0 ? 0 : (this.#counts[slot] as number);
  }

  /** In ascending order of ids, by code units; no count is 0. */
  entries(): (readonly [string, number])[] {
    return this.#membership.ids.map((id, slot) => [id, this.#counts[slot] as number] as const);
  }

  /** The clock of this member's next event. Throws `InvalidMemberId`, `ClockLimit`, `ClockOverflow`. */
  tick(id: string): VectorClock {
    const slot = this.#membership.slotOf(id);
    if (slot < 0) {
      checkMemberId(id);
      checkMembers(this.size + 1);
      return new VectorClock(this.#membership.with(id, ~slot), this.#counts.toSpliced(~slot, 0, 1));
    }
    const counts = this.#counts.slice();
    const count = counts[slot] as number;
    if (count === Number.MAX_SAFE_INTEGER) {
      throw new PolderError('ClockOverflow', `the count of ${id} cannot grow: give the member a new id`);
    }
    counts[slot] = count + 1;
    return new VectorClock(this.#membership, counts);
  }

  /** The least clock that knows what both know: the larger count of each member. Throws `ClockLimit`. */
  merge(other: VectorClock): VectorClock {
    if (!this.#sharesMembership(other)) return this.#mergeOfDifferentMembers(other);
    const mine = this.#counts;
    const theirs = other.#counts;
    // Clocks are immutable, so the one that knows all of the other is the answer itself.
    let slot = firstDifferent(mine, theirs);
    if (slot === mine.length) return this;
    if ((mine[slot] as number) > (theirs[slot] as number)) {
      slot = firstLess(mine, theirs, slot);
      if (slot === mine.length) return this;
    } else if (firstLess(theirs, mine, slot) === mine.length) return other;
    const counts = mine.slice();
    for (; slot < counts.length; slot++) {
      const count = theirs[slot] as number;
      if (count > (counts[slot] as number)) counts[slot] = count;
    }
    return new VectorClock(this.#membership, counts);
  }

  /** `before`: all that this clock knows, the other knows, and more. */
  compare(other: VectorClock): Causality {
    if (!this.#sharesMembership(other)) return this.#compareOfDifferentMembers(other);
    return compareCounts(this.#counts, other.#counts);
  }

  /** An object without a prototype, so that every id is an ordinary property of it. */
  toJSON(): Record<string, number> {
    const object = Object.create(null) as Record<string, number>;
    for (const [id, count] of this.entries()) object[id] = count;
    return object;
  }

  /** As JSON, ids ascending: equal clocks give equal text, which `JSON.stringify` cannot promise of integer-like ids. */
  toString(): string {
    return `{${this.entries()
      .map(([id, count]) => `${JSON.stringify(id)}:${count}`)
      .join(',')}}`;
  }

  #sharesMembership(other: VectorClock): boolean {
    if (this.#membership === other.#membership) return true;
    if (!this.#membership.equals(other.#membership)) return false;
    other.#membership = this.#membership;
    return true;
  }

  #compareOfDifferentMembers(other: VectorClock): Causality {
    const mine = this.#membership.ids;
    const theirs = other.#membership.ids;
    let less = false;
    let greater = false;
    let i = 0;
    let j = 0;
    while (i < mine.length && j < theirs.length) {
      const a = mine[i] as string;
      const b = theirs[j] as string;
      if (a === b) {
        const difference = (this.#counts[i++] as number) - (other.#counts[j++] as number);
        if (difference < 0) less = true;
        else if (difference > 0) greater = true;
      } else if (a < b) {
        greater = true;
        i++;
      } else {
        less = true;
        j++;
      }
      if (less && greater) return 'concurrent';
    }
    return order(less || j < theirs.length, greater || i < mine.length);
  }

  #mergeOfDifferentMembers(other: VectorClock): VectorClock {
    const [larger, smaller] = this.size >= other.size ? [this, other] : [other, this];
    const covering = larger.#mergeSomeMembers(smaller);
    if (covering !== null) return covering;
    const merged = new Map(this.entries());
    for (const [id, count] of other.entries()) merged.set(id, Math.max(merged.get(id) ?? 0, count));
    return VectorClock.from(merged);
  }

  /** null unless all members of the other are among this clock's: the common case after one has joined. */
  #mergeSomeMembers(smaller: VectorClock): VectorClock | null {
    const ids = this.#membership.ids;
    const wanted = smaller.#membership.ids;
    let counts: number[] | null = null;
    let slot = 0;
    for (let i = 0; i < wanted.length; i++, slot++) {
      while (ids[slot] !== wanted[i]) if (++slot >= ids.length) return null;
      const count = smaller.#counts[i] as number;
      if (count <= (this.#counts[slot] as number)) continue;
      counts ??= this.#counts.slice();
      counts[slot] = count;
    }
    return counts === null ? this : new VectorClock(this.#membership, counts);
  }
}

const EMPTY = VectorClock.from([]);

/** Of clocks with one membership: the first slot in which they differ, or one past the last. */
function firstDifferent(mine: readonly number[], theirs: readonly number[]): number {
  let slot = 0;
  while (slot < mine.length && mine[slot] === theirs[slot]) slot++;
  return slot;
}

/** The first slot, not before `from`, in which `mine` is less, or one past the last. */
function firstLess(mine: readonly number[], theirs: readonly number[], from: number): number {
  let slot = from;
  while (slot < mine.length && (mine[slot] as number) >= (theirs[slot] as number)) slot++;
  return slot;
}

function compareCounts(mine: readonly number[], theirs: readonly number[]): Causality {
  const slot = firstDifferent(mine, theirs);
  if (slot === mine.length) return 'equal';
  if ((mine[slot] as number) < (theirs[slot] as number)) {
    return firstLess(theirs, mine, slot) === mine.length ? 'before' : 'concurrent';
  }
  return firstLess(mine, theirs, slot) === mine.length ? 'after' : 'concurrent';
}

function order(less: boolean, greater: boolean): Causality {
  if (less) return greater ? 'concurrent' : 'before';
  return greater ? 'after' : 'equal';
}

function checkMembers(count: number): void {
  if (count <= MAX_CLOCK_MEMBERS) return;
  throw new PolderError(
    'ClockLimit',
    `a vector clock holds at most ${MAX_CLOCK_MEMBERS} members: retire ids, or give short-lived ones no clock`,
  );
}

function checkCount(id: string, count: unknown): void {
  if (Number.isSafeInteger(count) && (count as number) >= 0) return;
  throw malformed(`gives ${JSON.stringify(id)} a count that is no integer from 0 to 2^53 − 1`);
}

function malformed(what: string): PolderError {
  return new PolderError('MalformedClock', `the vector clock ${what}: ask its sender for {"id": count, …}`);
}
