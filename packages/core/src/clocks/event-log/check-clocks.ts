/**
 * Whether the clocks of a log can be those of a real run (PITFALLS C4). Each event must count itself, the events of a
 * process must count 1, 2, 3, … without a gap, a clock may count only events that are in the log, and it must know all
 * that the events it counts know, but none that knows it. The first line that breaks this is named, with the clock
 * that it should have had.
 */
import { defined } from '../../base/assert.ts';
import type { VectorClock } from '../vector-clock.ts';
import { diagnose } from './diagnose-clocks.ts';
import type { EventId } from './event.ts';
import type { EventTable } from './event-table.ts';

export interface ClockProblem {
  readonly event: EventId;
  readonly process: string;
  /** As `StoredEvent.line`. */
  readonly line: number;
  readonly text: string;
  /** What is wrong, as half a sentence. */
  readonly reason: string;
  readonly found: VectorClock;
  readonly expected: VectorClock;
}

export type CheckedClocks =
  | { readonly type: 'valid'; readonly bySequence: readonly Uint32Array[] }
  | { readonly type: 'malformed'; readonly problem: ClockProblem };

export function checkClocks(table: EventTable): CheckedClocks {
  const bySequence = table.defects.size === 0 ? eventsBySequence(table) : null;
  if (bySequence === null || !allAreClosed(table, bySequence)) {
    return { type: 'malformed', problem: diagnose(table) };
  }
  return { type: 'valid', bySequence };
}

/** null: somewhere a count is missing, repeated or too large. */
function eventsBySequence(table: EventTable): Uint32Array[] | null {
  const lengths = new Uint32Array(table.processes.length);
  for (let event = 0; event < table.size; event++) {
    const slot = table.processOf[event] as number;
    lengths[slot] = (lengths[slot] as number) + 1;
  }
  const bySequence = Array.from(lengths, (length) => new Uint32Array(length));
  const seen = new Uint8Array(table.size);
  for (let event = 0; event < table.size; event++) {
    const slot = table.processOf[event] as number;
    const events = bySequence[slot] as Uint32Array;
    const sequence = table.count(event, slot);
    if (sequence === 0 || sequence > events.length) return null;
    const before = events[sequence - 1] as number;
    if (seen[before] === 1 && table.processOf[before] === slot && table.count(before, slot) === sequence) return null;
    events[sequence - 1] = event;
    seen[event] = 1;
  }
  // As many different counts as there are places: none is missing.
  return bySequence;
}

function allAreClosed(table: EventTable, bySequence: readonly Uint32Array[]): boolean {
  for (let slot = 0; slot < bySequence.length; slot++) {
    const events = bySequence[slot] as Uint32Array;
    for (let i = 0; i < events.length; i++) {
      if (!isClosed(table, bySequence, events[i] as number, i === 0 ? null : (events[i - 1] as number))) return false;
    }
  }
  return true;
}

/**
 * Whether an event knows all that the events it counts know. It is enough to look at the newest news: what another
 * event that was looked at counts as well is covered by that event's own check.
 */
function isClosed(
  table: EventTable,
  bySequence: readonly Uint32Array[],
  event: EventId,
  previous: EventId | null,
): boolean {
  const { clocks, stride } = table;
  const own = table.processOf[event] as number;
  const row = event * stride;
  const sequence = clocks[row + own] as number;
  const covered: EventId[] = previous === null ? [] : [previous];
  if (previous !== null && !knowsAll(table, row, previous * stride)) return false;
  for (let slot = 0; slot < bySequence.length; slot++) {
    const count = clocks[row + slot] as number;
    if (slot === own || count === 0) continue;
    if (covered.some((known) => (clocks[known * stride + slot] as number) === count)) continue;
    const cause = defined(bySequence[slot], 'a column for each process')[count - 1];
    if (cause === undefined || !knowsAll(table, row, cause * stride)) return false;
    if ((clocks[cause * stride + own] as number) >= sequence) return false;
    covered.push(cause);
  }
  return true;
}

function knowsAll(table: EventTable, row: number, other: number): boolean {
  const { clocks, processes } = table;
  for (let slot = 0; slot < processes.length; slot++) {
    if ((clocks[row + slot] as number) < (clocks[other + slot] as number)) return false;
  }
  return true;
}
