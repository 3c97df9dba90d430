import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import { checkCausal } from '../causal/index.ts';
import { recorded, type Short, subsets, TIMEOUT_MS, trials } from '../recorded.test-support.ts';
import type { RecordedOperation } from '../recorded.ts';
import { checkSequential } from './index.ts';

/** Knows nothing of the checker: every choice of the unknown operations, every interleaving. */
function isSequential(history: readonly RecordedOperation[]): boolean {
  const must = history.filter(({ outcome }) => outcome === 'ok');
  const may = history.filter(({ outcome, f }) => outcome === 'info' && f !== 'read');
  return subsets(may).some((happened) => place([...must, ...happened], new Map()));
}

function place(rest: readonly RecordedOperation[], state: ReadonlyMap<string, unknown>): boolean {
  if (rest.length === 0) return true;
  return rest.some((next) => {
    const before = (other: RecordedOperation): boolean =>
      other.process === next.process && other.invokedAt < next.invokedAt && other.outcome === 'ok';
    if (rest.some(before)) return false;
    const value = state.get(next.key) ?? null;
    const others = rest.filter((other) => other !== next);
    if (next.f === 'read') return value === next.value && place(others, state);
    const [old, left] = next.f === 'cas' ? (next.value as unknown[]) : [value, next.value];
    return old === value && place(others, new Map(state).set(next.key, left));
  });
}

