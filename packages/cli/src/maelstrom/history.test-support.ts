import type { Operation } from './operation.ts';

/** What a test says of an operation; the rest is filled in. */
export type Sketch = Pick<Operation, 'f' | 'value'> & Partial<Operation>;

/** Operations one after the other, each over before the next begins, unless the sketch says otherwise. */
export function history(...sketches: readonly Sketch[]): Operation[] {
  return sketches.map((sketch, index) => ({
    process: 0,
    node: 'n1',
    final: false,
    outcome: 'ok',
    result: null,
    error: null,
    invokedAt: 2 * index,
    completedAt: sketch.outcome === 'info' ? Number.POSITIVE_INFINITY : 2 * index + 1,
    invokedMs: 20 * index,
    completedMs: 20 * index + 10,
    ...sketch,
  }));
}
