import { canonical } from '../history.ts';
import { type Call, EXTENDS, IMPOSSIBLE, type Impossible, type Model, TAKES } from './model.ts';
import { repeated } from './registers.ts';

/** Topics that are no value's text. */
const FRONT = 'front';
const BACK = 'back';

/** First in, first out: `enqueue v`; `dequeue` → the oldest value, or null when there is none. */
export const QUEUE: Model<readonly string[]> = {
  name: 'queue',
  functions: { enqueue: EXTENDS, dequeue: TAKES },
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
  // A value stays in front until it is dequeued, so that a dequeue can wait for its own return or for another one's;
  // only one that found nothing cannot. Enqueues wait for dequeues, but not for each other.
  gives: (call) => (call.f === 'enqueue' ? [canonical(call.argument), BACK] : [FRONT]),
  takes: (call) => (call.f === 'enqueue' ? [BACK] : [FRONT, canonical(call.result ?? null)]),
  canWait: (call) => call.f === 'enqueue' || call.result !== null,
  seenInAnswers: true,
};
