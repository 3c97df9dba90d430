export {
  type DrawnMessage,
  type DrawnOperation,
  type DrawnViolation,
  drawHtml,
  drawSpaceTimeSvg,
  drawSpaceTimeText,
  drawText,
  type FaultKind,
  type FaultSpan,
  type HistoryDrawing,
  type LeaderSpan,
  type MemberChange,
  type MemberState,
  type SpaceTimeDrawing,
  type SpaceTimeText,
  type TextDrawing,
} from './drawing/index.ts';
export { formatHistory, type HistoryEvent, type Operation, type Outcome, parseHistory } from './history.ts';
export { type CheckOptions, checkLinearizable, type Verdict, type Violation } from './linearizable.ts';
