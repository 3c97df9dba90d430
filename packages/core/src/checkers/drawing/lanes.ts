/** The rows of a drawn page: weather, members, processes. */
import type { Arrangement, Axis } from './arrangement.ts';
import type { DrawnOperation, FaultSpan, LeaderSpan } from './history-drawing.ts';

export const TRACK_PX = 24;
const PROCESS_LANE_PX = 44;

export type Span =
  | (FaultSpan & { readonly css: string })
  | (LeaderSpan & { readonly css: string; readonly label: string });

export interface Lane {
  readonly name: string;
  readonly topPx: number;
  readonly heightPx: number;
  readonly content:
    | { readonly type: 'process'; readonly process: number }
    | { readonly type: 'spans'; readonly tracks: Span[][] };
}

export function lanesOf({ axis, faults, leaders }: Arrangement, operations: readonly DrawnOperation[]): Lane[] {
  const spans: Span[] = [
    ...leaders.map((span) => ({ ...span, css: 'leads', label: `leads, term ${span.term}` })),
    ...faults.map((span) => ({ ...span, css: span.kind === 'other' ? 'other-fault' : span.kind })),
  ];
  const membersOf = (span: Span): readonly number[] => ('member' in span ? [span.member] : span.members);
  const members = [...new Set(spans.flatMap(membersOf))].sort((a, b) => a - b);
  const lanes: Lane[] = [];
  let topPx = 12;
  const add = (name: string, heightPx: number, content: Lane['content']): void => {
    lanes.push({ name, topPx, heightPx, content });
    topPx += heightPx;
  };
  const addSpans = (name: string, ofLane: readonly Span[]): void => {
    const tracks = tracksOf(ofLane, axis);
    add(name, tracks.length * TRACK_PX + 8, { type: 'spans', tracks });
  };
  const everywhere = spans.filter((span) => membersOf(span).length === 0);
  if (everywhere.length > 0) addSpans('all', everywhere);
  for (const member of members)
    addSpans(
      `member ${member}`,
      spans.filter((span) => membersOf(span).includes(member)),
    );
  if (members.length > 0) topPx += 10;
  const processes = [...new Set(operations.map(({ process }) => process))].sort((a, b) => a - b);
  for (const process of processes) add(`process ${process}`, PROCESS_LANE_PX, { type: 'process', process });
  return lanes;
}

/** Spans that overlap are drawn under each other. */
function tracksOf(spans: readonly Span[], axis: Axis): Span[][] {
  const tracks: Span[][] = [];
  const endOf = (span: Span): number => (span.toUs === null ? axis.length : axis.ofBoundary(span.toUs));
  for (const span of spans.toSorted((a, b) => a.fromUs - b.fromUs)) {
    const from = axis.ofBoundary(span.fromUs);
    const free = tracks.find((track) => track.every((other) => endOf(other) <= from && other.fromUs < span.fromUs));
    if (free === undefined) tracks.push([span]);
    else free.push(span);
  }
  return tracks;
}

/** Where the line of a lane goes: through the middle of its bars. */
export function middleOf({ topPx, heightPx, content }: Lane): number {
  return topPx + (content.type === 'process' ? 26 : heightPx / 2);
}
