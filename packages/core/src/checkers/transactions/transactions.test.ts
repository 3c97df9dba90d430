import { describe, expect, test } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import { recorded, runs } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';
import { checkTransactions, type TransactionModel } from './index.ts';
import { type Isolation, runTinyDatabase } from './tiny-database.test-support.ts';

function txns(...values: unknown[][]): RecordedOperation[] {
  return recorded(...values.map((value, process) => [process, 'txn', value, ''] as const));
}

function atOnce(...values: unknown[][]): RecordedOperation[] {
  return txns(...values).map((operation) => ({ ...operation, invokedAt: operation.process, completedAt: 100 }));
}

function anomaliesOf(history: readonly RecordedOperation[], model?: TransactionModel): string[] {
  return Object.keys(checkTransactions(history, model === undefined ? {} : { model }).anomalies).sort();
}

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

test('dirty writes without rollback show every anomaly that locks and snapshots are there to prevent', () => {
  const { anomalies } = survey('dirty-writes', 'serializable');
  const expected = ['G0', 'G1a', 'G1b', 'G1c', 'G-single', 'dirty-update', 'lost-update', 'internal'];
  expect(anomalies).toEqual(expect.arrayContaining(expected));
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
    expect(violation?.sentence).toContain('T1 appended 2 to "x" and T2 appended 5 after it');
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
