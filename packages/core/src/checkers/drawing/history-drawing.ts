import type { Outcome } from '../history.ts';

/** What a drawing needs of an operation: an `Operation` of any model has it. */
export interface DrawnOperation {
  readonly f: string;
  readonly key: string;
  readonly process: number;
  readonly outcome: Outcome;
  readonly value: unknown;
  /** Positions of events in the history, from 0; `completedAt` is Infinity when nobody knows the outcome. */
  readonly invokedAt: number;
  readonly completedAt: number;
}

/** A verdict's violation, with what the drawing can add to it. */
export interface DrawnViolation {
  /** The first operation that cannot be placed: one of the drawing's, recognized by its invocation. */
  readonly operation: DrawnOperation;
  /** For a person. */
  readonly sentence: string;
  /** The longest legal order that was found before it, first operation first. */
  readonly longestOrder?: readonly DrawnOperation[];
}

/** What a fault does to the members it names: it decides how their lanes look. */
export type FaultKind = 'down' | 'paused' | 'partitioned' | 'network' | 'disk' | 'clock' | 'other';

/** A fault from `fromUs` to `toUs`; both equal: a moment; `toUs` null: it lasts to the end. Any clock, in microseconds. */
export interface FaultSpan {
  /** For a person, and short: `partition {1,2}|{3}`, `crash m2`. */
  readonly label: string;
  readonly fromUs: number;
  readonly toUs: number | null;
  /** Whom it strikes; nobody: it lies over everything, as bad weather does. */
  readonly members: readonly number[];
  readonly kind: FaultKind;
}

export interface LeaderSpan {
  readonly member: number;
  readonly term: number;
  readonly fromUs: number;
  readonly toUs: number | null;
}

/** A history to be drawn, with a verdict and what was broken meanwhile. The same drawing gives the same bytes. */
export interface HistoryDrawing {
  readonly operations: readonly DrawnOperation[];
  readonly violation?: DrawnViolation | undefined;
  /** The time of each event of the history, by position, on the faults' clock. Needed with faults or leaders. */
  readonly timesUs?: readonly number[];
  readonly faults?: readonly FaultSpan[];
  readonly leaders?: readonly LeaderSpan[];
  /** Sentences below the picture: the seed, the command that replays it. */
  readonly notes?: readonly string[];
  /** With more operations than this, those that say least about the violation are left out, and counted. */
  readonly maxOperations?: number;
}
