import { isMemberId } from '../member-id.ts';
import type { EventId } from './event.ts';
import { type EventTable, MAX_COUNT } from './event-table.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const NOT_PLAIN = /[\\\p{Cc}]/u;

/**
 * Reads clocks that are plain, as nearly all are: ids without escapes, whole counts. Lines of one log name the same ids
 * in the same order, so each id is first held against the one at its place in the clock before; then no string is made
 * of it. Several times as fast as JSON.parse, which reads what is not plain.
 */
export class ClockScanner {
  readonly #table: EventTable;
  /** By place in a clock: the column of the id that stood there last. */
  readonly #expected: number[] = [];
  readonly #slots: number[] = [];
  readonly #counts: number[] = [];
  #json = '';
  #at = 0;

  constructor(table: EventTable) {
    this.#table = table;
  }

  /** Sets an event's counts. False: the clock is not plain, or no clock at all, and nothing was set. */
  scan(event: EventId, json: string): boolean {
    this.#json = json;
    this.#at = 0;
    if (!this.#take(OPEN)) return false;
    let places = 0;
    if (!this.#take(CLOSE)) {
      do {
        const slot = this.#id(places);
        if (slot < 0 || !this.#take(COLON)) return false;
        const count = this.#count();
        if (count < 0) return false;
        this.#slots[places] = slot;
        this.#counts[places++] = count;
      } while (this.#take(COMMA));
      if (!this.#take(CLOSE)) return false;
    }
    if (this.#at !== json.length) return false;
    for (let place = 0; place < places; place++) {
      this.#table.setCount(event, this.#slots[place] as number, this.#counts[place] as number);
    }
    return true;
  }

  /** The column of the id that comes next, or −1. */
  #id(place: number): number {
    if (!this.#take(QUOTE)) return -1;
    const start = this.#at;
    const expected = this.#expected[place];
    if (expected !== undefined) {
      const id = this.#table.processes[expected] as string;
      const end = start + id.length;
      if (this.#json.charCodeAt(end) === QUOTE && this.#json.startsWith(id, start)) {
        this.#at = end + 1;
        return expected;
      }
    }
    const end = this.#json.indexOf('"', start);
    if (end < 0) return -1;
    const id = this.#json.slice(start, end);
    if (NOT_PLAIN.test(id) || !isMemberId(id)) return -1;
    this.#at = end + 1;
    const slot = this.#table.slotOf(id);
    this.#expected[place] = slot;
    return slot;
  }

  /** A whole number as JSON writes it, up to the largest count; or −1. */
  #count(): number {
    this.#skipSpaces();
    const start = this.#at;
    let count = 0;
    for (let code = this.#code(); code >= ZERO && code <= NINE; code = this.#code()) {
      count = count * 10 + (code - ZERO);
      this.#at++;
    }
    const digits = this.#at - start;
    if (digits === 0 || digits > 10 || count > MAX_COUNT) return -1;
    return digits > 1 && this.#json.charCodeAt(start) === ZERO ? -1 : count;
  }

  #take(wanted: number): boolean {
    this.#skipSpaces();
    if (this.#code() !== wanted) return false;
    this.#at++;
    return true;
  }

  #skipSpaces(): void {
    while (this.#code() === 0x20) this.#at++;
  }

  #code(): number {
    return this.#json.charCodeAt(this.#at);
  }
}
