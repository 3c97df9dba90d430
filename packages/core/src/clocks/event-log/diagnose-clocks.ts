/** Which line of a log with bad clocks to blame, and what it should have said. Only called when something is wrong. */
import { assert, defined } from '../../base/assert.ts';
import type { ClockProblem } from './check-clocks.ts';
import type { EventId } from './event.ts';
import type { EventTable } from './event-table.ts';

interface Finding {
  readonly reason: string;
  /** The events that this one was held against: if one of them is bad itself, it is to blame. */
  readonly against: readonly EventId[];
  readonly expected: readonly number[];
}

/**
 * The bad event of the lowest line among those that only good events make bad: an error early in a run makes many
 * later clocks look wrong.
 */
export function diagnose(table: EventTable): ClockProblem {
  const orders = table.processes.map((_, slot) => order(table, slot));
  const disorders = orders.map((events, slot) => events.find((event, i) => table.count(event, slot) !== i + 1));
  const findings = new Map<EventId, Finding>();
  for (const events of orders) {
    events.forEach((event, i) => {
      const finding = examine(table, orders, disorders, event, i);
      if (finding !== null) findings.set(event, finding);
    });
  }
  const bad = [...findings.keys()].sort((a, b) => a - b);
  const blamed = bad.find((event) => findings.get(event)?.against.every((other) => !findings.has(other))) ?? bad[0];
  assert(blamed !== undefined, 'clocks that are not closed have an event to blame');
  const { reason, expected } = defined(findings.get(blamed), 'the blamed event has a finding');
  return {
    event: blamed,
    process: defined(table.processes[table.processOf[blamed] as number], 'an event has a process'),
    line: table.lineOf(blamed),
    text: defined(table.texts[blamed], 'an event has a text'),
    reason,
    found: table.clockOf(blamed),
    expected: table.clockFrom(expected),
  };
}

/** The events of a process by their own counts; one without takes the place that it has in the file. */
function order(table: EventTable, slot: number): EventId[] {
  const events: { event: EventId; place: number }[] = [];
  for (let event = 0; event < table.size; event++) {
    if (table.processOf[event] !== slot) continue;
    const count = table.count(event, slot);
    events.push({ event, place: count === 0 ? events.length + 1 : count });
  }
  return events.sort((a, b) => a.place - b.place || a.event - b.event).map(({ event }) => event);
}

/** null: nothing is wrong with it. `index`: its place among the events of its process, from 0. */
function examine(
  table: EventTable,
  orders: readonly EventId[][],
  disorders: readonly (EventId | undefined)[],
  event: EventId,
  index: number,
): Finding | null {
  const own = table.processOf[event] as number;
  const process = table.processes[own] as string;
  const previous = orders[own]?.[index - 1];
  const against = previous === undefined ? [] : [previous];
  const count = table.count(event, own);
  const expected = table.processes.map((_, slot) => (previous === undefined ? 0 : table.count(previous, slot)));
  expected[own] = index + 1;
  let reason = table.defects.get(event) ?? null;
  if (count !== index + 1)
    reason ??= miscountReason(process, count, previous === undefined ? null : table.count(previous, own));
  for (let slot = 0; slot < orders.length; slot++) {
    const known = table.count(event, slot);
    if (slot === own || known === 0) continue;
    const cause = orders[slot]?.[known - 1];
    if (cause === undefined) {
      reason ??= danglingReason(table, slot, known, orders[slot]?.length ?? 0);
      // Where a process lost or repeated a count, those who counted its later events are not to blame.
      const disorder = disorders[slot];
      if (disorder !== undefined) against.push(disorder);
      continue;
    }
    against.push(cause);
    if (table.count(cause, own) >= index + 1) {
      reason ??= `it counts event ${known} of ${quoted(table.processes[slot])}, which itself counts this event`;
      continue;
    }
    for (let each = 0; each < expected.length; each++) {
      if (each !== own) expected[each] = Math.max(expected[each] as number, table.count(cause, each));
    }
  }
  reason ??= ignoranceReason(table, event, expected, previous);
  return reason === null ? null : { reason, against, expected };
}

function miscountReason(process: string, count: number, before: number | null): string {
  const name = quoted(process);
  if (count === 0) return `its clock does not count the event itself: ${name} is missing or 0`;
  if (before === null) return `the first event of ${name} counts ${count}, not 1`;
  if (count === before) return `two events of ${name} count ${count}`;
  return `${name} goes from ${before} to ${count}: a line is missing before this one, or it miscounts`;
}

function danglingReason(table: EventTable, slot: number, known: number, length: number): string {
  const process = quoted(table.processes[slot]);
  if (length === 0) return `it counts ${known} events of ${process}, which has none in this log`;
  return `it counts ${known} events of ${process}, which has only ${length} in this log`;
}

function ignoranceReason(
  table: EventTable,
  event: EventId,
  expected: readonly number[],
  previous: EventId | undefined,
): string | null {
  const slot = expected.findIndex((count, each) => table.count(event, each) < count);
  if (slot < 0) return null;
  const process = quoted(table.processes[slot]);
  const [has, needs] = [table.count(event, slot), expected[slot]];
  if (previous !== undefined && table.count(previous, slot) > has) {
    return `it forgets: it counts ${has} events of ${process}, the event before it on its process ${table.count(previous, slot)}`;
  }
  return `it counts ${has} events of ${process}, yet an event that it counts knows ${needs}`;
}

function quoted(process: string | undefined): string {
  return JSON.stringify(process ?? '');
}
