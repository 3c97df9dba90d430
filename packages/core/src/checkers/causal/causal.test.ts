import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import { recorded, runs, type Short, TIMEOUT_MS, trials } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';
import { isCausal } from './brute-force.test-support.ts';
import { type CausalModel, checkCausal } from './index.ts';

const MODELS: readonly CausalModel[] = ['CC', 'CCv', 'CM'];

/** Sessions as the paper draws them: `w x 1` and `r x 1`, where 0 is the initial value. */
function sessions(...lines: string[]): RecordedOperation[] {
  const operations = lines.flatMap((line, process) =>
    line.split(', ').map((step): Short => {
      const [f, key, value] = step.split(' ');
      return [process, f === 'w' ? 'write' : 'read', value === '0' ? null : Number(value), key as string];
    }),
  );
  return recorded(...operations);
}

function verdicts(history: readonly RecordedOperation[]): string {
  return MODELS.filter((model) => checkCausal(history, { model }).result === 'valid').join(' ');
}

describe('Bouajjani et al., figure 2', () => {
  test('(a) CM but not CCv', () => {
    expect(verdicts(sessions('w x 1, r x 2', 'w x 2, r x 1'))).toBe('CC CM');
  });

  test('(b) CCv but not CM', () => {
    expect(verdicts(sessions('w z 1, w x 1, w y 1', 'w x 2, r z 0, r y 1, r x 2'))).toBe('CC CCv');
  });

  test('(c) CC but neither CM nor CCv', () => {
    expect(verdicts(sessions('w x 1', 'w x 2, r x 1, r x 2'))).toBe('CC');
  });

  test('(d) all three, though not sequentially consistent', () => {
    expect(verdicts(sessions('w x 1, r y 0, w y 1, r x 1', 'w x 2, r y 0, w y 2, r x 2'))).toBe('CC CCv CM');
  });

  test('(e) none', () => {
    expect(verdicts(sessions('w x 1, w y 1', 'r y 1, w x 2', 'r x 2, r x 1'))).toBe('');
  });
});

describe('bad patterns', () => {
  test.each<[string, CausalModel, RecordedOperation[]]>([
    ['CyclicCO', 'CC', sessions('r x 1, w y 1', 'r y 1, w x 1')],
    ['WriteCOInitRead', 'CC', sessions('w x 1, w y 1', 'r y 1, r x 0')],
    ['ThinAirRead', 'CC', sessions('r x 7')],
    ['WriteCORead', 'CC', sessions('w x 1, w x 2', 'r x 2, r x 1')],
    ['CyclicCF', 'CCv', sessions('w x 1, r x 2', 'w x 2, r x 1')],
    ['WriteHBInitRead', 'CM', sessions('w z 1, w x 1, w y 1', 'w x 2, r z 0, r y 1, r x 2')],
    ['CyclicHB', 'CM', sessions('w x 1', 'w x 2, r x 1, r x 2')],
  ])('%s is named, with its operations, in a sentence', (pattern, model, history) => {
    const [violation, ...others] = checkCausal(history, { model }).violations;
    expect(others).toEqual([]);
    expect(violation?.pattern).toBe(pattern);
    expect(violation?.operations.length).toBeGreaterThan(0);
    expect(violation?.sentence).toMatch(/^[A-Z].*event \d+.*\.$/);
  });

  test('a stale read says by which way the reader knew better', () => {
    const history = sessions('w x 1, w x 2, w y 1', 'r y 1, w z 1', 'r z 1, r x 1');
    expect(checkCausal(history).violations[0]?.sentence).toBe(
      'Process 2\'s read of 1 at "x" (event 12) is stale: the read comes causally after process 0\'s write of 2 at "x" ' +
        '(event 2): then process 0 did its write of 1 at "y" (event 4); process 1 read that (event 6); then process 1 ' +
        'did its write of 1 at "z" (event 8); process 2 read that (event 10); then process 2 did its read of 1 at "x" ' +
        '(event 12). And that write itself comes causally after process 0\'s write of 1 at "x" (event 0): then process ' +
        '0 did its write of 2 at "x" (event 2).',
    );
  });
});

