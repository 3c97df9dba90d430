export * from './causal/index.ts';
export * from './convergence/index.ts';
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
export { parseHistory } from './formats/json-lines.ts';
export { FORMATS, formatOf, type HistoryFormat, readHistory } from './formats/read-history.ts';
export type { RecordedHistory } from './formats/recorded.ts';
export {
  formatHistory,
  type HistoryEvent,
  type Operation,
  type Outcome,
  pairOperations,
  type Where,
} from './history.ts';
export { type CheckOptions, checkLinearizable, type Verdict, type Violation } from './linearizable.ts';
export { LinearizabilityChecker, type StreamOptions } from './linearizable-stream.ts';
export { MODELS, modelNamed } from './models/infer.ts';
export { type Call, type FunctionKind, IMPOSSIBLE, type Impossible, type Model } from './models/model.ts';
export type { ConsistencyVerdict, RecordedOperation } from './recorded.ts';
export { checkKv, isKvHistory, type KvOptions, type KvVerdict, type KvViolation } from './revisions/check-kv.ts';
export type { CompareAsked, KeySeen, KvAnswered, KvAsked } from './revisions/kv-operation.ts';
export * from './sequential/index.ts';
export * from './sessions/index.ts';
export * from './transactions/index.ts';
