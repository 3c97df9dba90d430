/** What of a history is drawn, and where: shared by the text and the page. */
import { assert, defined } from '../../base/assert.ts';
import { canonical } from '../history.ts';
import type { DrawnOperation, FaultSpan, HistoryDrawing, LeaderSpan } from './history-drawing.ts';

export interface Arrangement {
  /** In order of invocation; a gap stands for operations that are left out there. */
  readonly rows: readonly Row[];
  /** Operations on keys other than the violation's, all left out. */
  readonly otherKeys: number;
  readonly faults: readonly FaultSpan[];
  readonly leaders: readonly LeaderSpan[];
  readonly faultsLeftOut: number;
  readonly axis: Axis;
}

export type Row =
  | { readonly type: 'operation'; readonly operation: DrawnOperation; readonly isViolation: boolean }
  | { readonly type: 'gap'; readonly count: number };

const MAX_SPANS = 16;
/** Of the operations that are kept: how many, at most, for naming the value that the violation saw, and how many that began after it. */
const MAX_MENTIONS = 4;
const MAX_AFTER = 3;

export function arrange(drawing: HistoryDrawing, maxOperations: number): Arrangement {
  const operations = drawing.operations.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const violation = drawing.violation?.operation;
  const shown = select(operations, violation, maxOperations);
  const candidates = shown.otherKeys === 0 ? operations : operations.filter(({ key }) => key === violation?.key);
  const rows: Row[] = [];
  let skipped = 0;
  for (const operation of candidates) {
    if (!shown.kept.has(operation.invokedAt)) {
      skipped++;
      continue;
    }
    if (skipped > 0) rows.push({ type: 'gap', count: skipped });
    skipped = 0;
    rows.push({ type: 'operation', operation, isViolation: operation.invokedAt === violation?.invokedAt });
  }
  if (skipped > 0) rows.push({ type: 'gap', count: skipped });
  const kept = operations.filter((operation) => shown.kept.has(operation.invokedAt));
  return { rows, otherKeys: shown.otherKeys, ...spansAndAxis(drawing, kept, kept.length === operations.length) };
}

function select(
  operations: readonly DrawnOperation[],
  violation: DrawnOperation | undefined,
  most: number,
): { kept: ReadonlySet<number>; otherKeys: number } {
  const invocations = (chosen: readonly DrawnOperation[]): number[] => chosen.map(({ invokedAt }) => invokedAt);
  if (operations.length <= most) return { kept: new Set(invocations(operations)), otherKeys: 0 };
  if (violation === undefined) {
    const tail = Math.floor(most / 2);
    const ends = [...operations.slice(0, most - tail), ...operations.slice(operations.length - tail)];
    return { kept: new Set(invocations(ends)), otherKeys: 0 };
  }
  // Keys are independent: operations on another key say nothing about this one.
  const ofKey = operations.filter(({ key }) => key === violation.key);
  const otherKeys = operations.length - ofKey.length;
  if (ofKey.length <= most) return { kept: new Set(invocations(ofKey)), otherKeys };
  const until = ofKey.filter(({ invokedAt }) => invokedAt < violation.completedAt);
  const after = ofKey.slice(until.length, until.length + Math.min(MAX_AFTER, Math.floor(most / 4)));
  const room = most - after.length;
  const seen = canonical(violation.f === 'cas' ? (violation.value as unknown[])[0] : violation.value);
  const old = until.slice(0, Math.max(0, until.length - room)).filter((each) => mentions(each, seen));
  const mentioned = old.slice(-Math.min(MAX_MENTIONS, Math.floor(room / 2)));
  const near = until.slice(Math.max(0, until.length - (room - mentioned.length)));
  const must = ofKey.filter(({ invokedAt }) => invokedAt === violation.invokedAt);
  return { kept: new Set(invocations([...mentioned, ...near, ...must, ...after])), otherKeys };
}

function mentions({ f, value }: DrawnOperation, seen: string): boolean {
  if (f === 'read') return false;
  return (Array.isArray(value) ? value : [value]).some((each) => canonical(each) === seen);
}

