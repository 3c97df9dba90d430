import { draw, scaled } from '../base/random.ts';
import { type Kind, type Naive } from './brute-force.test-support.ts';
import type { HistoryEvent } from './index.ts';

export type Pick = (bound: number) => number;

export function picker(seed: number): Pick {
  let n = 0;
  return (bound) => scaled(draw(seed, 1, 0, n++), bound);
}

interface Running {
  readonly process: number;
  readonly kind: Kind;
  state: 'asked' | 'happened' | 'refused';
  answer: unknown;
}

/** So many draws for an operation that may be impossible at present, such as a release, before the client gives up. */
const PATIENCE = 12;

/** What these leave behind shows the order of everything: with few values, hardly any order could be ruled out. */
const ORDERED: readonly string[] = ['enqueue', 'append'];

/**
 * Clients of an object that is linearizable by construction. Some operations time out, and happen later or never;
 * one that cannot happen at present, such as a swap of another value, is refused.
 */
export function clientsOf(
  naive: Naive,
  kinds: readonly Kind[],
  pick: Pick,
  operations: number,
  clients: number,
): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const running: Running[] = [];
  const lost: Running[] = [];
  let state = naive.initial;
  let begun = 0;
  const emit = ({ process, kind }: Running, type: HistoryEvent['type'], value: unknown): void => {
    events.push({ index: events.length, process, type, f: kind.f, key: '', value, time: events.length });
  };
  const happen = (one: Running): boolean => {
    const { f, argument } = one.kind;
    const next = naive.apply(state, { f, argument, result: undefined, from: 0, to: 0, must: true });
    if (next === null) return false;
    one.answer = f === 'read' ? state : f === 'dequeue' ? ((state as unknown[])[0] ?? null) : argument;
    one.state = 'happened';
    state = next.state;
    return true;
  };
  while (begun < operations || running.length > 0) {
    const late = lost[pick(3 * clients)];
    if (late?.state === 'asked') happen(late);
    if (begun < operations && running.length < clients && pick(2) === 0) {
      const drawn = kinds[pick(kinds.length)] as Kind;
      const kind = ORDERED.includes(drawn.f) ? { ...drawn, argument: begun } : drawn;
      const one: Running = { process: begun++, kind, state: 'asked', answer: null };
      emit(one, 'invoke', kind.argument);
      running.push(one);
      continue;
    }
    const at = pick(clients);
    const one = running[at];
    if (one === undefined) continue;
    if (one.state === 'asked' && pick(25) > 0) {
      if (!happen(one) && pick(PATIENCE) === 0) one.state = 'refused';
      continue;
    }
    running.splice(at, 1);
    if (one.state === 'asked' || pick(25) === 0) {
      emit(one, 'info', one.kind.argument);
      if (one.state === 'asked') lost.push(one);
    } else {
      emit(one, one.state === 'happened' ? 'ok' : 'fail', one.state === 'happened' ? one.answer : one.kind.argument);
    }
  }
  return events;
}
