import { assert } from '../../base/assert.ts';
import { inInvocationOrder, type RecordedOperation, shown, verdictOf } from '../recorded.ts';
import { findCycles } from './cycles.ts';
import { Dependencies } from './dependencies.ts';
import { Findings } from './findings.ts';
import { ListAnalysis } from './list-append.ts';
import { findLostUpdates } from './lost-updates.ts';
import { FORBIDDEN, TIME_ORDER, type TransactionModel, type TransactionVerdict } from './model.ts';
import { INITIAL, parseTransactions, type TransactionHistory } from './parse.ts';
import { RegisterAnalysis } from './register.ts';
import { addProcessOrder, addRealtimeOrder } from './time-order.ts';
import { keyShown, nameOf } from './words.ts';

export interface TransactionOptions {
  /** What the store promises; anomalies that it allows are reported apart. */
  readonly model?: TransactionModel;
  /** Nodes that the searches for cycles may look at. Past it, cycles are still found, but perhaps not the shortest. */
  readonly maxVisits?: number;
  /** How many violations of each kind are described; all are counted. */
  readonly maxOfEach?: number;
}

const DEFAULT_MAX_VISITS = 20_000_000;
const DEFAULT_MAX_OF_EACH = 8;

/**
 * Which anomalies a history of transactions shows (Elle's method: Kingsbury and Alvaro, VLDB 2020). Operations other
 * than `txn` are left aside; an `ok` one carries the value of its completion, with what its reads returned. `valid`
 * says that nothing observed contradicts the model, not that nothing happened: what no read showed cannot be judged.
 * Throws `MalformedHistory`.
 */
export function checkTransactions(
  operations: readonly RecordedOperation[],
  options: TransactionOptions = {},
): TransactionVerdict {
  const { model = 'serializable', maxVisits = DEFAULT_MAX_VISITS, maxOfEach = DEFAULT_MAX_OF_EACH } = options;
  assert(Number.isSafeInteger(maxVisits) && maxVisits >= 1, 'maxVisits is a positive integer');
  assert(Number.isSafeInteger(maxOfEach) && maxOfEach >= 1, 'maxOfEach is a positive integer');
  const history = parseTransactions(inInvocationOrder(operations));
  const transactions = { ok: 0, fail: 0, info: 0 };
  for (const { outcome } of history.transactions) transactions[outcome]++;
  const repeated = whyRepeated(history);
  if (repeated !== null) {
    return { result: 'unknown', reason: repeated, violations: [], model, anomalies: {}, tolerated: [], transactions };
  }
  const findings = new Findings(maxOfEach);
  const dependencies = new Dependencies(history.transactions, history.interned);
  const Analysis = history.type === 'list-append' ? ListAnalysis : RegisterAnalysis;
  findLostUpdates(new Analysis(history, dependencies, findings).run(), history.interned, findings);
  const timeOrder = TIME_ORDER[model];
  if (timeOrder === 'realtime') addRealtimeOrder(dependencies.builder, history.transactions);
  if (timeOrder === 'process') addProcessOrder(dependencies.builder, history.transactions);
  const exhaustive = findCycles(dependencies.builder.build(), history, timeOrder, findings, maxVisits);
  const forbidden = findings.violations.filter(({ anomaly }) => FORBIDDEN[model].has(anomaly));
  const tolerated = findings.violations.filter(({ anomaly }) => !FORBIDDEN[model].has(anomaly));
  const reason = whyUnknown(history, tolerated.length > 0 && !exhaustive, maxVisits);
  return { ...verdictOf(forbidden, reason), model, anomalies: findings.counts, tolerated, transactions };
}

function whyRepeated({ transactions, interned }: TransactionHistory): string | null {
  const element = interned.repeated;
  if (element === INITIAL) return null;
  const key = interned.keyOf[element] ?? INITIAL;
  const writers = transactions.filter(({ steps }) => {
    return steps.some((step) => (step.type === 'append' || step.type === 'write') && step.element === element);
  });
  const who = writers.slice(0, 2).map(nameOf).join(' and ');
  const what = `${shown(interned.valueOf[element])} at ${keyShown(interned, key)}`;
  return `${what} is written more than once (${who}): write each value of a key once, so that a read shows its writer`;
}

function whyUnknown({ transactions }: TransactionHistory, cutShort: boolean, maxVisits: number): string | null {
  if (!transactions.some(({ outcome }) => outcome === 'ok')) return 'no transaction succeeded: run for longer';
  const seen = transactions.some(({ steps }) => steps.some(({ type }) => type === 'list' || type === 'read'));
  if (!seen) return 'no transaction that succeeded read anything, so that nothing shows what the writes did: add reads';
  if (!cutShort) return null;
  return `cycles were found that the model allows, and no graver one within ${maxVisits} visits: raise maxVisits`;
}
