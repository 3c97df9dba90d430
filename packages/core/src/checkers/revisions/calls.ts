import { canonical, type HistoryEvent, type Operation } from '../history.ts';
import type { KvAnswered, KvAsked } from './kv-operation.ts';

/** An operation that may have had an effect, or an answer. */
export interface Call {
  readonly operation: Operation;
  readonly asked: KvAsked;
  /** Equal for requests that are equal. */
  readonly name: string;
  /** null: unknown. */
  readonly answered: KvAnswered | null;
  /** Of an answer: whether it made its revision, rather than saw it. */
  readonly wrote: boolean;
  /** Whether the request can change anything, as far as can be told without an answer. */
  readonly mayWrite: boolean;
}

/** Of a checked history; operations that certainly did not happen are left out. */
export function callsOf(history: readonly HistoryEvent[], operations: readonly Operation[]): Call[] {
  const calls: Call[] = [];
  for (const operation of operations) {
    const { f, outcome, invokedAt, completedAt } = operation;
    if (outcome === 'fail') continue;
    const asked = { ...(history[invokedAt]?.value as object), f } as KvAsked;
    const answered = outcome === 'ok' ? (history[completedAt]?.value as KvAnswered) : null;
    const wrote = answered !== null && didWrite(asked, answered);
    calls.push({ operation, asked, name: canonical(asked), answered, wrote, mayWrite: mayWrite(asked) });
  }
  return calls;
}

function mayWrite(asked: KvAsked): boolean {
  switch (asked.f) {
    case 'put':
    case 'deleteRange':
      return true;
    case 'range':
      return false;
    case 'txn':
      return [...asked.success, ...asked.failure].some(mayWrite);
  }
}

function didWrite(asked: KvAsked, answered: KvAnswered): boolean {
  switch (asked.f) {
    case 'put':
      return true;
    case 'range':
      return false;
    case 'deleteRange':
      return (answered.deleted ?? 0) > 0;
    case 'txn': {
      const branch = answered.succeeded === true ? asked.success : asked.failure;
      return branch.some((each, i) => didWrite(each, answered.responses?.[i] ?? {}));
    }
  }
}
