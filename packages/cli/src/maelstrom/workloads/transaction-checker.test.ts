import { describe, expect, test } from 'vitest';
import { checkTransactions, type MicroOperation, type Transaction } from './transaction-checker.ts';
import type { ConsistencyModel } from './workload.ts';

const committed = (...operations: MicroOperation[]): Transaction => ({ process: 0, outcome: 'ok', operations });
const failed = (...operations: MicroOperation[]): Transaction => ({ process: 1, outcome: 'fail', operations });
const unknown = (...operations: MicroOperation[]): Transaction => ({ process: 2, outcome: 'info', operations });

function names(write: 'w' | 'append', model: ConsistencyModel, ...transactions: Transaction[]): string[] {
  return checkTransactions(transactions, write, model).map(({ name }) => name);
}
const registers = (...transactions: Transaction[]): string[] => names('w', 'read-committed', ...transactions);
const lists = (...transactions: Transaction[]): string[] => names('append', 'read-committed', ...transactions);

describe('registers', () => {
  test('reading what others committed, nothing, or what may have committed, is allowed', () => {
    expect(registers(committed(['w', 1, 1], ['r', 1, 1]), committed(['r', 1, 1], ['r', 2, null]))).toEqual([]);
    expect(registers(unknown(['w', 1, 1]), committed(['r', 1, 1]))).toEqual([]);
  });

  test('internal: a transaction sees its own writes', () => {
    expect(registers(committed(['w', 1, 5]), committed(['w', 1, 1], ['w', 1, 2], ['r', 1, 2]))).toEqual([]);
    expect(registers(committed(['w', 1, 5]), committed(['w', 1, 1], ['r', 1, 5]))).toEqual(['internal']);
    expect(registers(committed(['w', 1, 1], ['r', 1, null]))).toEqual(['internal']);
    expect(registers(committed(['r', 1, 1], ['w', 1, 1]))).toEqual(['internal']);
  });

  test('G1a: nobody reads what an aborted transaction wrote', () => {
    expect(registers(failed(['w', 1, 1]), committed(['r', 1, 1]))).toEqual(['G1a']);
  });

  test('G1b: nobody reads what its writer replaced in the same transaction', () => {
    expect(registers(committed(['w', 1, 1], ['w', 1, 2]), committed(['r', 1, 1]))).toEqual(['G1b']);
    expect(registers(committed(['w', 1, 1], ['w', 2, 2]), committed(['r', 1, 1]))).toEqual([]);
    expect(registers(committed(['w', 1, 1], ['r', 1, 1], ['w', 1, 2]))).toEqual([]);
  });

  test('G1c: nobody reads from each other in a circle, of any length', () => {
    const [a, b] = [committed(['w', 1, 1], ['r', 2, 2]), committed(['w', 2, 2], ['r', 1, 1])];
    expect(registers(a, b)).toEqual(['G1c']);
    const ring = [0, 1, 2, 3].map((key) => committed(['w', key, 9], ['r', (key + 1) % 4, 9]));
    expect(registers(...ring)).toEqual(['G1c']);
    expect(registers(...ring.slice(0, 3), committed(['w', 3, 9]))).toEqual([]);
    const reads = (key: number, ...from: number[]) =>
      committed(['w', key, 9], ...from.map((k) => ['r', k, 9] as const));
    expect(registers(reads(0), reads(1, 0), reads(2, 0), reads(3, 1, 2))).toEqual([]);
  });

  test('a value that nobody wrote is found', () => {
    expect(registers(committed(['w', 1, 1]), committed(['r', 1, 2]))).toEqual(['invented-value']);
  });

  test('read-uncommitted allows all of G1, but not what contradicts the transaction itself', () => {
    const dirty = [failed(['w', 1, 1]), committed(['w', 2, 1], ['w', 2, 2]), committed(['r', 1, 1], ['r', 2, 1])];
    expect(names('w', 'read-uncommitted', ...dirty)).toEqual([]);
    expect(registers(...dirty)).toEqual(['G1a', 'G1b']);
    expect(names('w', 'read-uncommitted', committed(['w', 1, 1], ['r', 1, null]))).toEqual(['internal']);
  });
});

describe('lists', () => {
  const appends = [committed(['append', 1, 1]), committed(['append', 1, 2], ['append', 1, 3])];

  test('reads that are each the beginning of the next are allowed', () => {
    const reads = [null, [1], [1, 2, 3]].map((list) => committed(['r', 1, list]));
    expect(lists(...appends, ...reads)).toEqual([]);
    // What a transaction reads after its own append is no evidence of the order that others agree on.
    expect(lists(...appends, committed(['append', 1, 9], ['r', 1, [9]]), committed(['r', 1, [1, 2, 3, 9]]))).toEqual(
      [],
    );
    expect(lists(committed(['append', 1, 1], ['r', 1, [1]], ['append', 1, 2], ['r', 1, [1, 2]]))).toEqual([]);
  });

  test('two orders, one element twice, a half of a transaction, an aborted one, an own append unseen', () => {
    expect(lists(...appends, committed(['r', 1, [1, 2, 3]]), committed(['r', 1, [2, 3, 1]]))).toEqual([
      'incompatible-order',
    ]);
    expect(lists(...appends, committed(['r', 1, [1, 1]]))).toEqual(['duplicate-elements']);
    expect(lists(...appends, committed(['r', 1, [1, 2]]))).toEqual(['G1b']);
    expect(lists(failed(['append', 1, 1]), committed(['r', 1, [1]]))).toEqual(['G1a']);
    expect(lists(committed(['append', 1, 1], ['r', 1, null]))).toEqual(['internal']);
  });
});
