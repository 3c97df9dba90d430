/** The explorer against published counts, on models written out in full. */
import { explore, type Model } from '@polder/core/explore';
import { describe, expect, test } from 'vitest';
import { paxos } from './paxos.ts';
import { registerSystem } from './register-system.ts';
import { sharedRegister } from './shared-register.ts';
import {
  bySorting,
  bySortingStates,
  type TwoPhaseAction,
  type TwoPhaseState,
  twoPhaseCommit,
} from './two-phase-commit.ts';

/** Depth first, without any of the explorer: the encodings of all states, as their representatives. */
function naiveWalk(
  model: Model<TwoPhaseState, TwoPhaseAction>,
  representative: (state: TwoPhaseState) => TwoPhaseState,
): Set<unknown> {
  const stack = [...model.initial()];
  const seen = new Set(stack.map((state) => model.encode(representative(state))));
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    for (const action of model.actions(state)) {
      const next = model.next(state, action);
      if (next === null) continue;
      const key = model.encode(representative(next));
      if (!seen.has(key)) stack.push(next);
      seen.add(key);
    }
  }
  return seen;
}

describe('two-phase commit', () => {
  test.each([
    [3, 288],
    [5, 8_832],
  ])('E8: %i resource managers have %i states, and never disagree', (managers, states) => {
    for (const exact of [false, true]) {
      const walk = explore(twoPhaseCommit({ managers }), { exact });
      expect(walk).toMatchObject({ states, complete: true, violation: null, unreached: [] });
    }
  });

  test('E9: with symmetry five resource managers have 314 states, one for each class of the 8,832, and the same verdict', () => {
    const walk = explore(twoPhaseCommit({ managers: 5, symmetry: bySorting }));
    expect(walk).toMatchObject({ states: 314, complete: true, violation: null, unreached: [] });
    expect(naiveWalk(twoPhaseCommit({ managers: 5 }), bySorting).size).toBe(314);
  });

  test('E9: representatives that leave classes split are sound too: stateright counts 665 depth first, nearest first sees 508', () => {
    expect(naiveWalk(twoPhaseCommit({ managers: 5 }), bySortingStates).size).toBe(665);
    const walk = explore(twoPhaseCommit({ managers: 5, symmetry: bySortingStates }));
    expect(walk).toMatchObject({ states: 508, complete: true, violation: null, unreached: [] });
  });

  test('E9: a commit before everyone prepared is found with and without symmetry, five actions deep', () => {
    for (const symmetry of [undefined, bySorting, bySortingStates]) {
      const { violation } = explore(twoPhaseCommit({ managers: 3, hasty: true, ...(symmetry && { symmetry }) }));
      expect(violation?.property).toBe('consistent');
      expect(violation?.described).toEqual(['prepare 0', 'prepare 1', 'chooseToAbort 2', 'commit', 'obeyCommit 0']);
    }
  });
});

describe('single-decree Paxos, two clients and three servers', () => {
  test('E8: has 16,668 states, is linearizable, and chooses a value in eight messages', () => {
    const walk = explore(registerSystem(paxos(3), 3, 2));
    expect(walk).toMatchObject({ states: 16_668, complete: true, violation: null, unreached: [] });
    expect(walk.reached[0]?.actions).toHaveLength(8);
  });

  test('E4: a proposer that prefers its own value makes two clients read different ones, and is caught', () => {
    const { violation } = explore(registerSystem(paxos(3, { choose: (_, own) => own }), 3, 2));
    expect(violation?.property).toBe('linearizable');
    expect(violation?.actions).toHaveLength(17);
    const values = violation?.actions.map(({ message }) => (message.type === 'getOk' ? message.value : null));
    expect(new Set(values)).toEqual(new Set([null, 'A', 'B']));
  });
});

describe('the shared register of Attiya, Bar-Noy and Dolev, two clients and two servers', () => {
  test('E8: has 544 states, is linearizable, and answers a read in eleven messages', () => {
    const walk = explore(registerSystem(sharedRegister(2), 2, 2));
    expect(walk).toMatchObject({ states: 544, complete: true, violation: null, unreached: [] });
    expect(walk.reached[0]?.actions).toHaveLength(11);
  });
});