const steps = fc.record({ process: fc.nat(2), write: fc.boolean(), key: fc.nat(1), pick: fc.nat(5), odd: fc.nat(15) });

/** Short histories whose reads return anything that is written; some writes are unknown or fail. */
function histories(length: number): fc.Arbitrary<RecordedOperation[]> {
  return fc.array(steps, { minLength: 2, maxLength: length }).map((chosen) => {
    const written: number[][] = [[], []];
    for (const [at, { write, key, odd }] of chosen.entries()) if (write && odd !== 1) written[key]?.push(at + 1);
    return recorded(
      ...chosen.map(({ process, write, key, pick, odd }, at): Short => {
        const name = ['x', 'y'][key] as string;
        if (write) return [process, 'write', at + 1, name, odd === 0 || odd === 2 ? 'info' : odd === 1 ? 'fail' : 'ok'];
        const values = [null, ...(written[key] ?? [])];
        return [process, 'read', values[pick % values.length], name];
      }),
    );
  });
}

describe('against the definitions', () => {
  test.each(MODELS)(
    '%s: the bad patterns and a search through all causal orders agree',
    (model) => {
      const seen = { valid: 0, invalid: 0, unknown: 0 };
      fc.assert(
        fc.property(histories(5), (history) => {
          const { result, violations } = checkCausal(history, { model });
          seen[result]++;
          if (result === 'unknown') return;
          expect(result, violations[0]?.sentence).toBe(isCausal(history, model) ? 'valid' : 'invalid');
        }),
        trials(1_200),
      );
      expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(50);
    },
    TIMEOUT_MS,
  );

  test.each(MODELS)('%s: every history of two sessions with up to two operations of one key, and of 1 + 3', (model) => {
    let count = 0;
    for (const shape of [
      [0, 1],
      [0, 0, 1],
      [0, 0, 1, 1],
      [0, 1, 1, 1],
    ]) {
      for (const history of allHistories(shape)) {
        const { result } = checkCausal(history, { model });
        if (result === 'unknown') continue;
        count++;
        expect(result, JSON.stringify(history)).toBe(isCausal(history, model) ? 'valid' : 'invalid');
      }
    }
    expect(count).toBeGreaterThan(200);
  });
});

function allHistories(shape: readonly number[]): RecordedOperation[][] {
  let all: Short[][] = [[]];
  for (const [at, process] of shape.entries()) {
    all = all.flatMap((start) => {
      const reads = [null, ...shape.map((_, other) => other + 1)].map((value): Short[] => [
        ...start,
        [process, 'read', value],
      ]);
      return [...reads, [...start, [process, 'write', at + 1]]];
    });
  }
  return all.map((short) => recorded(...short));
}

/** Replicas that deliver each other's writes in causal order; `lastWins`: by one clock, else in order of arrival. */
function runReplicas(seed: number, lastWins: boolean, operations: number): RecordedOperation[] {
  let draws = 0;
  const pick = (bound: number): number => scaled(draw(seed, 0, 0, draws++), bound);
  const count = 3;
  type Write = { key: string; value: number; from: number; number: number; after: number[]; stamp: number };
  const replicas = Array.from({ length: count }, () => {
    return { seen: new Array<number>(count).fill(0), state: new Map<string, Write>(), clock: 0 };
  });
  const sent: Write[] = [];
  const history: Short[] = [];
  const apply = (to: number, write: Write): void => {
    const replica = replicas[to] as (typeof replicas)[number];
    replica.seen[write.from] = write.number;
    replica.clock = Math.max(replica.clock, write.stamp);
    const old = replica.state.get(write.key);
    const older = old === undefined || old.stamp < write.stamp || (old.stamp === write.stamp && old.from < write.from);
    if (!lastWins || older) replica.state.set(write.key, write);
  };
  for (let at = 1; at <= operations; at++) {
    const process = pick(count);
    const replica = replicas[process] as (typeof replicas)[number];
    for (let tries = pick(4); tries > 0; tries--) {
      const ready = sent.filter(({ from, number, after }) => {
        return (
          number === (replica.seen[from] ?? 0) + 1 &&
          after.every((seen, other) => other === from || seen <= (replica.seen[other] ?? 0))
        );
      });
      const write = ready[pick(Math.max(1, ready.length))];
      if (write !== undefined) apply(process, write);
    }
    const key = `k${pick(2)}`;
    if (pick(2) === 0) {
      history.push([process, 'read', replica.state.get(key)?.value ?? null, key]);
      continue;
    }
    const number = (replica.seen[process] ?? 0) + 1;
    const write = { key, value: at, from: process, number, after: [...replica.seen], stamp: replica.clock + 1 };
    sent.push(write);
    apply(process, write);
    history.push([process, 'write', at, key]);
  }
  return recorded(...history);
}

