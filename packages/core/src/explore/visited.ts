/** The states seen so far, numbered in the order of their discovery, each with the state it was discovered from. */
import { assert, defined } from '../base/assert.ts';
import { Fingerprint } from './fingerprint.ts';
import type { Encoding } from './model.ts';

export const NONE = -1;

export interface Visited {
  readonly size: number;
  readonly memoryBytes: number;
  /** The number of the state with this encoding, or NONE. */
  find(encoding: Encoding): number;
  /** Adds what `find` has just not found. */
  append(parent: number): void;
  /** NONE: an initial state. */
  parentOf(state: number): number;
}

const PAGE_STATES = 1 << 14;
const FIELDS = 3;
const FIRST_SLOTS = 1 << 12;
/** Number + 1 must fit a slot of 32 bits. */
const STATES_MAX = 0xfffffffe;

/**
 * 12 bytes a state (two halves of its fingerprint, its parent), in pages that are never copied, and an open-addressed
 * table of 4 bytes a slot, between 35 % and 70 % full: 18 to 24 bytes a state.
 *
 * Collisions are accepted: of two states with one fingerprint the later counts as seen, and what only it leads to is
 * missed. With n states this happens to some pair with a probability of about n² / 2^65: 3 in a million for ten
 * million states. It can hide a violation, never invent one: a counterexample is replayed before it is reported.
 */
export class VisitedFingerprints implements Visited {
  readonly #fingerprint = new Fingerprint();
  #pages: Uint32Array[] = [];
  #slots = new Uint32Array(FIRST_SLOTS);
  #size = 0;
  /** Where `find` ended. */
  #slot = 0;

  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    return this.#pages.length * PAGE_STATES * FIELDS * 4 + this.#slots.length * 4;
  }

  find(encoding: Encoding): number {
    this.#fingerprint.of(encoding);
    const { low, high } = this.#fingerprint;
    const mask = this.#slots.length - 1;
    let slot = low & mask;
    for (;;) {
      const entry = this.#slots[slot] as number;
      if (entry === 0) break;
      const state = entry - 1;
      if (this.#field(state, 0) === low && this.#field(state, 1) === high) return state;
      slot = (slot + 1) & mask;
    }
    this.#slot = slot;
    return NONE;
  }

  append(parent: number): void {
    assert(this.#size < STATES_MAX, 'states are numbered in 32 bits');
    assert(this.#slots[this.#slot] === 0, 'append follows a find that found nothing');
    const at = this.#size % PAGE_STATES;
    if (at === 0) this.#pages.push(new Uint32Array(PAGE_STATES * FIELDS));
    const page = defined(this.#pages.at(-1), 'a page was made');
    page[at * FIELDS] = this.#fingerprint.low;
    page[at * FIELDS + 1] = this.#fingerprint.high;
    page[at * FIELDS + 2] = parent + 1;
    this.#size++;
    this.#slots[this.#slot] = this.#size;
    if (this.#size * 10 > this.#slots.length * 7) this.#grow();
  }

  parentOf(state: number): number {
    return this.#field(state, 2) - 1;
  }

  #field(state: number, field: number): number {
    const page = this.#pages[Math.floor(state / PAGE_STATES)] as Uint32Array;
    return page[(state % PAGE_STATES) * FIELDS + field] as number;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let state = 0; state < this.#size; state++) {
      let slot = this.#field(state, 0) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = state + 1;
    }
    this.#slots = slots;
  }
}

/** Keeps every encoding whole: no collisions, for the memory of the encodings. Validates the other. */
export class VisitedEncodings implements Visited {
  readonly #states = new Map<string, number>();
  readonly #parents: number[] = [];
  #sought = '';
  #memoryBytes = 0;

  get size(): number {
    return this.#parents.length;
  }

  /** Of encodings and parents; what the map adds is not known to a program. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  find(encoding: Encoding): number {
    this.#sought = typeof encoding === 'string' ? encoding : asText(encoding);
    return this.#states.get(this.#sought) ?? NONE;
  }

  append(parent: number): void {
    assert(!this.#states.has(this.#sought), 'append follows a find that found nothing');
    this.#states.set(this.#sought, this.size);
    this.#parents.push(parent);
    this.#memoryBytes += this.#sought.length * 2 + 8;
  }

  parentOf(state: number): number {
    return defined(this.#parents[state], 'the state was added');
  }
}

/** Two UTF-16 units for each integer. */
function asText(integers: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < integers.length; i++) {
    const integer = integers[i] as number;
    text += String.fromCharCode(integer >>> 16, integer & 0xffff);
  }
  return text;
}
