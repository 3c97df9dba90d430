import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import { recorded, runs, TIMEOUT_MS, trials } from '../recorded.test-support.ts';
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
  test(
    'a history that is called invalid has no serial order, and one that is fully observed and has none is called so',
    () => {
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
        trials(4_000),
      );
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
    },
    TIMEOUT_MS,
  );

  test(
    'the same in real time',
    () => {
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
        trials(4_000),
      );
      expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
    },
    TIMEOUT_MS,
  );
});

/** All ways to take some of the items in some order. */
function selections(items: readonly number[]): number[][] {
  return [
    [],
    ...items.flatMap((item) => selections(items.filter((other) => other !== item)).map((rest) => [item, ...rest])),
  ];
}

/** Every history of two transactions with two steps each on two keys, the second of known or unknown outcome. */
function* allHistories(): Generator<RecordedOperation[]> {
  for (let shape = 0; shape < 256; shape++) {
    const steps = [0, 1, 2, 3].map((at) => ({
      at,
      key: (shape >> (2 * at)) & 1,
      append: ((shape >> (2 * at + 1)) & 1) === 1,
    }));
    for (const outcome of ['ok', 'info'] as const) {
      let all: unknown[][] = [[]];
      for (const { at, key, append } of steps) {
        const appends = steps.filter((step) => step.append && step.key === key).map((step) => step.at);
        const lists = append || (outcome === 'info' && at > 1) ? [null] : selections(appends);
        all = all.flatMap((start) =>
          lists.map((list) => [...start, append ? ['append', KEYS[key], at] : ['r', KEYS[key], list]]),
        );
      }
      for (const value of all) {
        yield recorded([0, 'txn', value.slice(0, 2), ''], [1, 'txn', value.slice(2), '', outcome]);
      }
    }
  }
}

test('every history of two transactions with two steps each is judged as by brute force', () => {
  const seen = { valid: 0, invalid: 0, unknown: 0 };
  for (const history of allHistories()) {
    for (const strict of [false, true]) {
      const { result } = checkTransactions(history, { model: strict ? 'strict-serializable' : 'serializable' });
      seen[result]++;
      if (result === 'unknown') continue;
      const context = JSON.stringify(history.map(({ value }) => value));
      if (result === 'invalid') expect(isSerializable(history, strict), context).toBe(false);
      else if (isObserved(history)) expect(isSerializable(history, strict), context).toBe(true);
    }
  }
  expect(seen.valid).toBeGreaterThan(500);
  expect(seen.invalid).toBeGreaterThan(2_000);
});

/** Registers with values written once, whose reads return anything that was written or nothing. */
const registerHistories = fc
  .array(
    fc.record({
      steps: fc.array(fc.record({ key: fc.nat(1), write: fc.boolean(), pick: fc.nat(5) }), {
        minLength: 1,
        maxLength: 3,
      }),
      outcome: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'info', 'fail'),
      begins: fc.nat(9),
      lasts: fc.integer({ min: 1, max: 5 }),
    }),
    { minLength: 2, maxLength: 4 },
  )
  .map((shapes): RecordedOperation[] => {
    const written: number[][] = [[], []];
    let next = 1;
    const planned = shapes.map((shape) => {
      const steps = shape.steps.map((step) => ({ ...step, value: step.write ? next++ : 0 }));
      for (const { key, write, value } of steps) if (write && shape.outcome !== 'fail') written[key]?.push(value);
      return { ...shape, steps };
    });
    return planned.map(({ steps, outcome, begins, lasts }, process) => {
      const value = steps.map(({ key, write, value: own, pick }) => {
        if (write) return ['w', KEYS[key], own];
        const all = [null, ...(written[key] ?? [])];
        return ['r', KEYS[key], outcome === 'ok' ? all[pick % all.length] : null];
      });
      const completedAt = outcome === 'info' ? Number.POSITIVE_INFINITY : begins + lasts;
      return { process, f: 'txn', key: '', value, outcome: outcome as 'ok', invokedAt: begins, completedAt };
    });
  });

