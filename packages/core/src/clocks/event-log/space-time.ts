import { directCauses, stepsInto } from './causal-chain.ts';
import type { EventId, StoredEvent } from './event.ts';
import type { EventLog } from './event-log.ts';

/** An event of a space-time diagram (Lamport 1978, figure 1), time running downwards: each event has a row of its own. */
export interface SpaceTimeRow {
  readonly id: EventId;
  readonly event: StoredEvent;
  /** Its process's, from 0. */
  readonly column: number;
  /** The rows of the events of other processes that it learned of directly: where messages come from. */
  readonly from: readonly number[];
}

export interface SpaceTime {
  readonly processes: readonly string[];
  readonly rows: readonly SpaceTimeRow[];
  /** Events beyond the limit; those shown are a consistent cut: no cause of a shown event is left out. */
  readonly leftOut: number;
}

/** Causes stand above effects; apart from that the order is the log's own. */
export function layOut(log: EventLog, limit: number): SpaceTime {
  const order = causalOrder(log, limit);
  const columns = new Map<string, number>();
  const rowOf = new Map(order.map((event, row) => [event, row] as const));
  const rows = order.map((id): SpaceTimeRow => {
    const event = log.event(id);
    const column = columns.get(event.process) ?? columns.size;
    columns.set(event.process, column);
    const from = directCauses(log, id).map((cause) => rowOf.get(cause) ?? -1);
    return { id, event, column, from };
  });
  return { processes: [...columns.keys()], rows, leftOut: log.size - order.length };
}

function causalOrder(log: EventLog, limit: number): EventId[] {
  const order: EventId[] = [];
  const placed = new Set<EventId>();
  // Depth first without recursion: a chain can be as long as the log.
  for (let next = 0; next < log.size && order.length < limit; next++) {
    const open = [next];
    while (open.length > 0 && order.length < limit) {
      const event = open.at(-1) as EventId;
      const missing = placed.has(event) ? undefined : stepsInto(log, event).find((cause) => !placed.has(cause));
      if (missing !== undefined) open.push(missing);
      else {
        open.pop();
        if (placed.has(event)) continue;
        placed.add(event);
        order.push(event);
      }
    }
  }
  return order;
}