function spansAndAxis(
  drawing: HistoryDrawing,
  shown: readonly DrawnOperation[],
  isWhole: boolean,
): Omit<Arrangement, 'rows' | 'otherKeys'> {
  const positions = new Set<number>();
  for (const { invokedAt, completedAt } of shown) {
    positions.add(invokedAt);
    if (Number.isFinite(completedAt)) positions.add(completedAt);
  }
  const ordered = [...positions].sort((a, b) => a - b);
  const { timesUs, faults = [], leaders = [] } = drawing;
  assert(timesUs !== undefined || faults.length + leaders.length === 0, 'faults are placed by the times of the events');
  if (timesUs === undefined) {
    const moments = ordered.map((position) => ({ position, timeUs: null }));
    return { axis: new Axis(moments), faults: [], leaders: [], faultsLeftOut: 0 };
  }
  const events = ordered.map((position) => ({
    position,
    timeUs: defined(timesUs[position], 'every event of the history has a time'),
  }));
  const fromUs = isWhole ? Number.NEGATIVE_INFINITY : (events[0]?.timeUs ?? 0);
  const toUs = isWhole ? Number.POSITIVE_INFINITY : (events.at(-1)?.timeUs ?? 0);
  const within = (span: FaultSpan | LeaderSpan): boolean =>
    span.fromUs <= toUs && (span.toUs ?? Number.POSITIVE_INFINITY) >= fromUs;
  const byStart = (a: FaultSpan | LeaderSpan, b: FaultSpan | LeaderSpan): number => a.fromUs - b.fromUs;
  const near = faults.filter(within).sort(byStart).slice(-MAX_SPANS);
  const led = leaders.filter(within).sort(byStart).slice(-MAX_SPANS);
  const boundaries = [...near, ...led].flatMap((span) =>
    span.toUs === null ? [span.fromUs] : [span.fromUs, span.toUs],
  );
  const inside = boundaries.filter((timeUs) => timeUs >= fromUs && timeUs <= toUs);
  return {
    axis: new Axis(
      merge(
        events,
        [...new Set(inside)].sort((a, b) => a - b),
      ),
    ),
    faults: near,
    leaders: led,
    faultsLeftOut: faults.length - near.length,
  };
}

interface Moment {
  /** Of an event in the history; null: a fault begins or ends. */
  readonly position: number | null;
  readonly timeUs: number | null;
}

function merge(events: readonly { position: number; timeUs: number }[], boundaries: readonly number[]): Moment[] {
  const moments: Moment[] = [];
  let next = 0;
  for (const event of events) {
    for (let at = boundaries[next]; at !== undefined && at <= event.timeUs; at = boundaries[++next]) {
      moments.push({ position: null, timeUs: at });
    }
    moments.push(event);
  }
  return [...moments, ...boundaries.slice(next).map((timeUs) => ({ position: null, timeUs }))];
}

/** Even steps from moment to moment: order is what decides, and a time-out would squeeze all else into one column. */
export class Axis {
  readonly #moments: readonly Moment[];
  readonly #rankOfPosition = new Map<number, number>();
  readonly #rankOfBoundary = new Map<number, number>();

  constructor(moments: readonly Moment[]) {
    this.#moments = moments;
    for (const [rank, { position, timeUs }] of moments.entries()) {
      if (position !== null) this.#rankOfPosition.set(position, rank);
      else if (timeUs !== null) this.#rankOfBoundary.set(timeUs, rank);
    }
  }

  /** How many moments there are; their ranks count from 0. */
  get length(): number {
    return this.#moments.length;
  }

  ofEvent(position: number): number {
    return defined(this.#rankOfPosition.get(position), 'every event of a drawn operation is on the axis');
  }

  /** Of the beginning or end of a span; what lies beyond the picture is at its edge, -1 or `length`. */
  ofBoundary(timeUs: number): number {
    return this.#rankOfBoundary.get(timeUs) ?? (timeUs < (this.timeUs(0) ?? 0) ? -1 : this.length);
  }

  timeUs(rank: number): number | null {
    return this.#moments[rank]?.timeUs ?? null;
  }
}
