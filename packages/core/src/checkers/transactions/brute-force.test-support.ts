/** Serializability by its definition: knows nothing of the checker. */
import { permutations, subsets } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';

type Micro = readonly [f: string, key: unknown, value: unknown];

/** Some order of all that succeeded and some of what is unknown gives every read its value; `strict`: in real time. */
export function isSerializable(history: readonly RecordedOperation[], strict = false): boolean {
  const ok = history.filter(({ outcome }) => outcome === 'ok');
  const info = history.filter(({ outcome }) => outcome === 'info');
  return subsets(info).some((happened) =>
    permutations([...ok, ...happened]).some((order) => (!strict || inRealTime(order)) && explains(order)),
  );
}

function inRealTime(order: readonly RecordedOperation[]): boolean {
  return order.every((later, at) => order.slice(0, at).every((earlier) => earlier.invokedAt <= later.completedAt));
}

function explains(order: readonly RecordedOperation[]): boolean {
  const state = new Map<unknown, unknown[]>();
  return order.every(({ value, outcome }) =>
    (value as Micro[]).every(([f, key, argument]) => {
      const list = state.get(key) ?? [];
      if (f !== 'r') state.set(key, [...list, argument]);
      if (f !== 'r' || outcome !== 'ok') return true;
      if (Array.isArray(argument)) return JSON.stringify(argument) === JSON.stringify(list);
      return (list.at(-1) ?? null) === argument;
    }),
  );
}

/** Whether at most one transaction of a key is known to have appended what no read shows: then nothing is left open. */
export function isObserved(history: readonly RecordedOperation[]): boolean {
  const shown = new Map<unknown, Set<unknown>>();
  const ok = history.filter(({ outcome }) => outcome === 'ok');
  for (const { value } of ok) {
    for (const [f, key, list] of value as Micro[]) {
      const seen = shown.get(key) ?? new Set();
      if (f === 'r') for (const element of list as unknown[]) seen.add(element);
      shown.set(key, seen);
    }
  }
  const happened = (value: unknown): boolean =>
    (value as Micro[]).some(([f, key, element]) => f === 'append' && shown.get(key)?.has(element) === true);
  return [...shown].every(([key, seen]) => {
    const hidden = history.filter(
      ({ value, outcome }) =>
        outcome !== 'fail' &&
        (outcome === 'ok' || happened(value)) &&
        (value as Micro[]).some(([f, name, element]) => f === 'append' && name === key && !seen.has(element)),
    );
    return hidden.length <= 1;
  });
}