describe('stores', () => {
  test(
    'causal delivery is causal memory; with one order of writes it is convergent',
    () => {
      let onlyOne = 0;
      for (let seed = 0; seed < runs(120); seed++) {
        const arrival = runReplicas(seed, false, 60);
        expect(checkCausal(arrival, { model: 'CM' }).result, `seed ${seed}`).toBe('valid');
        expect(checkCausal(runReplicas(seed, true, 60), { model: 'CCv' }).result, `seed ${seed}`).toBe('valid');
        if (checkCausal(arrival, { model: 'CCv' }).result === 'invalid') onlyOne++;
      }
      expect(onlyOne).toBeGreaterThan(20);
    },
    TIMEOUT_MS,
  );
});

describe('what cannot be judged', () => {
  test('D5: nothing, nothing that succeeded, and no reads are unknown', () => {
    for (const history of [[], recorded([0, 'write', 1, 'x', 'info']), recorded([0, 'write', 1])]) {
      expect(checkCausal(history)).toMatchObject({ result: 'unknown', violations: [] });
    }
  });

  test('a value that is written twice, or is null, makes the verdict unknown, with the reason', () => {
    const twice = checkCausal(recorded([0, 'write', 1], [1, 'write', 1], [1, 'read', 1]));
    expect(twice).toMatchObject({ result: 'unknown' });
    expect(twice.reason).toContain('write the same');
    expect(checkCausal(recorded([0, 'write', null], [1, 'read', null])).reason).toContain('the initial value');
  });

  test('a history too large for its bound is unknown', () => {
    const verdict = checkCausal(sessions('w x 1', 'r x 1'), { maxCells: 3 });
    expect(verdict).toMatchObject({ result: 'unknown' });
    expect(verdict.reason).toContain('raise maxCells');
  });

  test('D6: an unknown write may be seen late, by others before its own process, or never', () => {
    const late = recorded(
      [0, 'write', 1, 'x', 'info'],
      [0, 'read', null],
      [1, 'read', 1],
      [0, 'read', null],
      [0, 'read', 1],
    );
    for (const model of MODELS) expect(checkCausal(late, { model }).result).toBe('valid');
    const back = recorded([0, 'write', 1, 'x', 'info'], [1, 'read', 1], [1, 'read', null]);
    for (const model of MODELS) expect(checkCausal(back, { model }).result).toBe('invalid');
  });

  test('a read of a write that failed comes out of thin air', () => {
    const history = recorded([0, 'write', 1, 'x', 'fail'], [1, 'read', 1]);
    expect(checkCausal(history).violations[0]?.sentence).toContain('the only operation to write that had failed');
  });

  test('a cas is a read and then a write; an unknown one that was seen has read too', () => {
    expect(checkCausal(recorded([0, 'cas', [null, 1]], [1, 'cas', [1, 2], 'x', 'info'], [2, 'read', 2])).result).toBe(
      'valid',
    );
    expect(
      checkCausal(recorded([0, 'cas', [null, 1]], [1, 'cas', [1, 2], 'x', 'info'], [2, 'read', 2], [2, 'read', 1]))
        .result,
    ).toBe('invalid');
    expect(checkCausal(recorded([1, 'cas', [7, 2], 'x', 'info'], [2, 'read', 2])).violations[0]?.pattern).toBe(
      'ThinAirRead',
    );
    expect(checkCausal(recorded([1, 'cas', [7, 2], 'x', 'info'], [2, 'read', null])).result).toBe('valid');
  });

  test('another function is refused', () => {
    expect(() => checkCausal(recorded([0, 'enqueue', 1]))).toThrow('this checker knows read, write and cas');
  });
});
