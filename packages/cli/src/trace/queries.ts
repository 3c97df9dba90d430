import {
  type EventId,
  type EventLog,
  type EventRanges,
  eventName,
  printableText,
  shortestChain,
} from '@polder/core/clocks';
import { CommandError, ExitCode } from '../exit-code.ts';
import { formatTable } from '../terminal.ts';
import { findEvent, readLog, type TraceOptions } from './trace-file.ts';

export type Relation = 'past' | 'future' | 'concurrent';

export interface QueryOptions extends TraceOptions {
  readonly limit: number;
  readonly json?: boolean;
}

/** The events that stand in a relation to one event: how many, and the first so many of them. */
export function traceRelation(path: string, name: string, relation: Relation, options: QueryOptions): string {
  const log = readLog(path, options);
  const event = findEvent(log, name);
  const ranges = rangesOf(log, event, relation);
  const listed = take(ranges, options.limit);
  if (options.json === true) {
    const { count } = ranges;
    return JSON.stringify({
      event: name,
      relation,
      count,
      ranges: ranges.ranges,
      events: listed.map((id) => log.event(id)),
    });
  }
  const says = {
    past: `happened before ${name}`,
    future: `happened after ${name}`,
    concurrent: `are concurrent with ${name}`,
  };
  const lines = [`${ranges.count} of ${log.size} events ${says[relation]}`, ...eventLines(log, listed)];
  if (listed.length < ranges.count) lines.push(`… and ${ranges.count - listed.length} more; see --limit`);
  return lines.join('\n');
}

/** The shortest way by which one event can have influenced another. Throws, exit code 1, when there is none. */
export function traceChain(path: string, from: string, to: string, options: TraceOptions & { json?: boolean }): string {
  const log = readLog(path, options);
  const [first, last] = [findEvent(log, from), findEvent(log, to)];
  const chain = shortestChain(log, first, last);
  if (chain === null) {
    const order = log.compare(first, last) === 'after' ? `it happened after ${to}` : 'the two are concurrent';
    throw new CommandError(ExitCode.failure, `${from} cannot have influenced ${to}: ${order}`);
  }
  if (options.json === true) return JSON.stringify(chain.map((id) => log.event(id)));
  return eventLines(log, chain).join('\n');
}

function rangesOf(log: EventLog, event: EventId, relation: Relation): EventRanges {
  switch (relation) {
    case 'past':
      return log.past(event);
    case 'future':
      return log.future(event);
    case 'concurrent':
      return log.concurrent(event);
  }
}

function take(ranges: EventRanges, limit: number): EventId[] {
  const taken: EventId[] = [];
  if (limit === 0) return taken;
  for (const event of ranges.events()) {
    taken.push(event);
    if (taken.length === limit) break;
  }
  return taken;
}

function eventLines(log: EventLog, events: readonly EventId[]): string[] {
  if (events.length === 0) return [];
  const rows = events.map((id) => {
    const event = log.event(id);
    return [
      eventName(event),
      event.kind ?? '',
      event.line === 0 ? '' : `line ${event.line}`,
      printableText(event.text),
    ];
  });
  return formatTable(['EVENT', 'KIND', 'WHERE', 'TEXT'], rows).split('\n');
}
