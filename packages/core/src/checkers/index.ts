export { formatHistory, type HistoryEvent, type Operation, type Outcome, parseHistory } from './history.ts';
export { type CheckOptions, checkLinearizable, type Verdict, type Violation } from './linearizable.ts';
