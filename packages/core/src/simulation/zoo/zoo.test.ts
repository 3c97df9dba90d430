import { describe, expect, it } from 'vitest';
import { detect } from './bug.ts';
import { BUGS } from './bugs.ts';

/** Those that the general campaign catches within a few seeds, one for each part of a member that may be broken. */
const QUICK = [
  's1-half-commits',
  'r2-forgets-its-vote',
  'r3-compares-terms-only',
  'r4-prevote-counts-as-vote',
  'r5-takes-conflict-for-agreement',
  'r6-commits-unverified-entries',
  'r7-acknowledges-one-too-many',
  'r8-reads-before-own-commit',
  'r9-half-confirms-reads',
  'r20-last-entry-lost-at-start',
  'r23-unknown-reported-as-failed',
  'r24-never-syncs',
  'r29-store-never-synced',
  'r29-index-apart-from-data',
  'wire-without-checksum',
];

describe('the zoo', () => {
  it('holds at least 35 mistakes, each with a name of its own, a rule and a source', () => {
    expect(BUGS.length).toBeGreaterThanOrEqual(35);
    expect(new Set(BUGS.map(({ id }) => id)).size).toBe(BUGS.length);
    for (const { id, breaks, source } of BUGS) {
      expect(id).toMatch(/^[a-z0-9-]+$/);
      expect(breaks.length, id).toBeGreaterThan(20);
      expect(source.length, id).toBeGreaterThan(5);
    }
  });

  it.each(BUGS.filter(({ id }) => QUICK.includes(id)))(
    'S1 R2 R3 R4 R5 R6 R7 R8 R9 R20 R23 R24 R29: the campaign catches $id',
    (bug) => {
      expect(detect(bug, { seeds: 150 })).toMatchObject({ caught: true });
    },
  );

  it.each(BUGS.filter(({ caughtBy }) => caughtBy.type === 'directed'))(
    'R1 R3 R4 R11 R12 R17 R18: its schedule catches $id',
    (bug) => {
      expect(detect(bug, { seeds: 40 })).toMatchObject({ caught: true });
    },
  );

  it('names only mistakes that exist', () => {
    expect(QUICK.filter((id) => !BUGS.some((bug) => bug.id === id))).toEqual([]);
  });
});
