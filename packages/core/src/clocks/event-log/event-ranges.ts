import type { EventId } from './event.ts';

/** Of one process, the events with sequence `from` up to and including `to`. */
export interface EventRange {
  readonly process: string;
  readonly from: number;
  readonly to: number;
}

/**
 * A set of events as one range per process: the past, the future and the concurrent events of an event are such sets,
 * being bounded by cuts. The count costs an addition per process; events are listed only when asked for.
 */
export class EventRanges {
  /** Processes in the log's order; empty ranges are left out. */
  readonly ranges: readonly EventRange[];
  readonly count: number;
  readonly #find: (process: string, sequence: number) => EventId | null;

  constructor(ranges: readonly EventRange[], find: (process: string, sequence: number) => EventId | null) {
    this.ranges = ranges;
    this.#find = find;
    let count = 0;
    for (const { from, to } of ranges) count += to - from + 1;
    this.count = count;
  }

  has(process: string, sequence: number): boolean {
    return this.ranges.some((range) => range.process === process && range.from <= sequence && sequence <= range.to);
  }

  /** Process after process, each in its own order. */
  *events(): Generator<EventId> {
    for (const { process, from, to } of this.ranges) {
      for (let sequence = from; sequence <= to; sequence++) {
        const event = this.#find(process, sequence);
        if (event !== null) yield event;
      }
    }
  }
}
