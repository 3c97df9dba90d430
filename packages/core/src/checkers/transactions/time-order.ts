import type { DigraphBuilder } from '../graph/digraph.ts';
import { LABELS } from './dependencies.ts';
import type { Transaction } from './model.ts';

/**
 * Adds "was over before the other began" with a chain of junctions along time: as many edges as events, however many
 * transactions ran at once. One of unknown outcome never ends, so that nothing comes after it (PITFALLS D6).
 */
export function addRealtimeOrder(builder: DigraphBuilder, transactions: readonly Transaction[]): void {
  const events: { at: number; node: number; ends: boolean }[] = [];
  for (const { id, outcome, operation } of transactions) {
    if (outcome === 'fail') continue;
    events.push({ at: operation.invokedAt, node: id, ends: false });
    if (outcome === 'ok') events.push({ at: operation.completedAt, node: id, ends: true });
  }
  // At one instant, what begins is put before what ends: then neither is certain to be first.
  events.sort((a, b) => a.at - b.at || Number(a.ends) - Number(b.ends));
  let junction = -1;
  let begunSince = true;
  for (const { node, ends } of events) {
    if (!ends) {
      if (junction >= 0) builder.addEdge(junction, node, LABELS.realtime);
      begunSince = true;
      continue;
    }
    if (begunSince) {
      const next = builder.addJunction();
      if (junction >= 0) builder.addEdge(junction, next, LABELS.realtime);
      junction = next;
      begunSince = false;
    }
    builder.addEdge(node, junction, LABELS.realtime);
  }
}

/** Adds the order in which each process ran its own transactions. */
export function addProcessOrder(builder: DigraphBuilder, transactions: readonly Transaction[]): void {
  const last = new Map<number, Transaction>();
  for (const transaction of transactions) {
    if (transaction.outcome === 'fail') continue;
    const { process } = transaction.operation;
    const before = last.get(process);
    if (before !== undefined) builder.addEdge(before.id, transaction.id, LABELS.process);
    if (transaction.outcome === 'ok') last.set(process, transaction);
  }
}
