import { defined } from '../../base/assert.ts';
import type { EventId } from './event.ts';
import type { EventLog } from './event-log.ts';

/**
 * The events that this one learned of directly from other processes: what it counts beyond its predecessor, without
 * what another of these already knew. A message that brought no news leaves no trace in a clock, and none here.
 */
export function directCauses(log: EventLog, event: EventId): EventId[] {
  const own = log.processSlotOf(event);
  const sequence = log.sequenceOf(event);
  const previous = sequence === 1 ? null : (log.eventsOf(own)[sequence - 2] as number);
  const news: EventId[] = [];
  for (let slot = 0; slot < log.slots; slot++) {
    const count = log.countOf(event, slot);
    if (slot === own || count === 0 || (previous !== null && log.countOf(previous, slot) === count)) continue;
    news.push(defined(log.eventsOf(slot)[count - 1], 'a clock counts events of the log only'));
  }
  if (news.length < 2) return news;
  return news.filter((cause) => !news.some((other) => log.happensBefore(cause, other)));
}

/**
 * The fewest steps by which `from` can have influenced `to`, both included; a step is the next event of a process, or a
 * message. null when `from` did not happen before `to`. Looks only at events between the two.
 */
export function shortestChain(log: EventLog, from: EventId, to: EventId): EventId[] | null {
  if (from === to) return [from];
  if (!log.happensBefore(from, to)) return null;
  const next = new Map<EventId, EventId>();
  let front: EventId[] = [to];
  while (!next.has(from)) {
    const further: EventId[] = [];
    for (const event of front) {
      for (const cause of stepsInto(log, event)) {
        if (next.has(cause) || (cause !== from && !log.happensBefore(from, cause))) continue;
        next.set(cause, event);
        further.push(cause);
      }
    }
    front = further;
  }
  const chain: EventId[] = [from];
  for (let event = from; event !== to; chain.push(event))
    event = defined(next.get(event), 'the chain leads to its end');
  return chain;
}

/** What leads directly to an event: the one before it on its process, and its direct causes elsewhere. */
export function stepsInto(log: EventLog, event: EventId): EventId[] {
  const own = log.eventsOf(log.processSlotOf(event));
  const sequence = log.sequenceOf(event);
  return sequence === 1 ? directCauses(log, event) : [own[sequence - 2] as number, ...directCauses(log, event)];
}
