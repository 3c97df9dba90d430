import { canonical } from '../history.ts';
import { type Call, IMPOSSIBLE, type Impossible, type Model, MUTATES, READS } from './model.ts';
import { repeated } from './registers.ts';

/** A set that grows: `add v`, `read` → all elements, in any order. The state is sorted. */
export const SET: Model<readonly string[]> = {
  name: 'set',
  functions: { read: READS, add: MUTATES },
  partitioned: true,
  initial: () => [],
  identity: (state) => state.join('\n'),
  step(state: readonly string[], call: Call): readonly string[] | Impossible {
    if (call.f === 'add') return inserted(state, canonical(call.argument));
    if (call.result === undefined) return state;
    const seen = elements(call.result);
    return seen.length === state.length && seen.every((element, i) => element === state[i]) ? state : IMPOSSIBLE;
  },
  complaint({ f, argument, result }: Call): string | null {
    if (f === 'add') return argument === undefined ? 'adds no value: write the value' : repeated(f, argument, result);
    if (result === undefined || result === null || Array.isArray(result)) return null;
    return 'reads something else than a set: write its elements as a list';
  },
  gives: (call) => (call.f === 'add' ? [canonical(call.argument)] : []),
  takes: (call) => (call.f === 'read' ? elements(call.result) : []),
  canWait: (call) => call.f === 'add',
};

/** A set that was never written may be read as null. */
function elements(result: unknown): readonly string[] {
  return Array.isArray(result) ? [...new Set(result.map(canonical))].sort() : [];
}

function inserted(state: readonly string[], element: string): readonly string[] {
  let low = 0;
  let high = state.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((state[middle] as string) < element) low = middle + 1;
    else high = middle;
  }
  return state[low] === element ? state : [...state.slice(0, low), element, ...state.slice(low)];
}