describe('registers against brute force', () => {
  test.each([false, true])(
    'what is called invalid has no serial order (strict: %s)',
    (strict) => {
      const seen = { valid: 0, invalid: 0, unknown: 0, missed: 0 };
      fc.assert(
        fc.property(registerHistories, (history) => {
          const model = strict ? 'strict-serializable' : 'serializable';
          const verdict = checkTransactions(history, { model });
          seen[verdict.result]++;
          if (verdict.result === 'unknown') return;
          const serializable = isSerializable(history, strict);
          if (verdict.result === 'invalid') expect(serializable, verdict.violations[0]?.sentence).toBe(false);
          else if (!serializable) seen.missed++;
        }),
        trials(4_000),
      );
      expect(Math.min(seen.valid, seen.invalid, seen.unknown)).toBeGreaterThan(100);
      // What is missed hangs on the order of writes that nobody read before overwriting them.
      expect(seen.missed).toBeLessThan(seen.invalid / 4);
    },
    TIMEOUT_MS,
  );
});

const RUN = { clients: 4, transactions: 24, keys: 3, fail: 10, info: 10 };

/** Every anomaly that a tiny database of the isolation shows over many runs, judged by a model. */
function survey(isolation: Isolation, model: TransactionModel, type: 'list-append' | 'register' = 'list-append') {
  const results = { valid: 0, invalid: 0, unknown: 0 };
  const anomalies = new Set<string>();
  for (let seed = 0; seed < runs(800) / 4; seed++) {
    let draws = 0;
    const pick = (bound: number): number => scaled(draw(seed, 0, 0, draws++), bound);
    const verdict = checkTransactions(runTinyDatabase({ ...RUN, isolation, type }, pick), { model });
    results[verdict.result]++;
    for (const anomaly of Object.keys(verdict.anomalies)) anomalies.add(anomaly);
  }
  return { results, anomalies: [...anomalies].sort() };
}

describe.each(['list-append', 'register'] as const)(
  'tiny databases, %s: histories are classified as the theory says',
  (type) => {
    test('one transaction at a time shows nothing, in real time neither', () => {
      expect(survey('serial', 'strict-serializable', type)).toMatchObject({ results: { invalid: 0 }, anomalies: [] });
    });

    test('stale read-only transactions are serializable, but not in real time', () => {
      expect(survey('stale-reads', 'serializable', type)).toMatchObject({ results: { invalid: 0 }, anomalies: [] });
      const { results, anomalies } = survey('stale-reads', 'strict-serializable', type);
      expect(results.invalid).toBeGreaterThan(10);
      expect(anomalies.every((anomaly) => anomaly.endsWith('-realtime'))).toBe(true);
      expect(survey('stale-reads', 'strong-session-serializable', type).results.invalid).toBeGreaterThan(10);
    });

    test('reads that are never older than what the session saw keep the order of each process, not real time', () => {
      expect(survey('session-reads', 'strong-session-serializable', type)).toMatchObject({ results: { invalid: 0 } });
      expect(survey('session-reads', 'strict-serializable', type).results.invalid).toBeGreaterThan(10);
    });

    test('snapshot isolation shows write skew (G2-item), never read skew (G-single) or anything worse', () => {
      const { results, anomalies } = survey('snapshot-isolation', 'serializable', type);
      expect(results.invalid).toBeGreaterThan(10);
      expect(anomalies).toEqual(['G2-item']);
      expect(survey('snapshot-isolation', 'snapshot-isolation', type).results.invalid).toBe(0);
    });

    test('read committed shows lost updates and read skew, never a dirty read or a cycle without anti-dependency', () => {
      const { anomalies } = survey('read-committed', 'serializable', type);
      expect(anomalies).toEqual(expect.arrayContaining(['G-single', 'internal', 'lost-update']));
      for (const worse of ['G0', 'G1a', 'G1b', 'G1c', 'dirty-update']) expect(anomalies).not.toContain(worse);
      expect(survey('read-committed', 'read-committed', type).results.invalid).toBe(0);
      expect(survey('read-committed', 'snapshot-isolation', type).results.invalid).toBeGreaterThan(10);
    });
  },
);

test('dirty writes without rollback show every anomaly of Adya there is', () => {
  const { anomalies } = survey('dirty-writes', 'serializable');
  const expected = ['G0', 'G1a', 'G1b', 'G1c', 'G-single', 'G2-item', 'dirty-update', 'lost-update', 'internal'];
  expect(anomalies).toEqual(expect.arrayContaining(expected.filter((anomaly) => anomaly !== 'G2-item')));
});

