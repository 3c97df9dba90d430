export { directCauses, shortestChain } from './causal-chain.ts';
export type { ClockProblem } from './check-clocks.ts';
export type { EventId, EventKind, LoggedEvent, StoredEvent } from './event.ts';
export { buildEventLog, type EventLog, type EventLogResult } from './event-log.ts';
export { type EventRange, EventRanges } from './event-ranges.ts';
export { checkProcessName, type EventDetails, EventRecorder, type EventRecorderOptions } from './event-recorder.ts';
export {
  BAGGAGE_HEADER,
  CLOCK_HEADER,
  extract,
  formatClock,
  type Headers,
  inject,
  MAX_CLOCK_HEADER_LENGTH,
  type Propagation,
  parseClock,
} from './propagation.ts';
export { countRaces, type Race, races } from './races.ts';
export {
  DEFAULT_PARSER,
  HOST_FIRST_PARSER,
  POLDER_DELIMITER,
  POLDER_PARSER,
  type ShiVizPatterns,
} from './shiviz-pattern.ts';
export { readShiViz, type Trace } from './shiviz-reader.ts';
export { formatShiViz, type ShiVizFormat, shiVizDelimiter, shiVizHeader, writeShiViz } from './shiviz-writer.ts';
