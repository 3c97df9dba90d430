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
export { drawText, type TextDrawing } from './text.ts';
