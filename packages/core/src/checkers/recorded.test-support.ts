/** Histories in short, and how many random ones the tests try. */
import type { RecordedOperation } from './recorded.ts';

export type Short = readonly [
  process: number,
  f: string,
  value: unknown,
  key?: string,
  outcome?: RecordedOperation['outcome'],
];

/** Operations one after the other: the one at position i lasts from 2i to 2i + 1. */
export function recorded(...operations: readonly Short[]): RecordedOperation[] {
  return operations.map(([process, f, value, key = 'x', outcome = 'ok'], at) => {
    const completedAt = outcome === 'info' ? Number.POSITIVE_INFINITY : 2 * at + 1;
    return { process, f, key, value, outcome, invokedAt: 2 * at, completedAt };
  });
}

/** POLDER_RANDOM_HISTORIES raises how many random histories each property tries: see docs/ANOMALIES.md. */
export function runs(usual: number): number {
  const wanted = Number(process.env['POLDER_RANDOM_HISTORIES'] ?? 0);
  return Math.max(usual, Number.isSafeInteger(wanted) ? wanted : 0);
}

/** For fast-check: the same histories in every run of the tests, and others where more than usual are asked for. */
export function trials(usual: number): { numRuns: number; seed?: number } {
  return process.env['POLDER_RANDOM_HISTORIES'] === undefined ? { numRuns: usual, seed: 1 } : { numRuns: runs(usual) };
}

/** No end for a test that was asked for more than usual. */
export const TIMEOUT_MS = process.env['POLDER_RANDOM_HISTORIES'] === undefined ? 60_000 : 3_600_000;

export function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) =>
    permutations([...items.slice(0, at), ...items.slice(at + 1)]).map((rest) => [item, ...rest]),
  );
}

export function subsets<Item>(items: readonly Item[]): Item[][] {
  const [first, ...rest] = items;
  if (first === undefined) return [[]];
  return subsets(rest).flatMap((subset) => [subset, [first, ...subset]]);
}
