import { type Call, IMPOSSIBLE, type Impossible, type Model, MUTATES, READS } from './model.ts';
import { repeated } from './registers.ts';

const SUM = 'sum';

/** A sum, 0 at first: `add n` for any integer n, `increment` and `decrement` by one, `read` → the sum. */
export const COUNTER: Model<number> = {
  name: 'counter',
  functions: { read: READS, add: MUTATES, increment: MUTATES, decrement: MUTATES },
  partitioned: true,
  initial: () => 0,
  identity: (state) => state,
  step(state: number, call: Call): number | Impossible {
    if (call.f !== 'read') return state + amount(call);
    return call.result === undefined || (call.result ?? 0) === state ? state : IMPOSSIBLE;
  },
  complaint({ f, argument, result }: Call): string | null {
    if (f === 'read') {
      if (result === undefined || result === null || Number.isSafeInteger(result)) return null;
      return 'reads something else than an integer: write the sum';
    }
    if (f === 'add' && !Number.isSafeInteger(argument)) return 'adds no integer: write one';
    return f === 'add' ? repeated(f, argument, result) : null;
  },
  gives: (call) => (call.f === 'read' ? [] : [SUM]),
  takes: (call) => (call.f === 'read' ? [SUM] : []),
  canWait: (call) => call.f !== 'read',
};

function amount(call: Call): number {
  switch (call.f) {
    case 'increment':
      return 1;
    case 'decrement':
      return -1;
    default:
      return call.argument as number;
  }
}
