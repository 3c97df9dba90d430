import { describe, expect, it } from 'vitest';
import { detect } from '../bug.ts';
import { REGISTER_BUGS } from './bugs.ts';
import {
  clockAhead,
  effectBeforeCause,
  lateAnswerOfALostDisk,
  lateCopyOfADeletedValue,
  lostDiskThenMajority,
  repeatAfterASuccessor,
  tagFromTheFuture,
  weakerWriteUnderARead,
} from './schedules.ts';

/** Those that the general campaign catches within a few seeds. */
const QUICK = [
  'g1-counts-only-the-reached',
  'g1-half-is-a-majority',
  'g11-sessions-do-not-wait',
  's4-orders-by-wall-clock',
];

describe('the zoo of the registers', () => {
  it.each(REGISTER_BUGS.filter(({ id }) => QUICK.includes(id)))('G1 G11 S1 S4: the campaign catches $id', (bug) => {
    expect(detect(bug, { seeds: 20 })).toMatchObject({ caught: true });
  });

  it.each(REGISTER_BUGS.filter(({ caughtBy }) => caughtBy.type === 'directed'))(
    'G3 G4 G5 G6 G10 G11 G13 G14: its schedule catches $id',
    (bug) => {
      expect(detect(bug, { seeds: 20 })).toMatchObject({ caught: true });
    },
  );

  it('G4 G5 G6 G10 G11 G13 G14: the schedules find nothing where no rule is broken', () => {
    const schedules = [
      clockAhead,
      effectBeforeCause,
      lateCopyOfADeletedValue,
      lateAnswerOfALostDisk,
      lostDiskThenMajority,
      repeatAfterASuccessor,
      tagFromTheFuture,
      weakerWriteUnderARead,
    ];
    expect(schedules.map((schedule) => schedule({}))).toEqual(schedules.map(() => null));
  });
});
