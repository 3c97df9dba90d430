/**
 * A light check of transactions: what one transaction must see of itself, and who read what from whom (G1a, G1b, and
 * the cycles of reads in G1c). Anomalies that need an order of all versions (G0, G-single, G2) are not looked for.
 * Names: A. Adya, "Weak Consistency", 1999; K. Kingsbury and P. Alvaro, "Elle", 2020.
 */
import { canonical } from '../protocol.ts';
import type { ConsistencyModel } from './workload.ts';

export type MicroOperation = readonly [f: 'r' | 'w' | 'append', key: unknown, value: unknown];

export interface Transaction {
  readonly process: number;
  /** Of `fail` and `info` only the writes count: nobody saw what they read. */
  readonly outcome: 'ok' | 'fail' | 'info';
  readonly operations: readonly MicroOperation[];
}

export interface Anomaly {
  readonly name: 'internal' | 'G1a' | 'G1b' | 'G1c' | 'invented-value' | 'duplicate-elements' | 'incompatible-order';
  /** For a person. */
  readonly sentence: string;
}

interface Writer {
  readonly transaction: Transaction;
  /** Whether it wrote this key again later: then nobody else may see this value. */
  readonly isIntermediate: boolean;
}

export function checkTransactions(
  transactions: readonly Transaction[],
  write: 'w' | 'append',
  model: ConsistencyModel,
): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const writers = writersOf(transactions);
  const readFrom = new Map<Transaction, Set<Transaction>>();
  for (const transaction of transactions) {
    if (transaction.outcome !== 'ok') continue;
    anomalies.push(...internal(transaction, write));
    for (const read of externalReads(transaction)) {
      anomalies.push(...judgeRead(transaction, read, writers, write, model, readFrom));
    }
  }
  if (write === 'append') anomalies.push(...incompatibleOrders(transactions));
  if (model === 'read-committed') anomalies.push(...readCycle(readFrom));
  return anomalies;
}

function writersOf(transactions: readonly Transaction[]): Map<string, Writer> {
  const writers = new Map<string, Writer>();
  for (const transaction of transactions) {
    const later = new Set<string>();
    for (const [f, key, value] of transaction.operations.toReversed()) {
      if (f === 'r') continue;
      writers.set(versionOf(key, value), { transaction, isIntermediate: later.has(canonical(key)) });
      later.add(canonical(key));
    }
  }
  return writers;
}

function versionOf(key: unknown, value: unknown): string {
  return `${canonical(key)} ${canonical(value)}`;
}

/** Reads of a key that the transaction itself has not written before. */
function externalReads({ operations }: Transaction): MicroOperation[] {
  const own = new Set<string>();
  return operations.filter(([f, key]) => {
    if (f !== 'r') own.add(canonical(key));
    return f === 'r' && !own.has(canonical(key));
  });
}

function internal({ process, operations }: Transaction, write: 'w' | 'append'): Anomaly[] {
  const own = new Map<string, unknown[]>();
  const anomalies: Anomaly[] = [];
  for (const [f, key, value] of operations) {
    const name = canonical(key);
    const written = own.get(name);
    if (f !== 'r') own.set(name, write === 'w' ? [value] : [...(written ?? []), value]);
    else if (written !== undefined && !shows(value, written, write)) {
      const saw = `read ${canonical(value)} at key ${name} after it had itself written ${written.map(canonical).join(', ')}`;
      anomalies.push({ name: 'internal', sentence: `a transaction of process ${process} ${saw}` });
    }
  }
  return anomalies;
}

/** Whether what was read holds what the transaction wrote: as the value, or as the end of the list. */
function shows(read: unknown, written: readonly unknown[], write: 'w' | 'append'): boolean {
  if (write === 'w') return canonical(read) === canonical(written[0]);
  return canonical(listOf(read).slice(-written.length)) === canonical(written);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function judgeRead(
  reader: Transaction,
  [, key, value]: MicroOperation,
  writers: ReadonlyMap<string, Writer>,
  write: 'w' | 'append',
  model: ConsistencyModel,
  readFrom: Map<Transaction, Set<Transaction>>,
): Anomaly[] {
  const seen = write === 'w' ? (value === null ? [] : [value]) : listOf(value);
  const who = `process ${reader.process} read ${canonical(value)} at key ${canonical(key)}`;
  const anomalies: Anomaly[] = [];
  if (new Set(seen.map(canonical)).size < seen.length) {
    anomalies.push({ name: 'duplicate-elements', sentence: `${who}, the same element twice` });
  }
  for (const [index, element] of seen.entries()) {
    const writer = writers.get(versionOf(key, element));
    if (writer === undefined) {
      anomalies.push({ name: 'invented-value', sentence: `${who}, but nobody wrote ${canonical(element)}` });
      continue;
    }
    if (writer.transaction === reader) {
      anomalies.push({ name: 'internal', sentence: `${who} before it wrote ${canonical(element)} itself` });
      continue;
    }
    linkTo(readFrom, writer.transaction, reader);
    if (model === 'read-uncommitted') continue;
    const of = `process ${writer.transaction.process}`;
    if (writer.transaction.outcome === 'fail') {
      anomalies.push({ name: 'G1a', sentence: `${who}, written by a transaction of ${of} that had failed` });
    }
    if (writer.isIntermediate && index === seen.length - 1) {
      anomalies.push({ name: 'G1b', sentence: `${who}, which ${of} itself replaced in the same transaction` });
    }
  }
  return anomalies;
}

function linkTo(graph: Map<Transaction, Set<Transaction>>, from: Transaction, to: Transaction): void {
  graph.set(from, (graph.get(from) ?? new Set()).add(to));
}

/** Of two reads of one list, the shorter is the beginning of the longer. */
function incompatibleOrders(transactions: readonly Transaction[]): Anomaly[] {
  const longest = new Map<string, readonly unknown[]>();
  const anomalies: Anomaly[] = [];
  for (const transaction of transactions) {
    if (transaction.outcome !== 'ok') continue;
    for (const [, key, value] of externalReads(transaction)) {
      const [name, list] = [canonical(key), listOf(value)];
      const other = longest.get(name) ?? [];
      const shared = Math.min(list.length, other.length);
      if (canonical(list.slice(0, shared)) !== canonical(other.slice(0, shared))) {
        const sentence = `key ${name} was read as ${canonical(list)} and as ${canonical(other)}`;
        anomalies.push({ name: 'incompatible-order', sentence });
      }
      if (list.length > other.length) longest.set(name, list);
    }
  }
  return anomalies;
}

/** One cycle in which everybody read from the one before, if there is any: a depth-first walk without recursion. */
function readCycle(readFrom: ReadonlyMap<Transaction, ReadonlySet<Transaction>>): Anomaly[] {
  const done = new Set<Transaction>();
  for (const start of readFrom.keys()) {
    const path: { at: Transaction; rest: Transaction[] }[] = [];
    const onPath = new Set<Transaction>();
    const enter = (at: Transaction): void => {
      path.push({ at, rest: [...(readFrom.get(at) ?? [])] });
      onPath.add(at);
    };
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        path.pop();
        onPath.delete(top.at);
        done.add(top.at);
      } else if (onPath.has(next)) {
        const cycle = path.slice(path.findIndex(({ at }) => at === next)).map(({ at }) => canonical(at.operations));
        return [
          { name: 'G1c', sentence: `each of these read what the one before wrote, in a circle: ${cycle.join(' -> ')}` },
        ];
      } else if (!done.has(next)) enter(next);
    }
  }
  return [];
}
