import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeedLedger, type SeedRange } from './seed-ledger.ts';

const seedsOf = (ranges: readonly SeedRange[]): number[] =>
  ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

test('each seed that is not done is handed out once, in order, in whatever pieces threads ask for', () => {
  const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 9 }));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 50 }),
      fc.array(range, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }),
      (from, seeds, ranges, pieces) => {
        const done = ranges.map(([first, more]): SeedRange => [first, first + more]);
        const ledger = new SeedLedger(from, seeds, done);
        const before = new Set(seedsOf(done));
        const wanted = Array.from({ length: seeds }, (_, i) => from + i).filter((seed) => !before.has(seed));
        const taken: number[] = [];
        for (let i = 0; ; i++) {
          expect(ledger.left).toBe(wanted.length - taken.length);
          const piece = ledger.take(pieces[i % pieces.length] ?? 1);
          if (piece === null) break;
          taken.push(...seedsOf([[piece.from, piece.from + piece.seeds - 1]]));
          ledger.finish(piece.from, piece.seeds);
        }
        expect(taken).toEqual(wanted);
        expect(seedsOf(ledger.done)).toEqual([...new Set([...before, ...wanted])].sort((a, b) => a - b));
      },
    ),
  );
});

test('seeds that were handed out and not finished are not done: a killed campaign runs them again', () => {
  const ledger = new SeedLedger(1, Number.POSITIVE_INFINITY);
  expect(ledger.take(5)).toEqual({ from: 1, seeds: 5 });
  expect(ledger.take(5)).toEqual({ from: 6, seeds: 5 });
  ledger.finish(6, 5);
  expect(ledger.done).toEqual([[6, 10]]);
  const resumed = new SeedLedger(1, Number.POSITIVE_INFINITY, ledger.done);
  expect(resumed.take(100)).toEqual({ from: 1, seeds: 5 });
  expect(resumed.take(100)).toEqual({ from: 11, seeds: 100 });
});
