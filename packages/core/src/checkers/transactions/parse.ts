import { canonical } from '../history.ts';
import { identityOf, malformedOperation, type RecordedOperation } from '../recorded.ts';
import type { Step, Transaction } from './model.ts';

/** No transaction wrote it. */
export const NOBODY = -1;
/** A key's value before the first write. */
export const INITIAL = -1;

/** Keys and the elements written to them, by number. */
export class Interned {
  readonly keyNames: string[] = [];
  /** Of each element: its key, its value, who wrote it, as which of its writes to the key, and whether as the last. */
  readonly keyOf: number[] = [];
  readonly valueOf: unknown[] = [];
  readonly writerOf: number[] = [];
  readonly ordinalOf: number[] = [];
  readonly isFinal: boolean[] = [];
  /** The first element that two writes share: nothing can be inferred then. */
  repeated: number = INITIAL;
  readonly #keys = new Map<unknown, number>();
  readonly #elements: Map<unknown, number>[] = [];

  key(name: unknown): number {
    const identity = identityOf(name);
    const known = this.#keys.get(identity);
    if (known !== undefined) return known;
    const key = this.keyNames.length;
    this.#keys.set(identity, key);
    this.keyNames.push(canonical(name));
    this.#elements.push(new Map());
    return key;
  }

  element(key: number, value: unknown): number {
    const elements = this.#elements[key];
    const identity = identityOf(value);
    const known = elements?.get(identity);
    if (known !== undefined) return known;
    const element = this.valueOf.length;
    elements?.set(identity, element);
    this.keyOf.push(key);
    this.valueOf.push(value);
    this.writerOf.push(NOBODY);
    this.ordinalOf.push(0);
    this.isFinal.push(false);
    return element;
  }

  written(key: number, value: unknown, transaction: number): number {
    const element = this.element(key, value);
    if (this.writerOf[element] !== NOBODY && this.repeated === INITIAL) this.repeated = element;
    this.writerOf[element] = transaction;
    return element;
  }
}

export interface TransactionHistory {
  readonly type: 'list-append' | 'register';
  readonly transactions: readonly Transaction[];
  readonly interned: Interned;
}

/**
 * The operations whose `f` is `txn`. Their value is a list of `['append', key, value]` and `['r', key, list or null]`,
 * or of `['w', key, value]` and `['r', key, value or null]`. Throws `MalformedHistory` for anything else.
 */
export function parseTransactions(operations: readonly RecordedOperation[]): TransactionHistory {
  const interned = new Interned();
  const own = operations.filter((operation) => operation.f === 'txn');
  const type = typeOf(own);
  const writes = type === 'list-append' ? 'append' : 'write';
  const steps = own.map((operation, id) => {
    const found: Step[] = [];
    const last = new Map<number, number>();
    for (const [f, name, value] of microOperations(operation)) {
      const key = interned.key(name);
      if (f === 'r') {
        if (operation.outcome === 'ok') found.push(readOf(operation, type, key, value, interned));
        continue;
      }
      const element = interned.written(key, value, id);
      const before = last.get(key);
      interned.ordinalOf[element] = before === undefined ? 0 : (interned.ordinalOf[before] ?? 0) + 1;
      last.set(key, element);
      found.push({ type: writes, key, element });
    }
    for (const element of last.values()) interned.isFinal[element] = true;
    return found;
  });
  const transactions = own.map((operation, id): Transaction => {
    return { id, operation, outcome: operation.outcome, steps: steps[id] ?? [] };
  });
  return { type, transactions, interned };
}

type MicroOperation = readonly ['append' | 'w' | 'r', unknown, unknown];

function microOperations(operation: RecordedOperation): readonly MicroOperation[] {
  const { value } = operation;
  if (!Array.isArray(value)) {
    throw malformedOperation(operation, 'is a txn without a list: write [["append", key, value], ["r", key, null]]');
  }
  for (const each of value as unknown[]) {
    const f = Array.isArray(each) ? (each as unknown[])[0] : null;
    if (f === 'append' || f === 'w' || f === 'r') continue;
    const advice = 'write ["append", key, value], ["w", key, value] or ["r", key, value]';
    throw malformedOperation(operation, `has the step ${canonical(each)} in its txn: ${advice}`);
  }
  return value as MicroOperation[];
}

/** By what is written; when nothing is, by what is read. */
function typeOf(operations: readonly RecordedOperation[]): TransactionHistory['type'] {
  let type: TransactionHistory['type'] | null = null;
  let readsLists = false;
  for (const operation of operations) {
    for (const [f, , value] of microOperations(operation)) {
      if (f === 'r') {
        readsLists ||= Array.isArray(value);
        continue;
      }
      const found = f === 'append' ? 'list-append' : 'register';
      if (type !== null && type !== found) {
        throw malformedOperation(operation, 'mixes append with w: check the two kinds as two histories');
      }
      type = found;
    }
  }
  return type ?? (readsLists ? 'list-append' : 'register');
}

function readOf(
  operation: RecordedOperation,
  type: TransactionHistory['type'],
  key: number,
  value: unknown,
  interned: Interned,
): Step {
  const absent = value === null || value === undefined;
  if (type === 'register') return { type: 'read', key, element: absent ? INITIAL : interned.element(key, value) };
  if (absent) return { type: 'list', key, elements: [] };
  if (Array.isArray(value)) return { type: 'list', key, elements: value.map((each) => interned.element(key, each)) };
  throw malformedOperation(operation, `reads ${canonical(value)} where a list was expected: write the list, or null`);
}
