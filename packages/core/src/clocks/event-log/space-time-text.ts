import type { EventLog } from './event-log.ts';
import { layOut, type SpaceTimeRow } from './space-time.ts';

const MAX_NAME_WIDTH = 16;

/** A space-time diagram in characters, at most `limit` events. */
export function spaceTimeText(log: EventLog, limit: number): string {
  const { processes, rows, leftOut } = layOut(log, limit);
  const names = processes.map((name) => cut(name, MAX_NAME_WIDTH));
  const widths = names.map((name) => Array.from(name).length + 2);
  const lines = [
    names
      .map((name, i) => pad(name, widths[i] as number))
      .join('')
      .trimEnd(),
  ];
  for (const row of rows) {
    const marks = widths.map((width, column) => pad(column === row.column ? '●' : '│', width));
    lines.push(`${marks.join('')}${describe(row, rows)}`.trimEnd());
  }
  if (leftOut > 0) lines.push(`… and ${leftOut} more events`);
  return lines.join('\n');
}

/** `orders:3`, by which the queries of `polder trace` name an event as well. */
export function eventName({ process, sequence }: { readonly process: string; readonly sequence: number }): string {
  return `${process}:${sequence}`;
}

function describe({ event, from }: SpaceTimeRow, rows: readonly SpaceTimeRow[]): string {
  const sources = from.map((row) => rows[row]).filter((row) => row !== undefined);
  const parts = [
    eventName(event),
    event.kind,
    sources.map((source) => `← ${eventName(source.event)}`).join(' '),
    printableText(event.text),
  ];
  return parts.filter((part) => part !== null && part !== '').join('  ');
}

/** What a terminal would obey, or what would break the line, is shown as a space. */
export function printableText(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function cut(text: string, width: number): string {
  const characters = Array.from(printableText(text));
  return characters.length <= width ? characters.join('') : `${characters.slice(0, width - 1).join('')}…`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(width - Array.from(text).length);
}
