import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkCausal } from '../causal/index.ts';
import { permutations, recorded, type Short, TIMEOUT_MS, trials } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';
import { checkSessions, type SessionGuarantee, type VersionedOperation } from './index.ts';

const GUARANTEES: readonly SessionGuarantee[] = [
  'read-your-writes',
  'monotonic-reads',
  'monotonic-writes',
  'writes-follow-reads',
];

/** The definitions, for one key, given which of two versions is newer: `place` is larger for a newer one. */
function hold(
  history: readonly RecordedOperation[],
  guarantees: readonly SessionGuarantee[],
  place: (operation: RecordedOperation, role: 'read' | 'write') => number,
): boolean {
  const does = ({ f }: RecordedOperation, role: 'read' | 'write'): boolean => f === role || f === 'cas';
  return history.every((second) =>
    history.every((first) => {
      if (first.process !== second.process || first.invokedAt >= second.invokedAt || first.outcome !== 'ok')
        return true;
      return guarantees.every((guarantee) => {
        const [before, after] = (
          {
            'read-your-writes': ['write', 'read'],
            'monotonic-reads': ['read', 'read'],
            'monotonic-writes': ['write', 'write'],
            'writes-follow-reads': ['read', 'write'],
          } as const
        )[guarantee];
        if (!does(first, before) || !does(second, after) || second.outcome === 'fail') return true;
        if (after === 'read' && second.outcome !== 'ok') return true;
        const [older, newer] = [place(first, before), place(second, after)];
        return after === 'write' ? older < newer : older <= newer;
      });
    }),
  );
}

/** Some order of the values that were written, nothing before them all, keeps the guarantees. */
function someOrderHolds(history: readonly RecordedOperation[], guarantees: readonly SessionGuarantee[]): boolean {
  const written = history
    .filter(({ f, outcome }) => f !== 'read' && outcome !== 'fail')
    .map(({ f, value }) => (f === 'cas' ? (value as unknown[])[1] : value));
  return permutations(written).some((order) => {
    const place = (value: unknown): number => (value === null ? -1 : order.indexOf(value));
    const swaps = history.filter(({ f, outcome }) => f === 'cas' && outcome === 'ok');
    if (swaps.some(({ value }) => place((value as unknown[])[0]) >= place((value as unknown[])[1]))) return false;
    return hold(history, guarantees, ({ f, value }, role) =>
      place(f === 'cas' ? (value as unknown[])[role === 'read' ? 0 : 1] : value),
    );
  });
}

const steps = fc.record({ process: fc.nat(2), f: fc.nat(7), pick: fc.nat(4), odd: fc.nat(9) });

const valueHistories = fc.array(steps, { minLength: 2, maxLength: 8 }).map((chosen) => {
  const writes = chosen.map(({ f }) => f >= 4);
  const written = chosen.flatMap(({ odd }, at) => (writes[at] === true && odd !== 0 ? [at + 1] : []));
  return recorded(
    ...chosen.map(({ process, f, pick, odd }, at): Short => {
      const values = [null, ...written];
      const value = values[pick % values.length];
      if (f < 4) return [process, 'read', value];
      const outcome = odd === 0 ? 'fail' : odd === 1 ? 'info' : 'ok';
      return f === 7 && outcome === 'ok' ? [process, 'cas', [value, at + 1]] : [process, 'write', at + 1, 'x', outcome];
    }),
  );
});

const versionHistories = fc
  .array(fc.record({ process: fc.nat(2), write: fc.boolean(), version: fc.nat(6), key: fc.nat(1) }), {
    minLength: 2,
    maxLength: 8,
  })
  .map((chosen): VersionedOperation[] =>
    recorded(
      ...chosen.map(({ process, write, version, key }): Short => {
        return [
          process,
          write ? 'write' : 'read',
          version === 0 && !write ? null : `v${version}`,
          ['x', 'y'][key] as string,
        ];
      }),
    ).map((operation, at) => {
      const version = chosen[at]?.version ?? 0;
      return version === 0 && operation.f === 'read' ? operation : { ...operation, version };
    }),
  );

describe('session guarantees against their definitions', () => {
  test(
    'values written once: each choice of guarantees holds if some order of the versions keeps them',
    () => {
      const seen = { valid: 0, invalid: 0, unknown: 0 };
      fc.assert(
        fc.property(valueHistories, fc.subarray([...GUARANTEES], { minLength: 1 }), (history, guarantees) => {
          const { result, violations } = checkSessions(history, { guarantees });
          seen[result]++;
          if (result === 'unknown') return;
          expect(result, violations[0]?.sentence).toBe(someOrderHolds(history, guarantees) ? 'valid' : 'invalid');
          for (const violation of violations) {
            for (const each of violation.guarantees) expect(guarantees).toContain(each);
            expect(someOrderHolds(history, violation.guarantees), violation.sentence).toBe(false);
          }
        }),
        trials(4_000),
      );
      expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(300);
    },
    TIMEOUT_MS,
  );

  test(
    'versions: each guarantee is broken exactly when a pair of its kind goes back',
    () => {
      fc.assert(
        fc.property(versionHistories, (history) => {
          const { result, violations } = checkSessions(history);
          const place = ({ version }: VersionedOperation): number => version ?? -1;
          const keys = ['x', 'y'].map((key) => history.filter((operation) => operation.key === key));
          // Without any version a key is judged by its values.
          const tagged = keys.filter((ofKey) => ofKey.some(({ version }) => version !== undefined));
          for (const guarantee of GUARANTEES) {
            const holds = tagged.every((ofKey) => hold(ofKey, [guarantee], place));
            expect(violations.some(({ guarantees }) => guarantees.includes(guarantee))).toBe(!holds);
          }
          if (violations.length > 0) expect(result).toBe('invalid');
          for (const {
            pairs: [pair],
          } of violations) {
            expect(pair?.first?.process).toBe(pair?.second.process);
            expect(pair?.first?.invokedAt).toBeLessThan(pair?.second.invokedAt ?? 0);
          }
        }),
        trials(4_000),
      );
    },
    TIMEOUT_MS,
  );
});

