import { expect, test } from 'vitest';
import { type Tally, type Trial, tallyOf, zooJson, zooTable } from './zoo-text.ts';

const bug = (id: string, type: 'general' | 'directed' = 'general'): Tally['bug'] => ({
  id,
  pitfalls: ['R2'],
  breaks: `what ${id} breaks`,
  caughtBy: type === 'general' ? { type, seeds: () => null } : { type, why: 'chance is rare', seeds: () => null },
});

const caughtAfter = (seeds: number): Trial => ({
  caught: true,
  seeds,
  seed: seeds,
  seconds: seeds / 10,
  violation: { rule: 'Election Safety', sentence: `two leaders after ${seeds}`, atUs: 5 },
});
const missed: Trial = { caught: false, seeds: 1_000, seed: 0, seconds: 100, violation: null };

test('seeds to detection is the median of the starts, and the sentence that of the soonest', () => {
  const tally = tallyOf(bug('a'), [caughtAfter(30), caughtAfter(2), caughtAfter(7)], 3);
  expect(tally).toMatchObject({ seedsToDetection: 7, seconds: 0.7, caught: 3 });
  expect(tally.violation?.sentence).toBe('two leaders after 2');
});

test('a start that missed the bug counts as more than any: a median among these is no number', () => {
  expect(tallyOf(bug('a'), [caughtAfter(30), missed, caughtAfter(7)], 3).seedsToDetection).toBe(30);
  expect(tallyOf(bug('a'), [missed, missed, caughtAfter(7)], 3).seedsToDetection).toBeNull();
});

test('the table says of each bug whether it is caught, and gives the score', () => {
  const tallies = [
    tallyOf(bug('always'), [caughtAfter(4)], 1),
    tallyOf(bug('rare', 'directed'), [caughtAfter(1)], 1),
    tallyOf(bug('never'), [missed], 1),
    tallyOf(bug('not-reached'), [], 1),
  ];
  const table = zooTable(tallies);
  expect(table).toMatch(
    /^always +yes +4 +0\.4 +general\n +what always breaks\n +◀ Election Safety: two leaders after 4$/m,
  );
  expect(table).toMatch(/^rare +yes +1 +0\.1 +directed\n +what rare breaks\n +directed: chance is rare\n +◀ /m);
  expect(table).toMatch(/^never +NO +- +100\.0 +general\n +what never breaks\nnot-reached +not tried +- +- /m);
  expect(table).toContain(
    "2 of 4 caught (50 %); by the general campaign 1 of the 4 in production's code (25 %); 1 not tried to the end",
  );
});

test('the JSON has for each bug its id, rule, whether it is caught, seeds, seconds and the violation', () => {
  const { bugs } = JSON.parse(zooJson([tallyOf(bug('a'), [caughtAfter(4)], 1), tallyOf(bug('b'), [missed], 1)]));
  expect(bugs[0]).toMatchObject({ id: 'a', rule: 'Election Safety', caught: true, seedsToDetection: 4, seconds: 0.4 });
  expect(bugs[0].violation).toBe('two leaders after 4');
  expect(bugs[1]).toMatchObject({ id: 'b', rule: null, caught: false, seedsToDetection: null, violation: null });
});

test('a bug that some starts miss is not caught', () => {
  const tally = tallyOf(bug('a'), [caughtAfter(1), missed], 2);
  expect(JSON.parse(zooJson([tally])).bugs[0].caught).toBe(false);
  expect(zooTable([tally])).toContain('1 of 2');
});
