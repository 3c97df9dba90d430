import type { HistoryEvent } from '../history.ts';

/** What an event of a foreign format says, before it has its place. */
export interface ForeignEvent {
  readonly process: number;
  readonly type: HistoryEvent['type'];
  readonly f: string;
  readonly key: string;
  readonly value: unknown;
  readonly time?: number;
}

const TYPES: ReadonlyMap<string, HistoryEvent['type']> = new Map([
  ['invoke', 'invoke'],
  ['ok', 'ok'],
  ['fail', 'fail'],
  ['info', 'info'],
]);

export function typeNamed(name: string): HistoryEvent['type'] | undefined {
  return TYPES.get(name);
}

/**
 * Collects the events of a foreign format. What is read of a value differs between invocations and completions: a
 * completion that failed or timed out carries the reason (`:timed-out`) in place of the value, which says nothing
 * about the object.
 */
export class EventCollector {
  readonly events: HistoryEvent[] = [];
  readonly lines: number[] = [];

  add({ process, type, f, key, value, time }: ForeignEvent, line: number): void {
    const said = type === 'fail' || type === 'info' ? null : value;
    const index = this.events.length;
    this.events.push({ index, process, type, f, key, value: said, time: time ?? index });
    this.lines.push(line);
  }
}
