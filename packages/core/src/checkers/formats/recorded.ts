import { type HistoryEvent, pairOperations, type Where } from '../history.ts';

/** A history as read from a text, with the line of each event, so that complaints can name it. */
export interface RecordedHistory {
  readonly events: HistoryEvent[];
  /** For the checkers' `where`: "line 7". */
  readonly where: Where;
}

/** Checks that the events fit together; throws `MalformedHistory` with the line. */
export function recorded(events: HistoryEvent[], lines: readonly number[]): RecordedHistory {
  const where: Where = (position) => `line ${lines[position] ?? '?'}`;
  pairOperations(events, where);
  return { events, where };
}
