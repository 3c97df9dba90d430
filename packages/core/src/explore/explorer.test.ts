import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Explorer, explore } from './explorer.ts';
import type { Model } from './model.ts';

/** A machine drawn at random: `edges[s]` are the states that its actions lead to, or null. */
interface Machine {
  readonly initial: readonly number[];
  readonly edges: readonly (readonly (number | null)[])[];
  readonly bad: number;
  readonly goal: number;
}

const SIZE = 9;

const machines: fc.Arbitrary<Machine> = fc.record({
  initial: fc.array(fc.nat(SIZE - 1), { minLength: 1, maxLength: 2 }),
  edges: fc.array(fc.array(fc.option(fc.nat(SIZE - 1)), { maxLength: 3 }), { minLength: SIZE, maxLength: SIZE }),
  bad: fc.nat(SIZE * 2),
  goal: fc.nat(SIZE),
});

function modelOf(machine: Machine): Model<number, number> {
  return {
    initial: () => machine.initial,
    actions: (state) => (machine.edges[state] ?? []).map((_, action) => action),
    next: (state, action) => machine.edges[state]?.[action] ?? null,
    encode: (state) => Uint8Array.of(state),
    describe: (action) => `action ${action}`,
    always: [{ name: 'good', sentence: 'the bad state was reached', holds: (state) => state !== machine.bad }],
    sometimes: [{ name: 'goal', reached: (state) => state === machine.goal }],
  };
}

/** The least number of actions to each state, depth first, going again wherever a shorter way turns up. */
function naiveDepths(machine: Machine): Map<number, number> {
  const depths = new Map<number, number>();
  const walk = (state: number, depth: number): void => {
    if ((depths.get(state) ?? Number.POSITIVE_INFINITY) <= depth) return;
    depths.set(state, depth);
    for (const next of machine.edges[state] ?? []) if (next !== null) walk(next, depth + 1);
  };
  for (const state of machine.initial) walk(state, 0);
  return depths;
}

function replay(machine: Machine, actions: readonly number[], end: number): boolean {
  return machine.initial.some((start) => {
    let state: number | null = start;
    for (const action of actions) state = state === null ? null : (machine.edges[state]?.[action] ?? null);
    return state === end;
  });
}

