import { assert } from '../../base/assert.ts';
import {
  byPosition,
  canonical,
  type HistoryEvent,
  malformed,
  type Operation,
  type Outcome,
  pairOperations,
  type Where,
} from '../history.ts';
import { type Call, callsOf } from './calls.ts';
import { complaintOfAnswer, complaintOfAsked, KV_FUNCTIONS } from './kv-operation.ts';
import { Replay, type ReplayResult } from './replay.ts';

export interface KvOptions {
  /** The revision of the store before the first operation, when it was empty; etcd's is 1. */
  readonly firstRevision?: number;
  /** States looked at before the answer is `unknown`. */
  readonly maxStates?: number;
  /** As for `checkLinearizable`. */
  readonly minimumOk?: number;
  readonly where?: Where;
}

export interface KvVerdict {
  readonly result: 'valid' | 'invalid' | 'unknown';
  readonly reason: string | null;
  readonly operations: Readonly<Record<string, Readonly<Record<Outcome, number>>>>;
  /** The last revision that an answer speaks of. */
  readonly lastRevision: number;
  readonly states: number;
  readonly violation?: KvViolation;
}

export interface KvViolation {
  /** So many events from the start cannot be explained, whatever becomes of what is open then; one fewer can. */
  readonly prefixLength: number;
  /** The last operation of these. */
  readonly operation: Operation;
  readonly sentence: string;
}

const DEFAULT_MAX_STATES = 1_000_000;

/**
 * Whether a history of a store with revisions (etcd's, see `kv-operation.ts`) is linearizable, by replaying it in the
 * order that the answers' revisions tell: each write that returned made its revision, a write of unknown outcome may
 * have made one that nobody claims, and everything else saw the state at its revision. An operation that began after
 * another returned is not older. Throws `MalformedHistory`.
 */
export function checkKv(history: readonly HistoryEvent[], options: KvOptions = {}): KvVerdict {
  const { where = byPosition, minimumOk = 1, maxStates = DEFAULT_MAX_STATES } = options;
  const firstRevision = options.firstRevision ?? 1;
  const operations = pairOperations(history, where);
  checkValues(history, operations, where);
  const calls = callsOf(history, operations);
  const judge = (end: number): ReplayResult => new Replay(calls, end, firstRevision, maxStates).run();
  const found = judge(history.length);
  const summary = {
    operations: countsOf(operations),
    lastRevision: calls.reduce((last, call) => Math.max(last, call.answered?.revision ?? 0), firstRevision),
    states: found.states,
  };
  if (found.type === 'invalid') {
    return { result: 'invalid', reason: null, ...summary, violation: shortest(calls, history.length, judge) };
  }
  const ok = operations.filter((operation) => operation.outcome === 'ok').length;
  const reason = whyUnknown(found, maxStates, ok, minimumOk);
  return { result: reason === null ? 'valid' : 'unknown', reason, ...summary };
}

/** Whether the operations of a history are those of a store with revisions, as far as their names tell. */
export function isKvHistory(history: readonly HistoryEvent[]): boolean {
  if (history.length === 0) return false;
  return history.every(({ f, type, value }) => {
    return KV_FUNCTIONS.includes(f) && (type !== 'invoke' || (typeof value === 'object' && !Array.isArray(value)));
  });
}

/** What cannot be explained stays so, whatever follows: hence the search by halves. */
function shortest(calls: readonly Call[], length: number, judge: (end: number) => ReplayResult): KvViolation {
  let [legal, illegal] = [0, length];
  while (illegal - legal > 1) {
    const middle = Math.floor((legal + illegal) / 2);
    if (judge(middle).type === 'invalid') illegal = middle;
    else legal = middle;
  }
  const last = calls.find((call) => call.operation.completedAt === illegal - 1);
  const found = judge(illegal);
  assert(last !== undefined && found.type === 'invalid', 'only a return can make a history impossible');
  return { prefixLength: illegal, operation: last.operation, sentence: sentenceOf(last.operation, found.why) };
}

function checkValues(history: readonly HistoryEvent[], operations: readonly Operation[], where: Where): void {
  for (const { f, outcome, invokedAt, completedAt } of operations) {
    const asked = history[invokedAt]?.value;
    if (!KV_FUNCTIONS.includes(f)) {
      throw malformed(
        where(invokedAt),
        `has the unknown f ${JSON.stringify(f)}: use one of ${KV_FUNCTIONS.join(', ')}`,
      );
    }
    const complaint = complaintOfAsked(f, asked);
    if (complaint !== null) throw malformed(where(invokedAt), complaint);
    if (outcome !== 'ok') continue;
    const wrong = complaintOfAnswer(f, asked, history[completedAt]?.value);
    if (wrong !== null) throw malformed(where(completedAt), wrong);
  }
}

function countsOf(operations: readonly Operation[]): Record<string, Record<Outcome, number>> {
  const counts = Object.fromEntries(KV_FUNCTIONS.map((f) => [f, { ok: 0, fail: 0, info: 0 }]));
  for (const { f, outcome } of operations) {
    const count = counts[f];
    if (count !== undefined) count[outcome]++;
  }
  return counts;
}

function whyUnknown(found: ReplayResult, maxStates: number, ok: number, minimumOk: number): string | null {
  if (found.type === 'unknown') {
    return `too many ways to fill revision ${found.revision} with writes of unknown outcome (${maxStates} states): raise maxStates, or read more often`;
  }
  if (ok >= minimumOk) return null;
  return `only ${ok} operations succeeded, and ${minimumOk} are the least that says anything: run for longer`;
}

function sentenceOf({ process, f, value, invokeIndex, completeIndex }: Operation, why: string): string {
  return `Process ${process}'s ${f} (events ${invokeIndex} to ${completeIndex}) answered ${canonical(value)}, but ${why}.`;
}
