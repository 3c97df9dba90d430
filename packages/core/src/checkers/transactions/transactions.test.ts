import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import { recorded, runs, TIMEOUT_MS } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';
import { isObserved, isSerializable } from './brute-force.test-support.ts';
import { checkTransactions, type TransactionModel } from './index.ts';
import { type Isolation, runTinyDatabase } from './tiny-database.test-support.ts';

const KEYS = ['x', 'y'];

/** Transactions of a few steps, whose reads mostly show a prefix of one order of the key's appends. */
const listHistories = fc
  .record({
    shapes: fc.array(
      fc.record({
        steps: fc.array(fc.record({ key: fc.nat(1), append: fc.boolean(), length: fc.nat(4), odd: fc.nat(19) }), {
          minLength: 1,
          maxLength: 3,
        }),
        outcome: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'ok', 'info', 'fail'),
        process: fc.nat(2),
        begins: fc.nat(9),
        lasts: fc.integer({ min: 1, max: 5 }),
      }),
      { minLength: 2, maxLength: 4 },
    ),
    mixing: fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }),
  })
  .map(({ shapes, mixing }): RecordedOperation[] => {
    const appended: number[][] = [[], []];
    let next = 1;
    const planned = shapes.map((shape) => {
      const steps = shape.steps.map((step) => ({ ...step, value: step.append ? next++ : 0 }));
      const counts = shape.outcome !== 'fail';
      for (const { key, append, value } of steps) if (append && counts) appended[key]?.push(value);
      return { ...shape, steps };
    });
    const orders = appended.map((values) => shuffled(values, mixing));
    return planned.map(({ steps, outcome, process, begins, lasts }) => {
      const value = steps.map(({ key, append, value: element, length, odd }) => {
        if (append) return ['append', KEYS[key], element];
        const order = odd === 0 ? shuffled(orders[key] ?? [], [1, 0, 0, 2, 1, 0, 0, 0]) : (orders[key] ?? []);
        const list = order.slice(0, length);
        return ['r', KEYS[key], outcome !== 'ok' ? null : odd === 1 ? [...list, 1] : list];
      });
      const completedAt = outcome === 'info' ? Number.POSITIVE_INFINITY : begins + lasts;
      return { process, f: 'txn', key: '', value, outcome: outcome as 'ok', invokedAt: begins, completedAt };
    });
  });

function shuffled<Item>(items: readonly Item[], mixing: readonly number[]): Item[] {
  const result: Item[] = [];
  for (const [at, item] of items.entries()) result.splice((mixing[at] ?? 0) % (at + 1), 0, item);
  return result;
}

function txns(...values: unknown[][]): RecordedOperation[] {
  return recorded(...values.map((value, process) => [process, 'txn', value, ''] as const));
}

function atOnce(...values: unknown[][]): RecordedOperation[] {
  return txns(...values).map((operation) => ({ ...operation, invokedAt: operation.process, completedAt: 100 }));
}

function anomaliesOf(history: readonly RecordedOperation[], model?: TransactionModel): string[] {
  return Object.keys(checkTransactions(history, model === undefined ? {} : { model }).anomalies).sort();
}

describe('transactions against brute force', () => {
  test('a history that is called invalid has no serial order, and one that is fully observed and has none is called so', () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    fc.assert(
      fc.property(listHistories, (history) => {
        const verdict = checkTransactions(history);
        seen[verdict.result]++;
        if (verdict.result === 'unknown') return;
        const serializable = isSerializable(history);
        if (verdict.result === 'invalid') expect(serializable, verdict.violations[0]?.sentence).toBe(false);
        else if (isObserved(history)) expect(serializable).toBe(true);
      }),
      { numRuns: runs(4_000) },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  }, TIMEOUT_MS);

  test('the same in real time', () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    fc.assert(
      fc.property(listHistories, (history) => {
        const verdict = checkTransactions(history, { model: 'strict-serializable' });
        seen[verdict.result]++;
        if (verdict.result === 'unknown') return;
        const serializable = isSerializable(history, true);
        if (verdict.result === 'invalid') expect(serializable, verdict.violations[0]?.sentence).toBe(false);
        else if (isObserved(history)) expect(serializable).toBe(true);
      }),
      { numRuns: runs(4_000) },
    );
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
  }, TIMEOUT_MS);
});
