export { directCauses, shortestChain } from './causal-chain.ts';
export type { ClockProblem } from './check-clocks.ts';
export type { EventId, EventKind, LoggedEvent, StoredEvent } from './event.ts';
export { buildEventLog, type EventLog, type EventLogResult } from './event-log.ts';
export { type EventRange, EventRanges } from './event-ranges.ts';
export { checkProcessName, type EventDetails, EventRecorder, type EventRecorderOptions } from './event-recorder.ts';
export {
  BAGGAGE_HEADER,
  CLOCK_HEADER,
  type ClockHeaders,
  extractClock,
  formatClockHeader,
  injectClock,
  MAX_CLOCK_HEADER_LENGTH,
  type Propagation,
  parseClockHeader,
} from './propagation.ts';
export { countRaces, findRaces, type Race } from './races.ts';
export {
  DEFAULT_PARSER,
  HOST_FIRST_PARSER,
  POLDER_DELIMITER,
  POLDER_PARSER,
  type ShiVizPatterns,
} from './shiviz-pattern.ts';
export { readShiViz, type Trace } from './shiviz-reader.ts';
export { formatShiViz, type ShiVizFormat, shiVizDelimiter, shiVizHeader, writeShiViz } from './shiviz-writer.ts';
export { layOut, type SpaceTime, type SpaceTimeRow } from './space-time.ts';
export { spaceTimeSvg } from './space-time-svg.ts';
export { eventName, printableText, spaceTimeText } from './space-time-text.ts';
