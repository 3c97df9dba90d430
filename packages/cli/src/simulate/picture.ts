/** A run for a person: what clients asked and heard, and what broke meanwhile. */
import {
  checkLinearizable,
  type DrawnOperation,
  drawHtml,
  drawText,
  type HistoryDrawing,
  type HistoryEvent,
} from '@polder/core/checkers';
import type { RunReport, TracedFrame } from '@polder/core/simulation';
import { faultSpans } from './fault-spans.ts';

const MAX_FRAMES = 20;
const WIDTH_COLUMNS = 100;
const REGISTER_OPERATIONS: readonly string[] = ['read', 'write', 'cas'];

export type Drawable = Pick<RunReport, 'history' | 'faultTimes' | 'violation'>;

/** As text for a terminal. */
export function picture(report: Drawable): string {
  return drawText({ ...drawingOf(report), widthColumns: WIDTH_COLUMNS }).trimEnd();
}

/** As one file of HTML that fetches nothing. */
export function page(report: Drawable, notes: readonly string[]): string {
  return drawHtml({ ...drawingOf(report), notes });
}

/** What happens to frames beyond calm weather, in a trace. */
export function frameLines(frames: readonly TracedFrame[]): string[] {
  const lines = frames.slice(0, MAX_FRAMES).map(({ from, to, kind, nth, delaysUs }) => {
    const arrivals = delaysUs.map((delayUs) => `${delayUs / 1_000} ms`).join(' and ');
    const fate = delaysUs.length === 0 ? 'is lost' : `arrives after ${arrivals}`;
    return `${kind} number ${nth + 1} from member ${from} to ${to} ${fate}`;
  });
  const more = frames.length - lines.length;
  return more > 0 ? [...lines, `and so on: ${more} more frames`] : lines;
}

function drawingOf(report: Drawable): HistoryDrawing {
  const { history, faultTimes } = report;
  const operations = operationsOf(history);
  const violation = violationOf(report, operations);
  const timesUs = history.map(({ time }) => time);
  return { operations, violation, timesUs, faults: faultSpans(faultTimes) };
}

/** Only the judge of registers names an operation; what broke otherwise is told beside the picture. */
function violationOf(
  { history, violation }: Drawable,
  operations: readonly DrawnOperation[],
): HistoryDrawing['violation'] {
  const judged = violation?.rule === 'Linearizability' && history.every(({ f }) => REGISTER_OPERATIONS.includes(f));
  if (!judged) return undefined;
  const placed = checkLinearizable(history).violation?.operation;
  const operation = operations.find(({ invokedAt }) => invokedAt === placed?.invokedAt);
  return operation === undefined ? undefined : { operation, sentence: violation.sentence };
}

/** Of any model: a history of one's own has operations that the checkers do not know. */
function operationsOf(history: readonly HistoryEvent[]): DrawnOperation[] {
  const operations: DrawnOperation[] = [];
  const open = new Map<number, number>();
  for (const [position, { process, type, f, key, value }] of history.entries()) {
    if (type === 'invoke') {
      open.set(process, operations.length);
      const times = { invokedAt: position, completedAt: Number.POSITIVE_INFINITY };
      operations.push({ f, key, process, outcome: 'info', value, ...times });
      continue;
    }
    const slot = open.get(process);
    const begun = slot === undefined ? undefined : operations[slot];
    if (slot === undefined || begun === undefined) continue;
    open.delete(process);
    const completedAt = type === 'info' ? Number.POSITIVE_INFINITY : position;
    // What a read saw stands in its answer; what a write wrote, in its question.
    operations[slot] = { ...begun, outcome: type, value: type === 'ok' ? value : begun.value, completedAt };
  }
  return operations;
}
