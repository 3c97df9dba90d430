import { shown } from '../recorded.ts';
import type { Transaction, TransactionViolation } from './model.ts';
import { INITIAL, type Interned } from './parse.ts';

const LONGEST_LIST = 12;

export function nameOf({ operation }: Transaction): string {
  return `process ${operation.process}'s transaction (event ${operation.invokedAt})`;
}

export function keyShown(interned: Interned, key: number): string {
  return interned.keyNames[key] ?? 'an unknown key';
}

export function elementShown(interned: Interned, element: number): string {
  return element === INITIAL ? 'nothing' : shown(interned.valueOf[element]);
}

/** A long list is cut to its end, which is where versions differ. */
export function listShown(interned: Interned, elements: readonly number[]): string {
  const all = elements.slice(-LONGEST_LIST).map((element) => elementShown(interned, element));
  return `[${elements.length > LONGEST_LIST ? `(${elements.length - LONGEST_LIST} more), ` : ''}${all.join(', ')}]`;
}

/** For instance: process 2's transaction (event 9) read "x" as [1, 2]. */
export function readShown(interned: Interned, transaction: Transaction, key: number, value: string): string {
  return `${nameOf(transaction)} read ${keyShown(interned, key)} as ${value}`;
}

/** For instance: process 1's transaction (event 4) appended 2 to "x". */
export function writeShown(interned: Interned, transaction: Transaction, element: number, verb = 'wrote'): string {
  const key = keyShown(interned, interned.keyOf[element] ?? INITIAL);
  return `${nameOf(transaction)} ${verb} ${elementShown(interned, element)} to ${key}`;
}

/** An anomaly that is no cycle. */
export function alone(transactions: readonly Transaction[], sentence: string): Omit<TransactionViolation, 'anomaly'> {
  const text = `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
  return { transactions: transactions.map(({ operation }) => operation), cycle: [], sentence: text };
}
