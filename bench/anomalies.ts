/** How fast the checkers of transactions, causality and sessions judge long histories. */
import {
  checkCausal,
  checkSequential,
  checkSessions,
  checkTransactions,
  draw,
  type RecordedOperation,
  scaled,
} from '@polder/core';

const TRANSACTIONS = 100_000;
const OPERATIONS = 100_000;
const CLIENTS = 20;
const KEYS_AT_ONCE = 10;
/** A key gets so many writes and is then left alone, so that lists stay short. */
const WRITES_OF_A_KEY = 32;
const ROUNDS = 3;

export interface AnomaliesReport {
  readonly rows: readonly AnomaliesRow[];
}

interface AnomaliesRow {
  readonly name: string;
  readonly operations: number;
  readonly result: string;
  /** The best of a few rounds. */
  readonly ms: number;
  readonly perSecond: number;
}

export function benchAnomalies(): AnomaliesReport {
  const lists = transactions(TRANSACTIONS, 'list-append', false);
  const quarter = lists.slice(0, TRANSACTIONS / 4);
  const registers = transactions(TRANSACTIONS, 'register', false);
  const stale = transactions(TRANSACTIONS, 'list-append', true);
  const single = singleOperations(OPERATIONS);
  const rows = [
    measure('list-append, a quarter of them', quarter, () => checkTransactions(quarter).result),
    measure('list-append', lists, () => checkTransactions(lists).result),
    measure('list-append, real time', lists, () => checkTransactions(lists, { model: 'strict-serializable' }).result),
    measure('list-append, stale snapshots', stale, () => checkTransactions(stale).result),
    measure('registers', registers, () => checkTransactions(registers).result),
    measure('causal, CC', single, () => checkCausal(single).result),
    measure('causal, CCv', single, () => checkCausal(single, { model: 'CCv' }).result),
    measure('causal, CM', single, () => checkCausal(single, { model: 'CM' }).result),
    measure('sessions', single, () => checkSessions(single).result),
    measure('sequential', single, () => checkSequential(single).result),
  ];
  return { rows };
}

function measure(name: string, operations: readonly RecordedOperation[], check: () => string): AnomaliesRow {
  let ms = Number.POSITIVE_INFINITY;
  let result = '';
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now();
    result = check();
    ms = Math.min(ms, performance.now() - startMs);
  }
  return { name, operations: operations.length, result, ms, perSecond: (operations.length / ms) * 1_000 };
}

/** Transactions of one to four steps, each executed at its end; `stale`: some read-only ones saw an older state. */
function transactions(count: number, type: 'list-append' | 'register', stale: boolean): RecordedOperation[] {
  let draws = 0;
  const pick = (bound: number): number => scaled(draw(1, 0, 0, draws++), bound);
  const active = Array.from({ length: KEYS_AT_ONCE }, (_, key) => key);
  const lists = new Map<number, readonly number[]>();
  const open: { process: number; invokedAt: number }[] = [];
  const history: RecordedOperation[] = [];
  let [begun, time, nextKey, nextValue] = [0, 0, KEYS_AT_ONCE, 1];
  while (history.length < count) {
    if (begun < count && open.length < CLIENTS && (open.length === 0 || pick(2) === 0)) {
      open.push({ process: begun++ % CLIENTS, invokedAt: time++ });
      continue;
    }
    const [{ process, invokedAt } = { process: 0, invokedAt: 0 }] = open.splice(pick(open.length), 1);
    const readOnly = pick(3) === 0;
    const behind = stale && readOnly && pick(100) === 0 ? 1 : 0;
    const value = Array.from({ length: 1 + pick(4) }, () => {
      const slot = pick(KEYS_AT_ONCE);
      const key = active[slot] ?? 0;
      const list = lists.get(key) ?? [];
      const seen = list.slice(0, list.length - behind);
      if (readOnly || pick(2) === 0) return ['r', key, type === 'list-append' ? seen : (seen.at(-1) ?? null)];
      lists.set(key, [...list, nextValue]);
      if (list.length + 1 >= WRITES_OF_A_KEY) active[slot] = nextKey++;
      return [type === 'list-append' ? 'append' : 'w', key, nextValue++];
    });
    history.push({ process, f: 'txn', key: '', value, outcome: 'ok', invokedAt, completedAt: time++ });
  }
  return history;
}

/** Reads and writes of ten sessions whose replicas follow one log at their own pace. */
function singleOperations(count: number): RecordedOperation[] {
  let draws = 0;
  const pick = (bound: number): number => scaled(draw(2, 0, 0, draws++), bound);
  const sessions = Array.from({ length: 10 }, () => ({ at: 0, state: new Map<string, number>() }));
  const log: (readonly [string, number])[] = [];
  return Array.from({ length: count }, (_, at): RecordedOperation => {
    const process = pick(sessions.length);
    const session = sessions[process] ?? { at: 0, state: new Map<string, number>() };
    const key = `k${pick(10)}`;
    const write = pick(3) === 0;
    if (write) log.push([key, at]);
    const target = write ? log.length : Math.min(log.length, session.at + pick(6));
    for (const [name, value] of log.slice(session.at, target)) session.state.set(name, value);
    session.at = target;
    const value = write ? at : (session.state.get(key) ?? null);
    return {
      process,
      f: write ? 'write' : 'read',
      key,
      value,
      outcome: 'ok',
      invokedAt: 2 * at,
      completedAt: 2 * at + 1,
    };
  });
}

export function formatAnomalies({ rows }: AnomaliesReport): string {
  const lines = rows.map(({ name, operations, result, ms, perSecond }) => {
    return `  ${name.padEnd(32)} ${operations} operations, ${result}: ${ms.toFixed(0)} ms, ${Math.round(perSecond)}/s`;
  });
  return [`anomalies: the best of ${ROUNDS} rounds, one thread`, ...lines].join('\n');
}
