import type { EventId } from './event.ts';
import type { EventLog } from './event-log.ts';

/** Two concurrent events on one key: neither knew of the other, so their order was a matter of luck. */
export interface Race {
  readonly key: string;
  readonly first: EventId;
  readonly second: EventId;
}

/** The events on one key, by process, each in its order: numbers, ascending by sequence. */
type KeyEvents = readonly EventId[][];

/** How many pairs of concurrent events each key has; keys without any are left out. Lists no pair. */
export function countRaces(log: EventLog): { readonly key: string; readonly count: number }[] {
  return eventsByKey(log)
    .map((events, key) => {
      let count = 0;
      forEachRacingRange(log, events, (_event, _others, from, to) => {
        count += to - from;
      });
      return { key: log.keys[key] as string, count };
    })
    .filter(({ count }) => count > 0);
}

/** Every race, key by key; ask for no more than you want, they can be as many as the square of the events. */
export function* findRaces(log: EventLog): Generator<Race> {
  const byKey = eventsByKey(log);
  for (let key = 0; key < byKey.length; key++) {
    const found: { event: EventId; others: readonly EventId[]; from: number; to: number }[] = [];
    forEachRacingRange(log, byKey[key] as KeyEvents, (event, others, from, to) => {
      if (from < to) found.push({ event, others, from, to });
    });
    for (const { event, others, from, to } of found) {
      for (let i = from; i < to; i++) {
        yield { key: log.keys[key] as string, first: event, second: others[i] as EventId };
      }
    }
  }
}

function eventsByKey(log: EventLog): EventId[][][] {
  const byKey = log.keys.map(() => Array.from({ length: log.slots }, (): EventId[] => []));
  for (let slot = 0; slot < log.slots; slot++) {
    for (const event of log.eventsOf(slot)) {
      const key = log.keySlotOf(event);
      if (key >= 0) byKey[key]?.[slot]?.push(event);
    }
  }
  return byKey;
}

/** For each event and each later process: the range of that process's events on the key which are concurrent to it. */
function forEachRacingRange(
  log: EventLog,
  events: KeyEvents,
  visit: (event: EventId, others: readonly EventId[], from: number, to: number) => void,
): void {
  for (let slot = 0; slot < events.length; slot++) {
    for (const event of events[slot] as readonly EventId[]) {
      for (let other = slot + 1; other < events.length; other++) {
        const others = events[other] as readonly EventId[];
        if (others.length === 0) continue;
        const from = firstWithSequence(log, others, log.countOf(event, other) + 1);
        visit(event, others, from, firstWithSequence(log, others, log.firstAfter(event, other)));
      }
    }
  }
}

/** Where in `events`, all of one process, the first with at least this sequence stands. */
function firstWithSequence(log: EventLog, events: readonly EventId[], sequence: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.sequenceOf(events[middle] as EventId) < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
