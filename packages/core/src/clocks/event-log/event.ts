import type { VectorClock } from '../vector-clock.ts';

/** What a process did. Logs of other tools do not say: null. */
export type EventKind = 'local' | 'send' | 'receive';

/** One event of one process. `clock` counts the event itself; `key` is what it touched, where that is known. */
export interface LoggedEvent {
  readonly process: string;
  readonly clock: VectorClock;
  readonly kind: EventKind | null;
  readonly key: string | null;
  readonly text: string;
}

/** An event as a log holds it: `sequence` is its place among the events of its process, from 1. */
export interface StoredEvent extends LoggedEvent {
  readonly sequence: number;
  /** Of its clock in the file that it was read from, from 1; 0 when it came from no file. */
  readonly line: number;
}

/** An event in a log: its place in the order in which the log was read. */
export type EventId = number;
