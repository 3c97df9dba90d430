import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recorded, type Short, TIMEOUT_MS, trials } from '../recorded.test-support.ts';
import { checkConvergence, checkReplicaStates } from './index.ts';

describe('final reads', () => {
  test('equal for all after the writes have ended is converged, whatever was read before', () => {
    const history = recorded(
      [0, 'write', 1],
      [1, 'read', null],
      [0, 'write', 2],
      [0, 'read', 2],
      [1, 'read', 1],
      [1, 'read', 2],
    );
    expect(checkConvergence(history)).toEqual({ result: 'valid', reason: null, violations: [], keys: 1 });
  });

  test('a difference says who holds what', () => {
    const history = recorded(
      [0, 'write', 1],
      [1, 'write', 2],
      [0, 'read', 2],
      [1, 'read', 2],
      [2, 'read', 1],
      [3, 'read', null],
    );
    const { result, violations } = checkConvergence(history);
    expect(result).toBe('invalid');
    expect(violations[0]?.groups[0]).toEqual({ value: 2, holders: ['process 0', 'process 1'] });
    expect(violations[0]?.sentence).toBe(
      'At "x", process 0, process 1 have 2, but process 2 has 1; process 3 has nothing.',
    );
  });

  test(
    'the verdict is that of comparing the last reads pair by pair',
    () => {
      const step = fc.tuple(fc.nat(2), fc.boolean(), fc.nat(2), fc.nat(1));
      const seen = { valid: 0, invalid: 0, unknown: 0 };
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
          const history = recorded(
            ...steps.map(
              ([process, write, value, key]): Short => [process, write ? 'write' : 'read', value + 1, `k${key}`],
            ),
          );
          const lastWrite = history.findLastIndex(({ f }) => f === 'write');
          const reads = history.slice(lastWrite + 1);
          const final = reads.filter((read, at) => {
            return !reads.slice(at + 1).some(({ key, process }) => key === read.key && process === read.process);
          });
          const pairs = final.flatMap((one) =>
            final.filter((two) => two.key === one.key && two !== one).map((two) => [one, two]),
          );
          const expected =
            pairs.length === 0 ? 'unknown' : pairs.every(([a, b]) => a?.value === b?.value) ? 'valid' : 'invalid';
          seen[expected]++;
          expect(checkConvergence(history).result).toBe(expected);
        }),
        trials(2_000),
      );
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
    },
    TIMEOUT_MS,
  );

  test('D6: a write of unknown outcome may explain a difference, until someone says that it cannot', () => {
    const history = recorded([0, 'write', 1], [1, 'write', 2, 'x', 'info'], [0, 'read', 1], [1, 'read', 2]);
    expect(checkConvergence(history)).toMatchObject({ result: 'unknown', violations: [] });
    expect(checkConvergence(history, { settled: true }).result).toBe('invalid');
    const both = recorded(
      [0, 'write', 1],
      [0, 'write', 3],
      [1, 'write', 2, 'x', 'info'],
      [0, 'read', 1],
      [1, 'read', 3],
    );
    expect(checkConvergence(both).result).toBe('invalid');
  });

  test('D5: without two readers after the last write nothing is known', () => {
    for (const history of [
      [],
      recorded([0, 'write', 1], [0, 'read', 1]),
      recorded([0, 'read', 1], [1, 'read', 1], [0, 'write', 2]),
    ]) {
      expect(checkConvergence(history)).toMatchObject({ result: 'unknown', keys: 0 });
    }
    expect(checkConvergence(recorded([0, 'read', null], [1, 'read', null]))).toMatchObject({ result: 'unknown' });
    const early = recorded([0, 'read', 1], [1, 'read', 2], [0, 'write', 2]);
    expect(checkConvergence(early, { quietFrom: 0 }).result).toBe('invalid');
  });
});

describe('replica states', () => {
  test('are compared key by key, and the difference is told by what is in it', () => {
    const { result, violations } = checkReplicaStates([
      {
        name: 'a',
        entries: [
          ['set', [1, 2, 3]],
          ['map', { x: 1 }],
          ['same', 7],
        ],
      },
      {
        name: 'b',
        entries: [
          ['same', 7],
          ['set', [1, 2, 3]],
          ['map', { x: 1 }],
        ],
      },
      {
        name: 'c',
        entries: [
          ['set', [1, 4]],
          ['map', { x: 2 }],
          ['same', 7],
        ],
      },
    ]);
    expect(result).toBe('invalid');
    expect(violations.map(({ sentence }) => sentence)).toEqual([
      'At "set", a, b have [1,2,3], but c has [1,4]: without 2, 3 and with 4 besides.',
      'At "map", a, b have {"x":1}, but c has {"x":2}: without ["x",1] and with ["x",2] besides.',
    ]);
    expect(
      checkReplicaStates([
        { name: 'a', entries: [['l', [1, 2]]] },
        { name: 'b', entries: [['l', [2, 1]]] },
      ]).violations[0]?.sentence,
    ).toContain('the same in another order');
  });

  test('a key that one replica lacks is a difference; objects are equal whatever the order of their members', () => {
    expect(
      checkReplicaStates([
        { name: 'a', entries: [['x', 1]] },
        { name: 'b', entries: [] },
      ]).violations[0]?.sentence,
    ).toBe('At "x", a has 1, but b has nothing.');
    const [one, two] = [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ];
    expect(
      checkReplicaStates([
        { name: 'a', entries: [['x', one]] },
        { name: 'b', entries: [['x', two]] },
      ]).result,
    ).toBe('valid');
  });

  test('D5: fewer than two replicas, or only empty ones, are unknown', () => {
    expect(checkReplicaStates([])).toMatchObject({ result: 'unknown' });
    expect(checkReplicaStates([{ name: 'a', entries: [['x', 1]] }])).toMatchObject({ result: 'unknown' });
    expect(
      checkReplicaStates([
        { name: 'a', entries: [] },
        { name: 'b', entries: [] },
      ]),
    ).toMatchObject({ result: 'unknown' });
  });
});
