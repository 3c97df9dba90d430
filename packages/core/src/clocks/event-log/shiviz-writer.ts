import type { LoggedEvent } from './event.ts';
import { checkProcessName } from './event-recorder.ts';
import { DEFAULT_PARSER, POLDER_DELIMITER, POLDER_PARSER } from './shiviz-pattern.ts';
import { escapeText, plainText } from './shiviz-text.ts';

/** `polder` keeps kind and key of an event, in groups of their own; `default` is what ShiViz assumes without a pattern. */
export type ShiVizFormat = 'polder' | 'default';

/** The two lines that a file opens with. */
export function shiVizHeader(format: ShiVizFormat): string {
  return `${format === 'polder' ? POLDER_PARSER : DEFAULT_PARSER}\n${POLDER_DELIMITER}\n`;
}

/** The line that opens a trace, when a file holds several. */
export function shiVizDelimiter(label: string): string {
  return `=== ${plainText(label)} ===\n`;
}

/** The two lines of an event. Throws `InvalidProcessName` for a process that a log cannot name. */
export function formatShiViz(event: LoggedEvent, format: ShiVizFormat): string {
  checkProcessName(event.process);
  const { process, clock, kind, key, text } = event;
  switch (format) {
    case 'polder':
      return `${process} ${clock.toString()} ${kind ?? '-'} ${encodeKey(key)}\n${escapeText(text)}\n`;
    case 'default':
      return `${plainText(text)}\n${process} ${clock.toString()}\n`;
  }
}

/** A whole file. */
export function writeShiViz(
  traces: Iterable<{ readonly label: string; readonly events: Iterable<LoggedEvent> }>,
  format: ShiVizFormat = 'polder',
): string {
  const parts = [shiVizHeader(format)];
  for (const { label, events } of traces) {
    if (label !== '' || parts.length > 1) parts.push(shiVizDelimiter(label));
    for (const event of events) parts.push(formatShiViz(event, format));
  }
  return parts.join('');
}

function encodeKey(key: string | null): string {
  if (key === null) return '-';
  return key === '-' ? '%2D' : encodeURIComponent(key);
}