describe('examples from the literature', () => {
  test('Adya, H_wcycle: two transactions that overwrite each other are G0', () => {
    const history = txns(
      [
        ['append', 'x', 2],
        ['append', 'y', 8],
      ],
      [
        ['append', 'x', 5],
        ['append', 'y', 5],
      ],
      [
        ['r', 'x', [2, 5]],
        ['r', 'y', [5, 8]],
      ],
    );
    expect(anomaliesOf(history)).toContain('G0');
    const violation = checkTransactions(history, { model: 'read-uncommitted' }).violations[0];
    expect(violation).toMatchObject({ anomaly: 'G0', cycle: [{ type: 'ww' }, { type: 'ww' }] });
    expect(violation?.sentence).toContain('T1 wrote'.replace('wrote', 'appended'));
  });

  test('Adya, G1a: a read of a transaction that aborted', () => {
    const history = recorded([0, 'txn', [['w', 'x', 10]], '', 'fail'], [1, 'txn', [['r', 'x', 10]], '']);
    expect(anomaliesOf(history)).toEqual(['G1a']);
  });

  test('Adya, G1b: a read of what its writer overwrote before committing', () => {
    expect(
      anomaliesOf(
        txns(
          [
            ['w', 'x', 1],
            ['w', 'x', 2],
          ],
          [['r', 'x', 1]],
        ),
      ),
    ).toContain('G1b');
    expect(
      anomaliesOf(
        txns(
          [
            ['append', 'x', 1],
            ['append', 'x', 2],
          ],
          [['r', 'x', [1]]],
        ),
      ),
    ).toContain('G1b');
  });

  test('Adya, H_1c: two transactions that read each other are G1c', () => {
    const history = atOnce(
      [
        ['w', 'x', 1],
        ['r', 'y', 2],
      ],
      [
        ['w', 'y', 2],
        ['r', 'x', 1],
      ],
    );
    expect(anomaliesOf(history)).toEqual(['G1c']);
  });

  test('Adya, H_1 and H_2: seeing x before and y after a transfer is read skew', () => {
    const h1 = txns(
      [
        ['w', 'x', 5],
        ['w', 'y', 5],
      ],
      [
        ['r', 'x', 5],
        ['w', 'x', 1],
        ['r', 'y', 5],
        ['w', 'y', 9],
      ],
      [
        ['r', 'x', 1],
        ['r', 'y', 5],
      ],
    );
    const h2 = txns(
      [
        ['w', 'x', 5],
        ['w', 'y', 5],
      ],
      [
        ['r', 'x', 5],
        ['w', 'x', 1],
        ['r', 'y', 5],
        ['w', 'y', 9],
      ],
      [
        ['r', 'x', 5],
        ['r', 'y', 9],
      ],
    );
    for (const history of [h1, h2]) {
      expect(anomaliesOf(history)).toEqual(['G-single']);
      expect(checkTransactions(history, { model: 'read-committed' })).toMatchObject({ result: 'valid' });
      expect(checkTransactions(history, { model: 'snapshot-isolation' })).toMatchObject({ result: 'invalid' });
    }
  });

  test('Berenson et al., H4: two withdrawals from one balance are a lost update', () => {
    const history = atOnce(
      [['w', 'x', 100]],
      [
        ['r', 'x', 100],
        ['w', 'x', 130],
      ],
      [
        ['r', 'x', 100],
        ['w', 'x', 120],
      ],
    );
    expect(anomaliesOf(history)).toContain('lost-update');
  });

  test('Berenson et al., H5: each checks both accounts and draws from the other: write skew, which snapshots allow', () => {
    const history = atOnce(
      [
        ['w', 'x', 50],
        ['w', 'y', 50],
      ],
      [
        ['r', 'x', 50],
        ['r', 'y', 50],
        ['w', 'y', -40],
      ],
      [
        ['r', 'x', 50],
        ['r', 'y', 50],
        ['w', 'x', -40],
      ],
    );
    const verdict = checkTransactions(history);
    expect(verdict.violations).toMatchObject([{ anomaly: 'G2-item', cycle: [{ type: 'rw' }, { type: 'rw' }] }]);
    expect(checkTransactions(history, { model: 'snapshot-isolation' })).toMatchObject({
      result: 'valid',
      tolerated: [{ anomaly: 'G2-item' }],
    });
  });

  test('Elle, section 6.1 (TiDB): an append that missed another one which came first is read skew', () => {
    const history = atOnce(
      [
        ['append', 34, 2],
        ['append', 34, 1],
      ],
      [
        ['r', 34, [2, 1]],
        ['append', 36, 5],
        ['append', 34, 4],
      ],
      [['append', 34, 5]],
      [['r', 34, [2, 1, 5, 4]]],
    );
    expect(anomaliesOf(history)).toEqual(['G-single']);
    expect(
      checkTransactions(history)
        .violations[0]?.cycle.map(({ type }) => type)
        .sort(),
    ).toEqual(['rw', 'ww']);
  });

  test('Cerone and Gotsman: a long fork is no snapshot, though no two transactions contradict each other', () => {
    const history = atOnce(
      [['append', 'x', 1]],
      [['append', 'y', 2]],
      [
        ['r', 'x', [1]],
        ['r', 'y', []],
      ],
      [
        ['r', 'x', []],
        ['r', 'y', [2]],
      ],
    );
    expect(anomaliesOf(history)).toEqual(['G-nonadjacent']);
    expect(checkTransactions(history, { model: 'snapshot-isolation' }).result).toBe('invalid');
  });
});

