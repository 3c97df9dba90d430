import { canonical } from '../history.ts';
import { type Call, EXTENDS, IMPOSSIBLE, type Impossible, type Model, READS } from './model.ts';
import { repeated } from './registers.ts';

/** Logs that begin alike share their beginning, so that appending costs the same however long the log is. */
class LogNode {
  readonly parent: LogNode | null;
  readonly value: string;
  readonly length: number;
  readonly #next = new Map<string, LogNode>();

  constructor(parent: LogNode | null, value: string) {
    this.parent = parent;
    this.value = value;
    this.length = parent === null ? 0 : parent.length + 1;
  }

  with(value: string): LogNode {
    let next = this.#next.get(value);
    if (next === undefined) {
      next = new LogNode(this, value);
      this.#next.set(value, next);
    }
    return next;
  }
}

/** A topic that is no value's text. */
const END = 'end';

/** Values in the order in which they were appended: `append v`, `read` → the whole list. */
export const APPEND_LOG: Model<LogNode> = {
  name: 'append-log',
  functions: { read: READS, append: EXTENDS },
  partitioned: true,
  initial: () => new LogNode(null, ''),
  identity: (state) => state,
  step(state: LogNode, call: Call): LogNode | Impossible {
    if (call.f === 'append') return state.with(canonical(call.argument));
    return call.result === undefined || holds(state, elements(call.result)) ? state : IMPOSSIBLE;
  },
  complaint({ f, argument, result }: Call): string | null {
    if (f === 'append') {
      return argument === undefined ? 'appends no value: write the value' : repeated(f, argument, result);
    }
    if (result === undefined || result === null || Array.isArray(result)) return null;
    return 'reads something else than a list: write the whole log as a list';
  },
  // Appends wait for reads, but not for each other: the order in which they come is what the log remembers.
  gives: (call) => (call.f === 'append' ? [canonical(call.argument), END] : []),
  takes: (call) => (call.f === 'read' ? elements(call.result).map(canonical) : [END]),
  canWait: (call) => call.f === 'append',
  seenInAnswers: true,
};

/** A log that was never written may be read as null. */
function elements(result: unknown): readonly unknown[] {
  return Array.isArray(result) ? result : [];
}

function holds(log: LogNode, values: readonly unknown[]): boolean {
  if (log.length !== values.length) return false;
  let node: LogNode | null = log;
  for (let i = values.length - 1; i >= 0 && node !== null; i--, node = node.parent) {
    if (canonical(values[i]) !== node.value) return false;
  }
  return true;
}
