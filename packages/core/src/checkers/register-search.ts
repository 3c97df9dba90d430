import { assert, defined } from '../base/assert.ts';
import { canonical, type Operation } from './history.ts';

/**
 * Just-in-time linearization of one register (Lowe, "Testing for linearizability", 2017, section 5), complete: the
 * frontier holds every state in which the operations returned so far can have left the register. It is widened only
 * when an operation returns, by the orders of open operations that end with that operation.
 *
 * Three reductions, each of which loses no answer:
 * - an open read of the present value is placed at once: a read changes nothing, so waiting gains nothing;
 * - an operation of unknown outcome is placed only where an open operation may observe what it leaves behind:
 *   anywhere else a history without it explains as much;
 * - unknown operations that do the same are interchangeable, and of two states that differ only in which of them
 *   were used, the one that used less can do whatever the other can.
 */
export type SearchResult =
  | { readonly type: 'valid'; readonly states: number }
  | { readonly type: 'invalid'; readonly states: number; readonly operation: Operation }
  | { readonly type: 'unknown'; readonly states: number };

interface State {
  readonly value: string;
  /** Open operations, by bit of their slot, that are placed already. */
  readonly placed: bigint;
  /** Kinds of unknown operations used, sorted, one entry for each use. */
  readonly used: readonly number[];
}

interface Step {
  readonly f: Operation['f'];
  /** What a read or cas observes; null: a write observes nothing. */
  readonly observes: string | null;
  readonly leaves: string;
}

interface OpenOperation {
  readonly step: Step;
  readonly bit: bigint;
}

interface UnknownKind {
  readonly step: Step;
  invoked: number;
}

const INITIAL_VALUE = canonical(null);

export class RegisterSearch {
  readonly #maxStates: number;
  readonly #open = new Map<Operation, OpenOperation>();
  readonly #freeBits: bigint[] = [];
  readonly #kinds: UnknownKind[] = [];
  readonly #kindOf = new Map<string, number>();
  #bitsMade = 0;
  #states = 0;
  #frontier: State[] = [{ value: INITIAL_VALUE, placed: 0n, used: [] }];

  constructor(maxStates: number) {
    assert(maxStates > 0, 'a search may look at one state at least');
    this.#maxStates = maxStates;
  }

