import { describe, expect, test } from 'vitest';
import { history, type Sketch } from '../history.test-support.ts';
import type { Operation } from '../operation.ts';
import { checkCounter } from './counter.ts';
import { checkEcho } from './echo.ts';
import { checkLinearizableKeyValue, registerHistory } from './lin-kv.ts';
import { checkGrowOnlySet } from './set-checker.ts';
import { checkUniqueIds } from './unique-ids.ts';

test('echo: every payload comes back as it was, whatever the order of its keys', () => {
  const same = { f: 'echo', value: { a: 1, b: 2 }, result: { b: 2, a: 1 } };
  expect(checkEcho(history(same)).result).toBe('valid');
  const { result, reasons } = checkEcho(history(same, { f: 'echo', value: 'a', result: 'b', node: 'n3' }));
  expect([result, reasons]).toEqual(['invalid', ['n3 was sent "a" and echoed "b"']]);
});

test('unique ids: a compound id that comes twice is a duplicate; one that nobody got is none', () => {
  const generate = { f: 'generate', value: null };
  const unknown = { ...generate, outcome: 'info' as const };
  expect(
    checkUniqueIds(history({ ...generate, result: 1 }, { ...generate, result: '1' }, unknown, unknown)).result,
  ).toBe('valid');
  const { result, reasons } = checkUniqueIds(
    history({ ...generate, result: [1, { a: 2 }] }, { ...generate, result: [1, { a: 2 }], node: 'n2' }),
  );
  expect([result, reasons]).toEqual(['invalid', ['the id [1,{"a":2}] was given 2 times, by n1, n2']]);
});

describe('grow-only sets and broadcast', () => {
  const add = (value: unknown, more: Partial<Operation> = {}) => ({ f: 'add', value, ...more });
  const read = (result: unknown[], more: Partial<Operation> = {}) => ({ f: 'read', value: null, result, ...more });
  const check = (...sketches: Sketch[]) => checkGrowOnlySet(history(...sketches), 'add');

  test('what was acknowledged and is missing from one final read is lost', () => {
    const found = check(
      add(1),
      add(2),
      read([1, 2]),
      read([1, 2], { final: true }),
      read([2], { final: true, node: 'n4' }),
    );
    expect(found).toMatchObject({ result: 'invalid', figures: { lost: 1, stable: 1 } });
    expect(found.reasons).toEqual(['1 known elements are lost, missing from the final reads of n4: 1']);
  });

  test('an unacknowledged element may be there or not, but once a read has shown it, it stays', () => {
    const doubtful = add(1, { outcome: 'info' });
    expect(check(add(0), doubtful, read([0], { final: true })).result).toBe('valid');
    expect(check(add(0), doubtful, read([1, 0], { final: true })).result).toBe('valid');
    expect(check(add(0), doubtful, read([0, 1]), read([0], { final: true })).result).toBe('invalid');
  });

  test('an element that nobody added, and one that a read shows twice, are violations', () => {
    expect(check(add(1), read([1, 'x'], { final: true })).reasons).toEqual(['nobody added x, but reads show it']);
    expect(check(add(1), read([1, 1], { final: true })).result).toBe('invalid');
  });

  test('the stable latency lasts from when an element is known to the beginning of the last read that misses it', () => {
    // Known at 10 ms; reads that miss it begin at 20, 40 and 60 ms; the element is stale, which is allowed.
    const found = check(add(1), read([]), read([]), read([]), read([1], { final: true }));
    expect(found).toMatchObject({ result: 'valid', figures: { stale: 1, stableLatencyMs: { median: 50, max: 50 } } });
    const prompt = check(add(1), read([1]), read([1], { final: true }));
    expect(prompt).toMatchObject({ figures: { stale: 0, stableLatencyMs: { max: 0 } } });
  });

  test('a read that began before an element was known says nothing about it', () => {
    const early = read([], { invokedMs: 5, completedMs: 15 });
    expect(check(add(1), early, read([1], { final: true }))).toMatchObject({ figures: { stale: 0 } });
  });

  test('of two final reads at one time, one may already show what nobody knew before', () => {
    const doubtful = add(1, { outcome: 'info' });
    const [first, second] = [read([0], { final: true }), read([0, 1], { final: true, invokedMs: 45, completedMs: 55 })];
    expect(check(add(0), doubtful, first, second).result).toBe('valid');
    expect(check(add(0), doubtful, second, read([0], { final: true })).result).toBe('invalid');
  });

  test('without a final read nobody knows', () => {
    expect(check(add(1), read([1])).result).toBe('unknown');
    expect(check(read([], { final: true })).result).toBe('unknown');
  });
});

describe('counters', () => {
  const add = (value: number, outcome: Operation['outcome'] = 'ok') => ({ f: 'add', value, outcome });
  const final = (result: number) => ({ f: 'read', value: null, result, final: true });
  const check = (...sketches: Sketch[]) => checkCounter(history(...sketches)).result;

  test('the final reads are the sum of what was acknowledged, whatever was read before', () => {
    expect(check(add(3), { f: 'read', value: null, result: 99 }, add(-1), final(2))).toBe('valid');
    expect(check(add(3), add(-1), final(2), final(3))).toBe('invalid');
    expect(check(add(3), add(4, 'fail'), final(7))).toBe('invalid');
  });

  test('any subset of what is unknown may have happened, and nothing else', () => {
    const sums = [...Array(20).keys()].filter(
      (sum) => check(add(1), add(5, 'info'), add(7, 'info'), final(sum)) === 'valid',
    );
    expect(sums).toEqual([1, 6, 8, 13]);
  });

  test('without a final read nobody knows', () => expect(check(add(3))).toBe('unknown'));
});

describe('lin-kv', () => {
  const write = (value: number) => ({ f: 'write', value: { key: 1, value } });
  const read = (result: unknown) => ({ f: 'read', value: { key: 1, value: null }, result });

  test('a read that brings an old value back is not linearizable; one during the write is', () => {
    const [first, second, late] = [write(1), { ...write(2), process: 1 }, { ...read(1), process: 2 }];
    expect(checkLinearizableKeyValue(history(first, second, late)).result).toBe('invalid');
    const during = { ...late, invokedAt: 2.5, completedAt: 2.7 };
    expect(checkLinearizableKeyValue(history(first, second, during)).result).toBe('valid');
  });

  test('a key said not to exist is read as null, and keys are apart', () => {
    expect(checkLinearizableKeyValue(history(read(null), write(1), read(1))).result).toBe('valid');
    expect(checkLinearizableKeyValue(history(write(1), read(null))).result).toBe('invalid');
    const other = { f: 'read', value: { key: 2, value: null }, result: null };
    expect(checkLinearizableKeyValue(history(write(1), other)).result).toBe('valid');
  });

  test('an operation without an outcome stays open, and one that failed is no write', () => {
    const doubtful = { ...write(2), outcome: 'info' as const, process: 7 };
    expect(checkLinearizableKeyValue(history(write(1), doubtful, read(1), read(2))).result).toBe('valid');
    const failed = { ...write(2), outcome: 'fail' as const };
    expect(checkLinearizableKeyValue(history(write(1), failed, read(2))).result).toBe('invalid');
    expect(registerHistory(history(doubtful)).map(({ type }) => type)).toEqual(['invoke']);
  });
});
