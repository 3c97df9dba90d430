/** The three definitions as they stand in the paper (section 2), by trying every causal order: knows no bad pattern. */
import { subsets } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';
import type { CausalModel } from './index.ts';

/** `after[i]` has a bit for every operation that comes after operation i. */
type Order = readonly number[];

/** Small histories of reads and writes; some choice among the writes of unknown outcome must do. */
export function isCausal(history: readonly RecordedOperation[], model: CausalModel): boolean {
  const ok = history.filter(({ outcome }) => outcome === 'ok');
  const info = history.filter(({ outcome, f }) => outcome === 'info' && f === 'write');
  return subsets(info).some((happened) => {
    const operations = [...ok, ...happened].sort((a, b) => a.invokedAt - b.invokedAt);
    return ordersExtending(programOrder(operations)).some((order) => satisfies(operations, order, model));
  });
}

function programOrder(operations: readonly RecordedOperation[]): Order {
  return operations.map((before) => {
    let mask = 0;
    for (const [at, after] of operations.entries()) {
      const later = after.process === before.process && after.invokedAt > before.invokedAt;
      if (later && before.outcome === 'ok') mask |= 1 << at;
    }
    return mask;
  });
}

const known = new Map<string, Order[]>();

/** Every strict partial order that holds the given one. */
function ordersExtending(start: Order): Order[] {
  const cached = known.get(start.join());
  if (cached !== undefined) return cached;
  const found = new Map<string, Order>([[start.join(), start]]);
  for (const order of found.values()) {
    for (let a = 0; a < order.length; a++) {
      for (let b = 0; b < order.length; b++) {
        if (a === b || has(order, a, b) || has(order, b, a)) continue;
        const next = order.map((mask, at) =>
          at === a || has(order, at, a) ? mask | (1 << b) | (order[b] ?? 0) : mask,
        );
        found.set(next.join(), next);
      }
    }
  }
  known.set(start.join(), [...found.values()]);
  return [...found.values()];
}

function has(order: Order, before: number, after: number): boolean {
  return ((order[before] ?? 0) & (1 << after)) !== 0;
}

function satisfies(operations: readonly RecordedOperation[], order: Order, model: CausalModel): boolean {
  const all = operations.map((_, at) => at);
  const past = (at: number): number[] => all.filter((other) => has(order, other, at));
  const explains = (sequence: readonly number[], checked: (at: number) => boolean): boolean => {
    const state = new Map<string, unknown>();
    return sequence.every((at) => {
      const { f, key, value } = operations[at] as RecordedOperation;
      if (f === 'write') state.set(key, value);
      return f === 'write' || !checked(at) || (state.get(key) ?? null) === value;
    });
  };
  if (model === 'CCv') {
    return someExtension(order, all, (total) =>
      all.every((at) => explains([...total.filter((other) => has(order, other, at)), at], (other) => other === at)),
    );
  }
  const own = (at: number, other: number): boolean =>
    operations[at]?.process === operations[other]?.process && other <= at && operations[other]?.outcome === 'ok';
  return all.every((at) =>
    someExtension(order, past(at), (sequence) =>
      explains([...sequence, at], (other) => other === at || (model === 'CM' && own(at, other))),
    ),
  );
}

/** Whether some total order of the items that keeps the given order passes. */
function someExtension(order: Order, items: readonly number[], passes: (total: readonly number[]) => boolean): boolean {
  const extend = (total: readonly number[], rest: readonly number[]): boolean => {
    if (rest.length === 0) return passes(total);
    return rest.some((next) => {
      const others = rest.filter((other) => other !== next);
      return !others.some((other) => has(order, other, next)) && extend([...total, next], others);
    });
  };
  return extend([], items);
}
