/** Knows nothing of the checkers: every subset of the unknown operations, in every order, on naive objects. */
import type { HistoryEvent } from './index.ts';

export interface Span {
  readonly f: string;
  readonly argument: unknown;
  /** undefined: unknown. */
  readonly result: unknown;
  readonly from: number;
  readonly to: number;
  readonly must: boolean;
}

/** The state after, or null when the answer cannot be. States are JSON. */
export type Naive = { readonly initial: unknown; apply(state: unknown, span: Span): { state: unknown } | null };

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const when = (condition: boolean, state: unknown): { state: unknown } | null => (condition ? { state } : null);
const list = (state: unknown): unknown[] => state as unknown[];

const register: Naive = {
  initial: null,
  apply(state, { f, argument, result }) {
    if (f === 'read') return when(result === undefined || same(result, state), state);
    if (f === 'write') return { state: argument };
    const [old, next] = argument as [unknown, unknown];
    return when(same(old, state), next);
  },
};

export const NAIVE: Readonly<Record<string, Naive>> = {
  register,
  'cas-register': register,
  'append-log': {
    initial: [],
    apply(state, { f, argument, result }) {
      if (f === 'append') return { state: [...list(state), argument] };
      return when(result === undefined || same(result ?? [], state), state);
    },
  },
  queue: {
    initial: [],
    apply(state, { f, argument, result }) {
      if (f === 'enqueue') return { state: [...list(state), argument] };
      const [first, ...rest] = list(state);
      if (first === undefined) return when(result === undefined || result === null, state);
      return when(result === undefined || same(first, result), rest);
    },
  },
  set: {
    initial: [],
    apply(state, { f, argument, result }) {
      const sorted = (values: unknown[]): unknown[] =>
        [...new Set(values)].sort((a, b) => (a as number) - (b as number));
      if (f === 'add') return { state: sorted([...list(state), argument]) };
      return when(result === undefined || same(sorted(list(result ?? [])), state), state);
    },
  },
  lock: {
    initial: null,
    apply(state, { f, argument }) {
      const holder = argument ?? 'somebody';
      return f === 'acquire' ? when(state === null, holder) : when(state === holder, null);
    },
  },
  counter: {
    initial: 0,
    apply(state, { f, argument, result }) {
      if (f === 'read') return when(result === undefined || result === state, state);
      return { state: (state as number) + (f === 'add' ? (argument as number) : f === 'increment' ? 1 : -1) };
    },
  },
};

/** Of the first `length` events. What is still open then may or may not happen, but only as it turned out. */
export function spansOf(events: readonly HistoryEvent[], length = events.length): Span[] {
  const spans: Span[] = [];
  for (const [from, event] of events.slice(0, length).entries()) {
    if (event.type !== 'invoke') continue;
    const after = events.findIndex((other, at) => at > from && other.process === event.process);
    const end = after < 0 ? undefined : events[after];
    if (end?.type === 'fail') continue;
    const must = end?.type === 'ok' && after < length;
    const answers = event.f === 'read' || event.f === 'dequeue';
    const result = end?.type === 'ok' && answers ? end.value : undefined;
    const to = must ? after : Number.POSITIVE_INFINITY;
    spans.push({ f: event.f, argument: event.value, result, from, to, must });
  }
  return spans;
}

/** Whether the history of one object can be explained. */
export function explained(events: readonly HistoryEvent[], naive: Naive, length = events.length): boolean {
  const place = (rest: readonly Span[], state: unknown): boolean => {
    if (rest.every((span) => !span.must)) return true;
    return rest.some((span, i) => {
      if (rest.some((other) => other.to < span.from)) return false;
      const next = naive.apply(state, span);
      return next !== null && place([...rest.slice(0, i), ...rest.slice(i + 1)], next.state);
    });
  };
  return place(spansOf(events, length), naive.initial);
}

/** One way in which an operation can be invoked and end. */
export interface Kind {
  readonly f: string;
  readonly argument: unknown;
  readonly outcome: 'ok' | 'fail' | 'info';
  /** Of an `ok`. */
  readonly result?: unknown;
}

/** A shape lists operations: the first time its invocation, the second its end. Each is a process of its own. */
export function historyOf(shape: readonly number[], kinds: readonly Kind[]): HistoryEvent[] {
  const begun = new Set<number>();
  return shape.map((process, index) => {
    const { f, argument, outcome, result } = kinds[process] as Kind;
    const type = begun.has(process) ? outcome : 'invoke';
    begun.add(process);
    const value = type === 'ok' ? (result === undefined ? argument : result) : argument;
    return { index, process, type, f, key: '', value, time: index };
  });
}

/** Every way in which so many intervals can lie. */
export function shapes(operations: number): number[][] {
  const all: number[][] = [];
  const extend = (shape: readonly number[], invoked: number, open: readonly number[]): void => {
    if (shape.length === 2 * operations) return void all.push([...shape]);
    if (invoked < operations) extend([...shape, invoked], invoked + 1, [...open, invoked]);
    for (const one of open) {
      const left = open.filter((other) => other !== one);
      extend([...shape, one], invoked, left);
    }
  };
  extend([], 0, []);
  return all;
}

function kind(f: string, argument: unknown, outcome: Kind['outcome'], result?: unknown): Kind {
  return result === undefined ? { f, argument, outcome } : { f, argument, outcome, result };
}

function happening(f: string, ...arguments_: unknown[]): Kind[] {
  return arguments_.flatMap((argument) => [kind(f, argument, 'ok'), kind(f, argument, 'info')]);
}

function answering(f: string, ...results: unknown[]): Kind[] {
  return [...results.map((result) => kind(f, null, 'ok', result)), kind(f, null, 'info')];
}

/** What operations on each object are drawn from: few values, so that they meet. */
export const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  register: [...answering('read', null, 1, 2, 3), ...happening('write', 1, 2), kind('write', 3, 'fail')],
  'cas-register': [
    ...answering('read', null, 1, 2),
    ...happening('write', 1, 2),
    ...happening('cas', [1, 2], [null, 1], [2, 2]),
    kind('cas', [1, 2], 'fail'),
  ],
  'append-log': [
    ...answering('read', [], [1], [1, 2], [2, 1], [2], [1, 1]),
    ...happening('append', 1, 2),
    kind('append', 1, 'fail'),
  ],
  queue: [...answering('dequeue', null, 1, 2), ...happening('enqueue', 1, 2), kind('enqueue', 1, 'fail')],
  set: [...answering('read', [], [1], [2, 1]), ...happening('add', 1, 2), kind('add', 2, 'fail')],
  lock: [
    ...happening('acquire', null, 'a'),
    ...happening('release', null, 'a'),
    kind('acquire', null, 'fail'),
    kind('release', 'a', 'fail'),
  ],
  counter: [
    ...answering('read', 0, 1, 2, 3, -1),
    ...happening('add', 1, 2),
    ...happening('decrement', null),
    kind('increment', null, 'info'),
    kind('increment', null, 'fail'),
  ],
};
