import type { EventLog } from './event-log.ts';
import { layOut, type SpaceTime, type SpaceTimeRow } from './space-time.ts';
import { eventName } from './space-time-text.ts';

const COLUMN_PX = 110;
const ROW_PX = 22;
const TOP_PX = 56;
const LEFT_PX = 60;
const LABEL_PX = 560;
const MAX_LABEL_LENGTH = 90;
const MAX_NAME_LENGTH = 14;
/** Far enough apart in hue, and dark enough on white, to be told apart; then they repeat. */
const HUES = [210, 25, 145, 280, 350, 180, 50, 320];

const STYLE =
  'text{font:12px ui-sans-serif,system-ui,sans-serif;fill:#222}.name{font-weight:600;text-anchor:middle}' +
  '.life{stroke:#bbb;stroke-width:1.5}.message{stroke:#777;stroke-width:1.2;marker-end:url(#arrow)}.note{fill:#777}' +
  '.sheet{fill:#fff}';

/** A space-time diagram as one SVG file, at most `limit` events, each with its clock as a tooltip. */
export function spaceTimeSvg(log: EventLog, limit: number): string {
  const drawing = layOut(log, limit);
  const { processes, rows, leftOut } = drawing;
  const width = LEFT_PX + processes.length * COLUMN_PX + LABEL_PX;
  const height = TOP_PX + rows.length * ROW_PX + (leftOut > 0 ? 2 : 1) * ROW_PX;
  const note = leftOut === 0 ? '' : label(LEFT_PX, height - ROW_PX / 2, `… and ${leftOut} more events`, 'note');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>Space-time diagram: ${rows.length} events of ${processes.length} processes</title>`,
    `<style>${STYLE}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="12" refY="4" markerWidth="7" markerHeight="7" orient="auto">' +
      '<path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>',
    `<rect class="sheet" width="${width}" height="${height}"/>`,
    ...processes.map((process, column) => lifeline(process, column, rows.length)),
    ...rows.flatMap((row, index) => messages(row, index, drawing)),
    ...rows.map((row, index) => eventMark(row, index, processes.length)),
    note,
    '</svg>',
    '',
  ].join('\n');
}

function lifeline(process: string, column: number, rows: number): string {
  const x = xOf(column);
  const line = `<line class="life" x1="${x}" y1="${TOP_PX - 16}" x2="${x}" y2="${yOf(rows)}"/>`;
  const shown = process.length > MAX_NAME_LENGTH ? `${process.slice(0, MAX_NAME_LENGTH - 1)}…` : process;
  const name = `<text class="name" x="${x}" y="26">${escapeXml(shown)}<title>${escapeXml(process)}</title></text>`;
  return line + name;
}

function messages(row: SpaceTimeRow, index: number, { rows }: SpaceTime): string[] {
  return row.from.flatMap((source) => {
    const sent = rows[source];
    if (sent === undefined) return [];
    const [x1, y1, x2, y2] = [xOf(sent.column), yOf(source), xOf(row.column), yOf(index)];
    return [`<line class="message" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`];
  });
}

function eventMark({ event, column }: SpaceTimeRow, index: number, columns: number): string {
  const hue = HUES[column % HUES.length];
  const where = event.line === 0 ? '' : `, line ${event.line}`;
  const tooltip = `<title>${escapeXml(`${eventName(event)}${where}\n${event.clock.toString()}\n${event.text}`)}</title>`;
  const circle = `<circle cx="${xOf(column)}" cy="${yOf(index)}" r="5" fill="hsl(${hue} 65% 40%)"/>`;
  const text = event.text.length > MAX_LABEL_LENGTH ? `${event.text.slice(0, MAX_LABEL_LENGTH - 1)}…` : event.text;
  const x = LEFT_PX + columns * COLUMN_PX - COLUMN_PX / 4;
  return `<g>${tooltip}${circle}${label(x, yOf(index) + 4, `${eventName(event)}  ${text}`, '')}</g>`;
}

function label(x: number, y: number, text: string, style: string): string {
  return `<text${style === '' ? '' : ` class="${style}"`} x="${x}" y="${y}">${escapeXml(text)}</text>`;
}

function xOf(column: number): number {
  return LEFT_PX + column * COLUMN_PX;
}

function yOf(row: number): number {
  return TOP_PX + row * ROW_PX;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters and halves of surrogate pairs have no place in XML 1.0, not even as references. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found)
    .replace(/[^\t\n\P{Cc}]|\p{Surrogate}|[\ufffe\uffff]/gu, '\ufffd');
}