describe('what else can be wrong', () => {
  test("a list that shows one append twice, or nobody's, or two orders", () => {
    expect(anomaliesOf(txns([['append', 'x', 1]], [['r', 'x', [1, 1]]]))).toContain('duplicate-elements');
    expect(anomaliesOf(txns([['append', 'x', 1]], [['r', 'x', [7]]]))).toContain('thin-air-read');
    const orders = txns([['append', 'x', 1]], [['append', 'x', 2]], [['r', 'x', [1, 2]]], [['r', 'x', [2, 1]]]);
    expect(anomaliesOf(orders)).toContain('incompatible-order');
  });

  test('a transaction that does not see its own writes is internally inconsistent', () => {
    expect(
      anomaliesOf(
        txns([
          ['append', 'x', 1],
          ['r', 'x', []],
        ]),
      ),
    ).toEqual(['internal']);
    expect(
      anomaliesOf(
        txns([
          ['w', 'x', 1],
          ['r', 'x', null],
        ]),
      ),
    ).toEqual(['internal']);
  });

  test('a transaction that reads what it writes only later is internally inconsistent', () => {
    expect(
      anomaliesOf(
        txns([
          ['r', 'x', [1]],
          ['append', 'x', 1],
        ]),
      ),
    ).toEqual(['internal']);
    expect(
      anomaliesOf(
        txns([
          ['r', 'x', 1],
          ['w', 'x', 1],
        ]),
      ),
    ).toEqual(['internal']);
  });

  test('an append that failed and is seen all the same hides no dependency on what follows it', () => {
    const history = recorded(
      [0, 'txn', [['append', 'x', 1]], '', 'fail'],
      [
        1,
        'txn',
        [
          ['append', 'x', 2],
          ['append', 'y', 3],
        ],
        '',
      ],
      [
        2,
        'txn',
        [
          ['r', 'x', []],
          ['r', 'y', [3]],
        ],
        '',
      ],
      [3, 'txn', [['r', 'x', [1, 2]]], ''],
    );
    expect(anomaliesOf(history)).toContain('G-single');
  });

  test('an append that no read shows comes after all that reads show', () => {
    const history = txns(
      [
        ['append', 'x', 1],
        ['r', 'y', [2]],
      ],
      [
        ['append', 'x', 3],
        ['append', 'y', 2],
      ],
      [['r', 'x', [1]]],
    );
    expect(anomaliesOf(history)).toContain('G1c');
  });

  test('a long fork is found among write skews too', () => {
    const history = atOnce(
      [['append', 'x', 1]],
      [['append', 'y', 2]],
      [
        ['r', 'x', [1]],
        ['r', 'y', []],
        ['r', 'z', []],
        ['append', 'w', 5],
      ],
      [
        ['r', 'x', []],
        ['r', 'y', [2]],
      ],
      [
        ['r', 'w', []],
        ['append', 'z', 6],
      ],
    );
    expect(checkTransactions(history, { model: 'snapshot-isolation' }).violations).toMatchObject([
      { anomaly: 'G-nonadjacent' },
    ]);
  });

  test('an append behind one that failed is a dirty update', () => {
    const history = recorded(
      [0, 'txn', [['append', 'x', 1]], '', 'fail'],
      [1, 'txn', [['append', 'x', 2]], ''],
      [2, 'txn', [['r', 'x', [1, 2]]], ''],
    );
    expect(anomaliesOf(history, 'read-uncommitted')).toEqual(['G1a', 'dirty-update']);
  });

  test('a read that misses what was committed before it began is allowed, unless real time counts', () => {
    const history = txns([['append', 'x', 1]], [['r', 'x', []]]);
    expect(checkTransactions(history).result).toBe('valid');
    const verdict = checkTransactions(history, { model: 'strict-serializable' });
    expect(verdict.violations).toMatchObject([
      { anomaly: 'G-single-realtime', cycle: [{ type: 'rw' }, { type: 'realtime' }] },
    ]);
    expect(verdict.violations[0]?.sentence).toContain('was over (event 1) when T1 began (event 2)');
  });

  test('D6: an unknown transaction may have happened, later or never, and happened if anyone saw it', () => {
    const unseen = recorded([0, 'txn', [['append', 'x', 1]], '', 'info'], [1, 'txn', [['r', 'x', []]], '']);
    expect(checkTransactions(unseen, { model: 'strict-serializable' }).result).toBe('valid');
    const late = recorded(
      [0, 'txn', [['append', 'x', 1]], '', 'info'],
      [1, 'txn', [['r', 'x', []]], ''],
      [1, 'txn', [['r', 'x', [1]]], ''],
    );
    expect(checkTransactions(late, { model: 'strict-serializable' }).result).toBe('valid');
    const half = recorded(
      [
        0,
        'txn',
        [
          ['append', 'x', 1],
          ['append', 'y', 2],
        ],
        '',
        'info',
      ],
      [
        1,
        'txn',
        [
          ['r', 'x', [1]],
          ['r', 'y', []],
        ],
        '',
      ],
    );
    expect(checkTransactions(half)).toMatchObject({ result: 'invalid', anomalies: { 'G-single': 1 } });
  });

  test('D5: nothing, or nothing that succeeded, or nothing that was read, is unknown and not valid', () => {
    for (const history of [
      [],
      recorded([0, 'txn', [['append', 'x', 1]], '', 'info']),
      recorded([0, 'txn', [['r', 'x', null]], '', 'fail']),
      txns([['append', 'x', 1]], [['append', 'x', 2]]),
    ]) {
      expect(checkTransactions(history)).toMatchObject({ result: 'unknown', violations: [] });
    }
  });

  test('a search that is cut short calls no history valid in which it found cycles', () => {
    const skew = atOnce(
      [
        ['r', 'x', []],
        ['append', 'y', 1],
      ],
      [
        ['r', 'y', []],
        ['append', 'x', 2],
      ],
      [['r', 'x', [2]]],
    );
    expect(checkTransactions(skew, { model: 'snapshot-isolation' }).result).toBe('valid');
    const cut = checkTransactions(skew, { model: 'snapshot-isolation', maxVisits: 1 });
    expect(cut).toMatchObject({ result: 'unknown', tolerated: [{ anomaly: 'G2-item' }] });
    expect(cut.reason).toContain('raise maxVisits');
    expect(checkTransactions(skew, { maxVisits: 1 })).toMatchObject({ result: 'invalid' });
  });

  test('a value that is written twice makes the verdict unknown, with the reason', () => {
    const verdict = checkTransactions(txns([['append', 'x', 1]], [['append', 'x', 1]], [['r', 'x', [1]]]));
    expect(verdict.result).toBe('unknown');
    expect(verdict.reason).toContain('1 at "x" is written more than once');
  });

  test('a transaction that is no list of steps is refused with what to write instead', () => {
    expect(() => checkTransactions(recorded([0, 'txn', { x: 1 }, '']))).toThrow('is a txn without a list');
    expect(() => checkTransactions(txns([['cas', 'x', 1]]))).toThrow('has the step ["cas","x",1]');
    expect(() =>
      checkTransactions(
        txns([
          ['append', 'x', 1],
          ['w', 'x', 1],
        ]),
      ),
    ).toThrow('mixes append with w');
  });

  test('a verdict names keys and values of any JSON, and cuts long lists', () => {
    const long = Array.from({ length: 40 }, (_, at) => at);
    const history = txns(
      long.map((at) => ['append', ['a', 1], { at }]),
      [['r', ['a', 1], long.map((at) => ({ at }))]],
    );
    expect(checkTransactions(history).result).toBe('valid');
    const torn = txns(
      long.map((at) => ['append', 7, at]),
      [['r', 7, long.slice(0, 30)]],
    );
    expect(checkTransactions(torn).violations[0]?.sentence).toContain('[(18 more), 18, 19');
  });
});