const steps = fc.record({
  process: fc.nat(2),
  f: fc.constantFrom('read', 'read', 'read', 'write', 'write', 'cas'),
  key: fc.constantFrom('x', 'x', 'y'),
  one: fc.nat(3),
  other: fc.nat(3),
  outcome: fc.constantFrom('ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'info', 'fail'),
});

const histories = fc.array(steps, { minLength: 2, maxLength: 7 }).map((all) =>
  recorded(
    ...all.map(({ process, f, key, one, other, outcome }): Short => {
      const value = (at: number): number | null => (at === 0 ? null : at);
      const argument = f === 'cas' ? [value(one), value(other)] : f === 'write' ? Math.max(1, one) : value(one);
      return [process, f, argument, key, outcome as 'ok'];
    }),
  ),
);

describe('sequential consistency', () => {
  test(
    'the answer is that of every interleaving, tried one by one',
    () => {
      const seen = { valid: 0, invalid: 0, unknown: 0 };
      fc.assert(
        fc.property(histories, (history) => {
          const { result, violations, order } = checkSequential(history);
          seen[result]++;
          expect(result === 'unknown').toBe(history.every(({ outcome }) => outcome !== 'ok'));
          if (result === 'unknown') return;
          expect(result, violations[0]?.sentence).toBe(isSequential(history) ? 'valid' : 'invalid');
          if (order !== null)
            expect(
              place(
                order.map((each, at) => ({ ...each, process: 0, invokedAt: at })),
                new Map(),
              ),
            ).toBe(true);
        }),
        trials(5_000),
      );
      expect(Math.min(seen.valid, seen.invalid)).toBeGreaterThan(300);
    },
    TIMEOUT_MS,
  );

  test('every history of two processes with two operations each, of two values at one key', () => {
    const kinds: Short[] = [null, 1, 2].map((value): Short => [0, 'read', value]);
    kinds.push(
      [0, 'write', 1],
      [0, 'write', 2],
      [0, 'write', 1, 'x', 'info'],
      [0, 'cas', [1, 2]],
      [0, 'cas', [2, 1], 'x', 'info'],
    );
    let count = 0;
    for (const a of kinds) {
      for (const b of kinds) {
        for (const c of kinds) {
          for (const d of kinds) {
            const history = recorded(...[a, b, c, d].map(([, ...rest], at): Short => [at >> 1, ...rest]));
            const { result } = checkSequential(history);
            if (result === 'unknown') continue;
            count++;
            expect(result, JSON.stringify(history)).toBe(isSequential(history) ? 'valid' : 'invalid');
          }
        }
      }
    }
    expect(count).toBeGreaterThan(3_000);
  });

  test(
    'what is sequentially consistent is causally consistent in all three ways',
    () => {
      fc.assert(
        fc.property(histories, (history) => {
          if (checkSequential(history).result !== 'valid') return;
          for (const model of ['CC', 'CCv', 'CM'] as const)
            expect(checkCausal(history, { model }).result).not.toBe('invalid');
        }),
        trials(1_500),
      );
    },
    TIMEOUT_MS,
  );

  test("Lamport: both processes enter, each having read the other's flag as unset", () => {
    const history = recorded(
      [0, 'write', 1, 'a'],
      [0, 'read', null, 'b'],
      [1, 'write', 1, 'b'],
      [1, 'read', null, 'a'],
    );
    const { result, violations } = checkSequential(history);
    expect(result).toBe('invalid');
    expect(violations[0]?.sentence).toContain('then none of these fits');
    expect(violations[0]?.stuck.length).toBeGreaterThan(0);
  });

  test('a stale read is fine, and so are two processes that see writes late; two that see them in two orders are not', () => {
    expect(checkSequential(recorded([0, 'write', 1], [1, 'read', null])).result).toBe('valid');
    const writes: Short[] = [
      [0, 'write', 1],
      [1, 'write', 2],
    ];
    expect(checkSequential(recorded(...writes, [2, 'read', 1], [2, 'read', 2], [3, 'read', 1])).result).toBe('valid');
    const orders = recorded(...writes, [2, 'read', 1], [2, 'read', 2], [3, 'read', 2], [3, 'read', 1]);
    expect(checkSequential(orders).result).toBe('invalid');
  });

  test('D6: an unknown write may come late, even after its own process has read that it is not there', () => {
    const history = recorded([0, 'write', 1, 'x', 'info'], [0, 'read', null], [1, 'read', 1], [0, 'read', 1]);
    expect(checkSequential(history).result).toBe('valid');
    expect(checkSequential(recorded([0, 'write', 1, 'x', 'fail'], [1, 'read', 1])).violations[0]?.sentence).toContain(
      'saw what no operation can have written',
    );
  });

  test('an unknown write that was spent too early is tried again where it is needed', () => {
    const history = recorded(
      [0, 'write', 1, 'x', 'info'],
      [1, 'read', 1],
      [2, 'write', 1],
      [2, 'write', 2],
      [2, 'read', 1],
    );
    expect(checkSequential(history).result).toBe('valid');
  });

  test('D5: nothing that succeeded is unknown, and so is a search that hits its bound', () => {
    expect(checkSequential([])).toMatchObject({ result: 'unknown', violations: [] });
    expect(checkSequential(recorded([0, 'write', 1, 'x', 'info']))).toMatchObject({ result: 'unknown' });
    const wide = recorded(
      ...[0, 1, 2, 3].flatMap((process): Short[] => [
        [process, 'write', 1],
        [process, 'read', 2],
        [process, 'write', 2],
      ]),
    );
    const verdict = checkSequential(wide, { maxStates: 2 });
    expect(verdict).toMatchObject({ result: 'unknown' });
    expect(verdict.reason).toContain('raise maxStates');
  });

  test('ten thousand operations on a store that answers late are placed without search', () => {
    let draws = 0;
    const pick = (bound: number): number => scaled(draw(1, 0, 0, draws++), bound);
    const log: (readonly [string, number])[] = [];
    const seen = [0, 0, 0, 0, 0];
    const operations = Array.from({ length: 10_000 }, (_, at): Short => {
      const process = pick(5);
      const key = `k${pick(3)}`;
      if (pick(3) === 0) {
        log.push([key, at]);
        seen[process] = log.length;
        return [process, 'write', at, key];
      }
      const from = seen[process] ?? 0;
      seen[process] = Math.min(log.length, from + pick(5));
      return [process, 'read', log.slice(0, seen[process]).findLast(([name]) => name === key)?.[1] ?? null, key];
    });
    expect(checkSequential(recorded(...operations))).toMatchObject({ result: 'valid' });
  });

  test('another function is refused', () => {
    expect(() => checkSequential(recorded([0, 'enqueue', 1]))).toThrow('this checker knows registers only');
  });
});
