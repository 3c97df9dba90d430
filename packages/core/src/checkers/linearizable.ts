import { assert, defined } from '../base/assert.ts';
import { canonical, type HistoryEvent, type Operation, type Outcome, pairOperations } from './history.ts';
import { RegisterSearch } from './register-search.ts';

export interface CheckOptions {
  /** States a search may look at for one key before it gives the answer `unknown`. */
  readonly maxStates?: number;
  /** With fewer `ok` operations there is nothing to believe: the result is `unknown` (PITFALLS D5). At least 1. */
  readonly minimumOk?: number;
}

export interface Verdict {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** Why the result is `unknown`; null otherwise. */
  readonly reason: string | null;
  /** Operations by what they do and how they ended; one that never completed counts as `info`. */
  readonly operations: Readonly<Record<HistoryEvent['f'], Readonly<Record<Outcome, number>>>>;
  readonly keys: number;
  /** How many states the searches looked at. */
  readonly states: number;
  readonly violation?: Violation;
}

export interface Violation {
  readonly key: string;
  /** So many events from the start cannot be explained; one fewer can. */
  readonly prefixLength: number;
  /** The first operation that no order can place. */
  readonly operation: Operation;
  /** For a person. */
  readonly sentence: string;
}

const DEFAULT_MAX_STATES = 1_000_000;

/**
 * Whether the history of registers is linearizable (Herlihy and Wing, 1990): some order of the operations, each
 * between its invocation and its return, explains every answer. Keys are independent (locality, section 3.3), and
 * absent (null) at first. Throws `MalformedHistory`.
 */
export function checkLinearizable(history: readonly HistoryEvent[], options: CheckOptions = {}): Verdict {
  const maxStates = options.maxStates ?? DEFAULT_MAX_STATES;
  const minimumOk = options.minimumOk ?? 1;
  assert(Number.isSafeInteger(maxStates) && maxStates >= 1, 'maxStates is a positive integer');
  assert(Number.isSafeInteger(minimumOk) && minimumOk >= 1, 'minimumOk is a positive integer: nothing proves nothing');
  const operations = pairOperations(history);
  const byKey = new Map<string, Operation[]>();
  const counts = { read: noOperations(), write: noOperations(), cas: noOperations() };
  for (const operation of operations) {
    counts[operation.f][operation.outcome]++;
    const ofKey = byKey.get(operation.key);
    if (ofKey === undefined) byKey.set(operation.key, [operation]);
    else ofKey.push(operation);
  }
  let states = 0;
  let first: Operation | null = null;
  const unfinished: string[] = [];
  for (const [key, ofKey] of byKey) {
    const found = new RegisterSearch(maxStates).run(ofKey);
    states += found.states;
    if (found.type === 'unknown') unfinished.push(key);
    if (found.type === 'invalid' && (first === null || found.operation.completedAt < first.completedAt)) {
      first = found.operation;
    }
  }
  const summary = { operations: counts, keys: byKey.size, states };
  if (first !== null) {
    const violation = violationOf(first, defined(byKey.get(first.key), 'the key of an operation has operations'));
    return { result: 'invalid', reason: null, ...summary, violation };
  }
  const ok = counts.read.ok + counts.write.ok + counts.cas.ok;
  const reason = whyUnknown(unfinished, maxStates, ok, minimumOk);
  return { result: reason === null ? 'valid' : 'unknown', reason, ...summary };
}

function noOperations(): Record<Outcome, number> {
  return { ok: 0, fail: 0, info: 0 };
}

function whyUnknown(unfinished: readonly string[], maxStates: number, ok: number, minimumOk: number): string | null {
  if (unfinished.length > 0) {
    const keys = `key ${JSON.stringify(unfinished[0])}${unfinished.length > 1 ? ` and ${unfinished.length - 1} more` : ''}`;
    return `${keys}: no answer within ${maxStates} states; raise maxStates, or use more keys or fewer clients at once`;
  }
  if (ok >= minimumOk) return null;
  return `only ${ok} operations succeeded, and ${minimumOk} are the least that says anything: run for longer`;
}

function violationOf(operation: Operation, ofKey: readonly Operation[]): Violation {
  assert(Number.isFinite(operation.completedAt), 'only an operation that returned can be impossible to place');
  const prefixLength = operation.completedAt + 1;
  return { key: operation.key, prefixLength, operation, sentence: sentenceOf(operation, ofKey) };
}

function sentenceOf(operation: Operation, ofKey: readonly Operation[]): string {
  const { key, process, invokeIndex, completeIndex } = operation;
  const observed = canonical(operation.f === 'cas' ? (operation.value as unknown[])[0] : operation.value);
  const who = `Process ${process} ${operation.f === 'cas' ? 'swapped' : 'read'} ${shown(observed)}`;
  const start = `${who} at key ${JSON.stringify(key)} (events ${invokeIndex} to ${completeIndex})`;
  const writers = ofKey.filter((other) => other !== operation && other.f !== 'read' && written(other) === observed);
  const inTime = writers.filter((other) => other.invokedAt < operation.completedAt && other.outcome !== 'fail');
  if (inTime.length === 0 && observed !== 'null') {
    const failed = writers.some((other) => other.invokedAt < operation.completedAt);
    return `${start}, but ${failed ? 'the only operation to write that had failed' : 'nobody had written that by then'}.`;
  }
  const before = ofKey.filter((other) => other.f !== 'read' && other.completedAt < operation.invokedAt);
  const latest = before.filter((other) => other.outcome === 'ok').sort((a, b) => b.completedAt - a.completedAt)[0];
  if (latest !== undefined && written(latest) !== observed) {
    const did = `process ${latest.process}'s ${latest.f} of ${shown(written(latest))}`;
    const acknowledged = `was acknowledged at event ${latest.completeIndex}, before that began`;
    return `${start}, but ${did} ${acknowledged}, and no order of the operations brings ${shown(observed)} back.`;
  }
  return `${start}, but no order of the operations so far explains both that and the answers before it.`;
}

function written(operation: Operation): string {
  return canonical(operation.f === 'cas' ? (operation.value as unknown[])[1] : operation.value);
}

function shown(value: string): string {
  return value === 'null' ? 'no value' : value;
}