describe('explore', () => {
  it('E1 E2: finds the states, transitions and depth that a naive walk of random machines finds', () => {
    fc.assert(
      fc.property(machines, fc.boolean(), (machine, exact) => {
        const naive = naiveDepths({ ...machine, bad: -1 });
        const walk = explore(modelOf({ ...machine, bad: -1 }), { exact });
        expect(walk.states).toBe(naive.size);
        expect(walk.depth).toBe(Math.max(...naive.values()));
        const transitions = [...naive.keys()].flatMap((state) => machine.edges[state]?.filter((to) => to !== null));
        expect(walk.transitions).toBe(transitions.length);
        expect(walk).toMatchObject({ complete: true, stoppedBy: null, violation: null });
        expect(walk.unreached).toEqual(naive.has(machine.goal) ? [] : ['goal']);
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });

  it('E3 E4: finds a violation if and only if a naive walk does, by as few actions as possible, and they replay', () => {
    fc.assert(
      fc.property(machines, (machine) => {
        const depth = naiveDepths(machine).get(machine.bad);
        const { violation, complete, stoppedBy } = explore(modelOf(machine));
        expect(violation === null).toBe(depth === undefined);
        if (violation === null) return;
        expect({ complete, stoppedBy }).toEqual({ complete: false, stoppedBy: 'violation' });
        expect(violation).toMatchObject({
          property: 'good',
          sentence: 'the bad state was reached',
          state: machine.bad,
        });
        expect(violation.actions).toHaveLength(depth ?? -1);
        expect(violation.described).toEqual(violation.actions.map((action) => `action ${action}`));
        expect(replay(machine, violation.actions, machine.bad)).toBe(true);
      }),
      { seed: 2, numRuns: 2_000 },
    );
  });

  it('E5: each goal comes with a shortest way to it', () => {
    fc.assert(
      fc.property(machines, (machine) => {
        const harmless = { ...machine, bad: -1 };
        const depth = naiveDepths(harmless).get(machine.goal);
        const [reached] = explore(modelOf(harmless)).reached;
        expect(reached?.actions.length).toBe(depth);
        if (reached !== undefined) expect(replay(machine, reached.actions, machine.goal)).toBe(true);
      }),
      { seed: 3, numRuns: 1_000 },
    );
  });
});

/** Counts up to `end`; from the end there is only standing still. */
function counter(end: number, broken = -1): Model<number, 'count' | 'stand'> {
  return {
    initial: () => [0],
    actions: () => ['count', 'stand'],
    next: (state, action) => (action === 'stand' ? state : state < end ? state + 1 : null),
    encode: (state) => `${state}`,
    describe: (action) => action,
    always: [{ name: 'below', sentence: 'it counted too far', holds: (state) => state !== broken }],
    sometimes: [{ name: 'seven', reached: (state) => state === 7 }],
    atEnd: [{ name: 'even', sentence: 'it ended at an odd number', holds: (state) => state % 2 === 0 }],
  };
}

describe('the bounds of a walk', () => {
  it('E6: at maxStates it stops, counts no more, and says that it is not complete', () => {
    const walk = explore(counter(100), { maxStates: 5 });
    expect(walk).toMatchObject({ states: 5, complete: false, stoppedBy: 'maxStates', unreached: ['seven'] });
    expect(explore(counter(4), { maxStates: 5 })).toMatchObject({ states: 5, complete: true });
  });

  it('E6: at maxDepth it stops, and says that it is not complete', () => {
    const walk = explore(counter(100), { maxDepth: 5 });
    expect(walk).toMatchObject({ states: 6, depth: 5, complete: false, stoppedBy: 'maxDepth' });
    expect(explore(counter(100, 5), { maxDepth: 5 }).violation?.actions).toHaveLength(5);
    expect(explore(counter(100, 6), { maxDepth: 5 }).violation).toBeNull();
  });

  it('E6: progress is told on the way, and may end the walk', () => {
    const told: number[] = [];
    const walk = explore(counter(100_000), { onProgress: ({ states }) => told.push(states) < 3 });
    expect(told).toHaveLength(3);
    expect(walk).toMatchObject({ complete: false, stoppedBy: 'onProgress', states: told[2] });
  });

  it('E6: in pieces it is the same walk', () => {
    const pieces = new Explorer(counter(50));
    let calls = 1;
    while (!pieces.advance(7)) calls++;
    expect(calls).toBeGreaterThan(5);
    expect(pieces.result()).toEqual(explore(counter(50)));
  });
});

describe('a state from which nothing else can happen', () => {
  it('E7: is judged by what must hold at the end, standing still not counted as leading on', () => {
    expect(explore(counter(8))).toMatchObject({ complete: true, violation: null });
    expect(explore(counter(9)).violation).toMatchObject({
      property: 'even',
      sentence: 'it ended at an odd number',
      state: 9,
    });
  });

  it('E7: is not confused with one where the bounds ended the walk', () => {
    expect(explore(counter(9), { maxDepth: 3 }).violation).toBeNull();
  });
});

/** Three equal workers, each a small random machine that also sees how many are in state 0; they are interchangeable. */
function workers(
  edges: readonly (readonly number[])[],
  bad: number,
  symmetric: boolean,
): Model<number[], [number, number]> {
  const zeros = (state: readonly number[]) => state.filter((each) => each === 0).length;
  return {
    initial: () => [[0, 0, 0]],
    actions: (state) => state.flatMap((each, i) => (edges[each] ?? []).map((_, j): [number, number] => [i, j])),
    next: (state, [i, j]) => {
      const to = edges[state[i] ?? 0]?.[j] ?? 0;
      return state.map((each, k) => (k === i ? (to + (zeros(state) === 1 ? 1 : 0)) % edges.length : each));
    },
    encode: (state) => state.join(),
    ...(symmetric && { representative: (state: number[]) => [...state].sort((a, b) => a - b) }),
    describe: ([i, j]) => `${i} ${j}`,
    always: [{ name: 'sum', sentence: 'the sum was bad', holds: (state) => state.reduce((a, b) => a + b) !== bad }],
  };
}

describe('symmetry', () => {
  it('E9: gives one state for each class, and the same verdict at the same depth, on random symmetric machines', () => {
    const drawn = fc.array(fc.array(fc.nat(3), { maxLength: 2 }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(drawn, fc.nat(16), (edges, bad) => {
        const [all, some] = [explore(workers(edges, bad, false)), explore(workers(edges, bad, true))];
        expect(some.violation?.actions.length).toBe(all.violation?.actions.length);
        if (some.violation !== null) {
          const model = workers(edges, bad, true);
          let state = [0, 0, 0];
          for (const action of some.violation.actions) state = model.next(state, action) ?? [];
          expect(state).toEqual(some.violation.state);
          return;
        }
        expect(some.states).toBeLessThanOrEqual(all.states);
        expect(some.depth).toBe(all.depth);
        const classes = new Set<string>();
        const collect = { ...workers(edges, bad, false), encode: (state: number[]) => state.join() };
        const explorer = explore({
          ...collect,
          always: [{ name: '', sentence: '', holds: (state) => classes.add([...state].sort().join()) !== undefined }],
        });
        expect(explorer.complete && some.states).toBe(classes.size);
      }),
      { seed: 4, numRuns: 500 },
    );
  });
});
