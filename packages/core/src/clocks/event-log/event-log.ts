/**
 * A log of events whose clocks are known to be right (check-clocks.ts), with the clocks as its index: event a happened
 * before event b exactly when b's clock counts a (Mattern 1989, §4; Fidge 1988). No query scans the log.
 */
import { assert, defined } from '../../base/assert.ts';
import type { Causality } from '../vector-clock.ts';
import { type ClockProblem, checkClocks } from './check-clocks.ts';
import type { EventId, LoggedEvent, StoredEvent } from './event.ts';
import { type EventRange, EventRanges } from './event-ranges.ts';
import { EventTable } from './event-table.ts';

export type EventLogResult =
  | { readonly type: 'valid'; readonly log: EventLog }
  | { readonly type: 'malformed'; readonly problem: ClockProblem };

/** From events in any order. Throws `EventLogLimit` when they are too many. */
export function buildEventLog(events: Iterable<LoggedEvent>): EventLogResult {
  const table = new EventTable();
  for (const { process, clock, kind, key, text } of events) {
    const counts = clock.entries().map(([id, count]) => [table.slotOf(id), count] as const);
    const event = table.append(table.slotOf(process), kind, key, text, 0);
    for (const [slot, count] of counts) table.setCount(event, slot, count);
  }
  return logOf(table);
}

export function logOf(table: EventTable): EventLogResult {
  const checked = checkClocks(table);
  return checked.type === 'malformed' ? checked : { type: 'valid', log: new EventLog(table, checked.bySequence) };
}

export class EventLog {
  readonly #table: EventTable;
  /** The events of each process in its own order. */
  readonly #bySequence: readonly Uint32Array[];
  readonly #find: (process: string, sequence: number) => EventId | null;

  /** Use `buildEventLog` or `readShiViz`. */
  constructor(table: EventTable, bySequence: readonly Uint32Array[]) {
    assert(bySequence.length === table.processes.length, 'each process has its events');
    this.#table = table;
    this.#bySequence = bySequence;
    this.#find = (process, sequence) => this.find(process, sequence);
  }

  get size(): number {
    return this.#table.size;
  }

  /** In the order in which the log first names them. */
  get processes(): readonly string[] {
    return this.#table.processes;
  }

  get keys(): readonly string[] {
    return this.#table.keys;
  }

  /** 0 for a process that is not in the log. */
  eventCount(process: string): number {
    return this.#bySequence[this.#table.findSlot(process)]?.length ?? 0;
  }

  /** null: the process has no such event. */
  find(process: string, sequence: number): EventId | null {
    return this.#bySequence[this.#table.findSlot(process)]?.[sequence - 1] ?? null;
  }

  event(event: EventId): StoredEvent {
    const slot = this.processSlotOf(event);
    const key = this.#table.keyOf(event);
    return {
      process: defined(this.#table.processes[slot], 'an event has a process'),
      sequence: this.#table.count(event, slot),
      clock: this.#table.clockOf(event),
      kind: this.#table.kindOf(event),
      key: key < 0 ? null : defined(this.#table.keys[key], 'a key has its text'),
      text: defined(this.#table.texts[event], 'an event has a text'),
      line: this.#table.lineOf(event),
    };
  }

  /** Whether `a` can have influenced `b`: one look at b's clock. */
  happensBefore(a: EventId, b: EventId): boolean {
    const slot = this.processSlotOf(a);
    return a !== b && this.#table.count(b, slot) >= this.#table.count(a, slot);
  }

  compare(a: EventId, b: EventId): Causality {
    if (a === b) return 'equal';
    if (this.happensBefore(a, b)) return 'before';
    return this.happensBefore(b, a) ? 'after' : 'concurrent';
  }

  /** Every event that happened before this one. O(processes). */
  past(event: EventId): EventRanges {
    const own = this.processSlotOf(event);
    return this.#ranges((slot) => [1, this.#table.count(event, slot) - (slot === own ? 1 : 0)]);
  }

  /** Every event that this one happened before. O(processes · log events). */
  future(event: EventId): EventRanges {
    const own = this.processSlotOf(event);
    return this.#ranges((slot) => [
      slot === own ? this.sequenceOf(event) + 1 : this.firstAfter(event, slot),
      this.eventsOf(slot).length,
    ]);
  }

  /** Every event that neither happened before this one nor after it: between the two cuts. O(processes · log events). */
  concurrent(event: EventId): EventRanges {
    const own = this.processSlotOf(event);
    return this.#ranges((slot) =>
      slot === own ? [1, 0] : [this.#table.count(event, slot) + 1, this.firstAfter(event, slot) - 1],
    );
  }

  /** The sequence of the first event of a process that this event happened before; one past its last when there is none. */
  firstAfter(event: EventId, slot: number): number {
    const own = this.processSlotOf(event);
    const sequence = this.#table.count(event, own);
    const { clocks, stride } = this.#table;
    const events = this.eventsOf(slot);
    // What a process knows only grows, so the column of `own` ascends along its events.
    let low = this.#table.count(event, slot);
    let high = events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((clocks[(events[middle] as number) * stride + own] as number) < sequence) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  }

  /** Columns, for what walks the log: event numbers and counts instead of objects. */
  get slots(): number {
    return this.#bySequence.length;
  }

  eventsOf(slot: number): Uint32Array {
    return defined(this.#bySequence[slot], 'a process has a column');
  }

  processSlotOf(event: EventId): number {
    return defined(this.#table.processOf[event], 'an event of this log');
  }

  sequenceOf(event: EventId): number {
    return this.#table.count(event, this.processSlotOf(event));
  }

  /** How many events of a process this event knows. */
  countOf(event: EventId, slot: number): number {
    return this.#table.count(event, slot);
  }

  /** The number of its key among `keys`, or −1. */
  keySlotOf(event: EventId): number {
    return this.#table.keyOf(event);
  }

  #ranges(bounds: (slot: number) => readonly [number, number]): EventRanges {
    const ranges: EventRange[] = [];
    for (let slot = 0; slot < this.#bySequence.length; slot++) {
      const [from, to] = bounds(slot);
      if (from <= to) ranges.push({ process: this.#table.processes[slot] as string, from, to });
    }
    return new EventRanges(ranges, this.#find);
  }
}
