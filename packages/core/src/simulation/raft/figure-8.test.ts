import { describe, expect, it } from 'vitest';
import { duplicatedVotes, figure8, lateVotes, oldLeaderReturns, type Schedule } from '../zoo/schedules.ts';
import { NO_SABOTAGE, type Sabotage } from './sabotage.ts';

const SEEDS = [1, 2, 3, 4, 5];
const unbroken = (schedule: Schedule): void => SEEDS.forEach((seed) => schedule(NO_SABOTAGE, seed));
const broken = (schedule: Schedule, rules: Sabotage['rules']): void =>
  SEEDS.forEach((seed) => schedule({ ...NO_SABOTAGE, rules }, seed));

describe('Figure 8', () => {
  it('R1: an entry of an earlier term on a majority is not committed, so replacing it breaks no promise', () => {
    expect(() => unbroken(figure8)).not.toThrow();
  });

  it('R1: is caught when a leader commits it by counting', () => {
    expect(() => broken(figure8, { mayCommit: () => true })).toThrow(/Leader Completeness|State Machine Safety/);
  });
});

describe('a leader that comes back with a longer log of an earlier term', () => {
  it('R3: is not elected over a log with a later term', () => {
    expect(() => unbroken(oldLeaderReturns)).not.toThrow();
  });

  it('R3: is caught when a voter compares indexes only', () => {
    const isUpToDate: Sabotage['rules']['isUpToDate'] = (candidate, voter) => candidate.index >= voter.index;
    expect(() => broken(oldLeaderReturns, { isUpToDate })).toThrow(/Leader Completeness|State Machine Safety/);
  });
});

describe('votes that come twice, or late', () => {
  it('R4: make no second leader of a term', () => {
    expect(() => unbroken(duplicatedVotes)).not.toThrow();
    expect(() => unbroken(lateVotes)).not.toThrow();
  });
});
