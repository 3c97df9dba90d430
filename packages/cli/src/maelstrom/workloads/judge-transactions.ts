import type { Operation } from '../operation.ts';
import { checkTransactions, type MicroOperation } from './transaction-checker.ts';
import { type ConsistencyModel, type Findings, findings } from './workload.ts';

const SHOWN_ANOMALIES = 5;

/** The one place where the workloads meet the checker of transactions, so that another can take its place. */
export function judgeTransactions(
  history: readonly Operation[],
  write: 'w' | 'append',
  model: ConsistencyModel,
): Findings {
  const transactions = history.map(({ process, outcome, value, result }) => {
    return { process, outcome, operations: (outcome === 'ok' ? result : value) as MicroOperation[] };
  });
  const anomalies = checkTransactions(transactions, write, model);
  const counts = new Map<string, number>();
  for (const { name } of anomalies) counts.set(name, (counts.get(name) ?? 0) + 1);
  const reasons = anomalies.slice(0, SHOWN_ANOMALIES).map(({ name, sentence }) => `${name}: ${sentence}`);
  return findings(reasons, [], { judgedAs: model, anomalies: Object.fromEntries(counts) });
}
