import { canonical } from '../history.ts';
import { type Call, IMPOSSIBLE, type Impossible, type Model, MUTATES, TAKES } from './model.ts';
import { repeated } from './registers.ts';

/** First in, first out: `enqueue v`; `dequeue` → the oldest value, or null when there is none. */
export const QUEUE: Model<readonly string[]> = {
  name: 'queue',
  functions: { enqueue: MUTATES, dequeue: TAKES },
  partitioned: true,
  initial: () => [],
  identity: (state) => state.join('\n'),
  step(state: readonly string[], call: Call): readonly string[] | Impossible {
    if (call.f === 'enqueue') return [...state, canonical(call.argument)];
    if (call.result === null) return state.length === 0 ? state : IMPOSSIBLE;
    if (state.length === 0) return call.result === undefined ? state : IMPOSSIBLE;
    return call.result === undefined || canonical(call.result) === state[0] ? state.slice(1) : IMPOSSIBLE;
  },
  complaint({ f, argument, result }: Call): string | null {
    if (f === 'dequeue') return null;
    if (argument === undefined || argument === null) return 'enqueues no value: write one that is not null';
    return repeated(f, argument, result);
  },
  gives: (call) => (call.f === 'enqueue' ? canonical(call.argument) : undefined),
  takes: (call) =>
    call.f === 'dequeue' && call.result !== undefined && call.result !== null ? [canonical(call.result)] : [],
};
