/** A history with its verdict and its faults, as text for a terminal and as a page: strings in, strings out. */

export type {
  DrawnOperation,
  DrawnViolation,
  FaultKind,
  FaultSpan,
  HistoryDrawing,
  LeaderSpan,
} from './history-drawing.ts';
export { drawHtml } from './html.ts';
export type { DrawnMessage, MemberChange, MemberState, SpaceTimeDrawing } from './space-time.ts';
export { drawSpaceTimeSvg } from './space-time-svg.ts';
export { drawSpaceTimeText, type SpaceTimeText } from './space-time-text.ts';
export { drawText, type TextDrawing } from './text.ts';