test(
  'what is causally convergent keeps all four guarantees',
  () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    const keys = fc.array(fc.nat(1), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(valueHistories, keys, (single, chosen) => {
        const history = single.map((operation, at) => ({ ...operation, key: `k${chosen[at] ?? 0}` }));
        const { result } = checkCausal(history, { model: 'CCv' });
        seen[result]++;
        if (result === 'valid') expect(checkSessions(history).result).toBe('valid');
      }),
      trials(2_000),
    );
    expect(seen.valid).toBeGreaterThan(100);
  },
  TIMEOUT_MS,
);

describe('Terry et al., each guarantee broken alone', () => {
  test.each<[SessionGuarantee, VersionedOperation[]]>([
    ['read-your-writes', recorded([0, 'write', 1], [0, 'read', null])],
    ['monotonic-reads', recorded([0, 'write', 1], [1, 'read', 1], [1, 'read', null])],
    ['monotonic-reads', recorded([0, 'write', 1], [2, 'write', 2], [1, 'read', 1], [1, 'read', 2], [1, 'read', 1])],
    ['writes-follow-reads', recorded([0, 'read', 1], [0, 'write', 2], [1, 'read', 2], [1, 'write', 1])],
  ])('%s', (guarantee, history) => {
    const { violations } = checkSessions(history);
    expect(violations.map(({ guarantees }) => guarantees)).toEqual([[guarantee]]);
    expect(violations[0]?.sentence).toMatch(new RegExp(`^${guarantee} is broken at "x".*event \\d`));
    for (const other of GUARANTEES.filter((each) => each !== guarantee)) {
      expect(checkSessions(history, { guarantees: [other] }).result).toBe('valid');
    }
  });

  test('monotonic-writes, by versions', () => {
    const [first, second, third] = recorded([0, 'write', 'a'], [0, 'write', 'b'], [1, 'read', 'a']) as [
      VersionedOperation,
      VersionedOperation,
      VersionedOperation,
    ];
    const history = [
      { ...first, version: 7 },
      { ...second, version: 4 },
      { ...third, version: 7 },
    ];
    expect(checkSessions(history).violations).toMatchObject([
      { guarantees: ['monotonic-writes'], pairs: [{ first: { version: 7 }, second: { version: 4 } }] },
    ]);
  });

  test('of values alone, two guarantees may be at odds without saying which is broken', () => {
    const { violations } = checkSessions(recorded([0, 'write', 1], [0, 'write', 2], [1, 'read', 2], [1, 'read', 1]));
    expect(violations).toMatchObject([{ guarantees: ['monotonic-reads', 'monotonic-writes'] }]);
    expect(violations[0]?.sentence).toContain('monotonic-reads and monotonic-writes cannot both hold at "x"');
  });
});

describe('what cannot be judged', () => {
  test('D5: nothing, and no read that succeeded, are unknown', () => {
    for (const history of [[], recorded([0, 'write', 1]), recorded([0, 'read', null, 'x', 'info'])]) {
      expect(checkSessions(history)).toMatchObject({ result: 'unknown', violations: [] });
    }
  });

  test('D6: an unknown write binds nothing after it; seen, it counts', () => {
    expect(checkSessions(recorded([0, 'write', 1, 'x', 'info'], [0, 'read', null], [0, 'read', 1])).result).toBe(
      'valid',
    );
    expect(checkSessions(recorded([0, 'write', 1, 'x', 'info'], [0, 'read', 1], [0, 'read', null])).result).toBe(
      'invalid',
    );
  });

  test('values written twice, and versions at some operations only, are unknown with the reason', () => {
    expect(checkSessions(recorded([0, 'write', 1], [1, 'write', 1], [0, 'read', 1])).reason).toContain(
      'write the same',
    );
    const [write, read] = recorded([0, 'write', 1], [0, 'read', 1]);
    const mixed = [{ ...write, version: 3 }, read] as VersionedOperation[];
    expect(checkSessions(mixed).reason).toContain('tag all or none');
  });

  test('with versions, values may repeat and deletes are fine', () => {
    const history = recorded([0, 'write', 1], [0, 'write', null], [0, 'write', 1], [0, 'read', 1]);
    const tagged = history.map((operation, at) => ({ ...operation, version: Math.min(at + 1, 3) }));
    expect(checkSessions(tagged).result).toBe('valid');
  });

  test('a read of what nobody wrote is named', () => {
    expect(checkSessions(recorded([0, 'read', 7])).violations[0]?.sentence).toContain('no operation can have written');
  });

  test('another function is refused', () => {
    expect(() => checkSessions(recorded([0, 'enqueue', 1]))).toThrow('use read, write or cas');
  });
});