  /** The operations of one key. */
  run(operations: readonly Operation[]): SearchResult {
    for (const { at, operation } of eventsOf(operations)) {
      if (at === operation.invokedAt) {
        this.#invoke(operation);
      } else if (!this.#complete(operation)) {
        return { type: 'unknown', states: this.#states };
      } else if (this.#frontier.length === 0) {
        return { type: 'invalid', states: this.#states, operation };
      }
    }
    return { type: 'valid', states: this.#states };
  }

  #invoke(operation: Operation): void {
    const step = stepOf(operation);
    if (operation.outcome === 'ok') {
      const bit = this.#freeBits.pop() ?? 1n << BigInt(this.#bitsMade++);
      this.#open.set(operation, { step, bit });
      return;
    }
    const name = `${step.f} ${step.observes} ${step.leaves}`;
    const kind = this.#kindOf.get(name);
    if (kind !== undefined) {
      defined(this.#kinds[kind], 'a named kind exists').invoked++;
    } else {
      this.#kindOf.set(name, this.#kinds.length);
      this.#kinds.push({ step, invoked: 1 });
    }
  }

  /** Replaces the frontier by the states in which `operation` is placed; false when the bound on states is reached. */
  #complete(operation: Operation): boolean {
    const target = defined(this.#open.get(operation), 'an operation that completes is open');
    const kinds = this.#observableKinds();
    const results = new Frontier();
    const seen = new Set<string>();
    const stack: State[] = [];
    const visit = (state: State): void => {
      const greedy = this.#placeReads(state);
      if ((greedy.placed & target.bit) !== 0n) {
        results.add({ ...greedy, placed: greedy.placed & ~target.bit });
        return;
      }
      const name = `${greedy.placed} ${greedy.used.join()} ${greedy.value}`;
      if (seen.has(name)) return;
      seen.add(name);
      this.#states++;
      stack.push(greedy);
    };
    for (const state of this.#frontier) visit(state);
    for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
      if (this.#states > this.#maxStates) return false;
      for (const { step, bit } of this.#open.values()) {
        if ((state.placed & bit) !== 0n || !possible(step, state.value)) continue;
        visit({ value: step.leaves, placed: state.placed | bit, used: state.used });
      }
      for (const kind of kinds) {
        const { step, invoked } = defined(this.#kinds[kind], 'an observable kind exists');
        if (!possible(step, state.value) || step.leaves === state.value) continue;
        if (count(state.used, kind) < invoked) visit({ ...state, value: step.leaves, used: insert(state.used, kind) });
      }
    }
    this.#open.delete(operation);
    this.#freeBits.push(target.bit);
    this.#frontier = results.states();
    return true;
  }

  #placeReads(state: State): State {
    let placed = state.placed;
    for (const { step, bit } of this.#open.values()) {
      if (step.f === 'read' && step.observes === state.value) placed |= bit;
    }
    return placed === state.placed ? state : { ...state, placed };
  }

  /** The kinds of unknown operations whose effect an open operation may observe, directly or through another one. */
  #observableKinds(): number[] {
    const wanted = new Set<string>();
    for (const { step } of this.#open.values()) {
      if (step.observes !== null) wanted.add(step.observes);
    }
    const chosen = new Set<number>();
    for (let grew = true; grew; ) {
      grew = false;
      for (const [kind, { step }] of this.#kinds.entries()) {
        if (chosen.has(kind) || !wanted.has(step.leaves)) continue;
        chosen.add(kind);
        if (step.observes !== null) wanted.add(step.observes);
        grew = true;
      }
    }
    return [...chosen];
  }
}

/** States without those that another one makes superfluous. */
class Frontier {
  readonly #byPlace = new Map<string, State[]>();

  add(state: State): void {
    const name = `${state.placed} ${state.value}`;
    const rivals = this.#byPlace.get(name) ?? [];
    if (rivals.some((rival) => within(rival.used, state.used))) return;
    const kept = rivals.filter((rival) => !within(state.used, rival.used));
    kept.push(state);
    this.#byPlace.set(name, kept);
  }

  states(): State[] {
    return [...this.#byPlace.values()].flat();
  }
}

/** Invocations and returns in the order of the history; what cannot matter is left out. */
function eventsOf(operations: readonly Operation[]): { at: number; operation: Operation }[] {
  const events: { at: number; operation: Operation }[] = [];
  for (const operation of operations) {
    if (operation.outcome === 'fail') continue;
    if (operation.outcome === 'info' && operation.f === 'read') continue;
    events.push({ at: operation.invokedAt, operation });
    if (operation.outcome === 'ok') events.push({ at: operation.completedAt, operation });
  }
  return events.sort((a, b) => a.at - b.at);
}

function stepOf(operation: Operation): Step {
  const { f, value } = operation;
  if (f === 'read') return { f, observes: canonical(value), leaves: canonical(value) };
  if (f === 'write') return { f, observes: null, leaves: canonical(value) };
  const [old, next] = value as [unknown, unknown];
  return { f, observes: canonical(old), leaves: canonical(next) };
}

function possible(step: Step, value: string): boolean {
  return step.observes === null || step.observes === value;
}

function count(used: readonly number[], kind: number): number {
  let uses = 0;
  for (const other of used) if (other === kind) uses++;
  return uses;
}

function insert(used: readonly number[], kind: number): number[] {
  const at = used.findIndex((other) => other > kind);
  return at < 0 ? [...used, kind] : [...used.slice(0, at), kind, ...used.slice(at)];
}

/** Whether sorted `a` is a part of sorted `b`, counting repetitions. */
function within(a: readonly number[], b: readonly number[]): boolean {
  let i = 0;
  for (const kind of b) if (i < a.length && a[i] === kind) i++;
  return i === a.length;
}
