/**
 * The events of a log in columns of numbers, so that a million of them fit: per event about 55 bytes, its text included,
 * and four for every process (their number rounded up to a power of two), its clock being a row of the matrix `clocks`.
 * Nothing is checked here; see check-clocks.ts.
 */
import { assert, defined } from '../../base/assert.ts';
import { PolderError } from '../../base/error.ts';
import { checkMemberId } from '../member-id.ts';
import { MAX_CLOCK_MEMBERS, VectorClock } from '../vector-clock.ts';
import type { EventId, EventKind } from './event.ts';

/** Of the matrix of clocks, events times processes: 1 GiB. */
const MAX_CELLS = 2 ** 28;
/** Counts are 32 bits wide; no log that fits has that many events. */
export const MAX_COUNT = 0xffffffff;
const KINDS: readonly (EventKind | null)[] = [null, 'local', 'send', 'receive'];
const NO_KEY = 0xffffffff;

export class EventTable {
  readonly processes: string[] = [];
  readonly keys: string[] = [];
  readonly texts: string[] = [];
  /** What cannot be read of an event's clock, for the few of which that is so. */
  readonly defects: Map<EventId, string> = new Map();
  readonly #slots = new Map<string, number>();
  readonly #keySlots = new Map<string, number>();
  #size = 0;
  #stride = 4;
  #clocks = new Uint32Array(0);
  #processOf = new Uint32Array(0);
  #keyOf = new Uint32Array(0);
  #lineOf = new Uint32Array(0);
  #kindOf = new Uint8Array(0);

  get size(): number {
    return this.#size;
  }

  /** How far apart the rows of `clocks` are; columns beyond the processes hold 0. */
  get stride(): number {
    return this.#stride;
  }

  /** Row after row, a column for each process. Replaced as the table grows: take it anew after `append` and `slotOf`. */
  get clocks(): Uint32Array {
    return this.#clocks;
  }

  get processOf(): Uint32Array {
    return this.#processOf;
  }

  lineOf(event: EventId): number {
    return defined(this.#lineOf[event], 'an event is in its table');
  }

  kindOf(event: EventId): EventKind | null {
    return KINDS[defined(this.#kindOf[event], 'an event is in its table')] ?? null;
  }

  /** The number of an event's key among `keys`, or −1. */
  keyOf(event: EventId): number {
    const key = defined(this.#keyOf[event], 'an event is in its table');
    return key === NO_KEY ? -1 : key;
  }

  /** The column of a process, which it gets when it is first named. Throws `InvalidMemberId` and `EventLogLimit`. */
  slotOf(process: string): number {
    const known = this.#slots.get(process);
    if (known !== undefined) return known;
    const slot = this.processes.length;
    checkMemberId(process);
    if (slot === MAX_CLOCK_MEMBERS) throw limit(`more than ${MAX_CLOCK_MEMBERS} processes`);
    if (slot === this.#stride) this.#resize(this.capacity, this.#stride * 2);
    this.processes.push(process);
    this.#slots.set(process, slot);
    return slot;
  }

  /** −1 when no event and no clock names it. */
  findSlot(process: string): number {
    return this.#slots.get(process) ?? -1;
  }

  /** An event with an empty clock, which the caller fills in with `setCount`. Throws `EventLogLimit`. */
  append(slot: number, kind: EventKind | null, key: string | null, text: string, line: number): EventId {
    assert(slot < this.processes.length, 'a process has its column before its events');
    if (this.#size === this.capacity) this.#resize(Math.max(16, this.capacity * 2), this.#stride);
    const event = this.#size++;
    this.#processOf[event] = slot;
    this.#kindOf[event] = KINDS.indexOf(kind);
    this.#keyOf[event] = key === null ? NO_KEY : this.#keySlotOf(key);
    this.#lineOf[event] = line;
    this.texts.push(text);
    return event;
  }

  setCount(event: EventId, slot: number, count: number): void {
    assert(event < this.#size && slot < this.processes.length && count <= MAX_COUNT, 'a count is 32 bits, in its row');
    this.#clocks[event * this.#stride + slot] = count;
  }

  count(event: EventId, slot: number): number {
    return defined(this.#clocks[event * this.#stride + slot], 'an event is in its table');
  }

  clockOf(event: EventId): VectorClock {
    return this.clockFrom(this.processes.map((_, slot) => this.count(event, slot)));
  }

  /** A count for each process, in the order of `processes`. */
  clockFrom(counts: readonly number[]): VectorClock {
    return VectorClock.from(this.processes.map((process, slot) => [process, counts[slot] ?? 0] as const));
  }

  /** Room for so many events without growing. */
  get capacity(): number {
    return this.#processOf.length;
  }

  #keySlotOf(key: string): number {
    const known = this.#keySlots.get(key);
    if (known !== undefined) return known;
    this.keys.push(key);
    this.#keySlots.set(key, this.keys.length - 1);
    return this.keys.length - 1;
  }

  #resize(capacity: number, stride: number): void {
    if (capacity * stride > MAX_CELLS) throw limit(`${this.#size} events of ${this.processes.length} processes`);
    const clocks = new Uint32Array(capacity * stride);
    if (stride === this.#stride) clocks.set(this.#clocks);
    else {
      for (let event = 0; event < this.#size; event++) {
        const row = this.#clocks.subarray(event * this.#stride, (event + 1) * this.#stride);
        clocks.set(row, event * stride);
      }
    }
    this.#clocks = clocks;
    this.#stride = stride;
    if (capacity === this.capacity) return;
    this.#processOf = grown(this.#processOf, capacity);
    this.#keyOf = grown(this.#keyOf, capacity);
    this.#lineOf = grown(this.#lineOf, capacity);
    const kinds = new Uint8Array(capacity);
    kinds.set(this.#kindOf);
    this.#kindOf = kinds;
  }
}

function limit(what: string): PolderError {
  return new PolderError('EventLogLimit', `${what} do not fit into a log: split it into traces`);
}

function grown(column: Uint32Array, capacity: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(capacity);
  larger.set(column);
  return larger;
}
