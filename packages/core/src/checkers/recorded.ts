import { PolderError } from '../base/error.ts';
import { canonical } from './history.ts';

/**
 * What the checkers of consistency levels need to know of an operation; the `Operation` of a paired history is one.
 * `info`, also called unknown: it may take effect at any time after its invocation, or never (PITFALLS D6).
 */
export interface RecordedOperation {
  readonly process: number;
  readonly f: string;
  readonly key: string;
  /** write: the value; cas: `[old, new]`; read: what an `ok` one returned, null when the key was absent. */
  readonly value: unknown;
  readonly outcome: 'ok' | 'fail' | 'info';
  /** Positions in the history. */
  readonly invokedAt: number;
  /** Infinity for `info`. */
  readonly completedAt: number;
}

export interface ConsistencyVerdict<Violation> {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** Why the result is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly violations: readonly Violation[];
}

/** A violation that was found stands, whatever else could not be judged; without one, a reason makes it `unknown`. */
export function verdictOf<Violation>(
  violations: readonly Violation[],
  reason: string | null,
): ConsistencyVerdict<Violation> {
  if (violations.length > 0) return { result: 'invalid', reason: null, violations };
  return { result: reason === null ? 'valid' : 'unknown', reason, violations };
}

/** Equal for equal JSON values and only for these; primitives, nearly every value there is, stand for themselves. */
export function identityOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? `\u0000${canonical(value)}` : (value ?? null);
}

/** The value as a person reads it. */
export function shown(value: unknown): string {
  return value === null || value === undefined ? 'nothing' : canonical(value);
}

export function atKey(key: string): string {
  return JSON.stringify(key);
}

/** For instance: process 1's write of 2 to "x" (event 4). */
export function described(operation: RecordedOperation): string {
  const { process, f, key, value, invokedAt } = operation;
  return `process ${process}'s ${f} of ${shown(value)} at ${atKey(key)} (event ${invokedAt})`;
}

export function malformedOperation(operation: RecordedOperation, what: string): PolderError {
  return new PolderError('MalformedHistory', `the operation invoked at event ${operation.invokedAt} ${what}`);
}

/** The operations in the order of their invocation, as one process after the other saw its own. */
export function inInvocationOrder(operations: readonly RecordedOperation[]): readonly RecordedOperation[] {
  for (let i = 1; i < operations.length; i++) {
    const [before, after] = [operations[i - 1], operations[i]];
    if (before !== undefined && after !== undefined && before.invokedAt > after.invokedAt) {
      return [...operations].sort((a, b) => a.invokedAt - b.invokedAt);
    }
  }
  return operations;
}
