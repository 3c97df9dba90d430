import type { Outcome } from '../history.ts';
import type { DrawnOperation } from './history-drawing.ts';

/** `invokedAt` and `completedAt` are positions in the history; without the second the outcome is unknown. */
export function operation(
  process: number,
  f: string,
  value: unknown,
  invokedAt: number,
  completedAt = Number.POSITIVE_INFINITY,
  rest: { readonly key?: string; readonly outcome?: Outcome } = {},
): DrawnOperation {
  const outcome = completedAt === Number.POSITIVE_INFINITY ? 'info' : 'ok';
  return { f, key: 'x', process, outcome, value, invokedAt, completedAt, ...rest };
}

/** One after the other: the i-th is invoked at 2i and returns at 2i + 1. */
export function sequence(count: number, make: (i: number) => Partial<DrawnOperation>): DrawnOperation[] {
  return Array.from({ length: count }, (_, i) => ({ ...operation(i % 3, 'write', i, 2 * i, 2 * i + 1), ...make(i) }));
}
