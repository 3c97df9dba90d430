import type { Operation } from '../operation.ts';
import {
  examples,
  type Findings,
  field,
  findings,
  isInteger,
  type Workload,
  type WorkloadOptions,
} from './workload.ts';

/** g-counter adds 0 to 9; pn-counter adds -5 to 4. */
export function counterWorkload({ stream }: WorkloadOptions, lowest: 0 | -5): Workload {
  return {
    session: (call) => ({
      perform: async ({ f, value }) => {
        if (f === 'read') return field(await call({ type: 'read' }), 'value', isInteger, 'an integer');
        await call({ type: 'add', delta: value });
        return null;
      },
    }),
    next: () => (stream.below(2) === 0 ? { f: 'read', value: null } : { f: 'add', value: lowest + stream.below(10) }),
    final: { f: 'read', value: null },
    check: checkCounter,
  };
}

/** Every final read is the sum of all acknowledged deltas and of any of those whose outcome is unknown. */
export function checkCounter(history: readonly Operation[]): Findings {
  const adds = history.filter(({ f }) => f === 'add');
  const acknowledged = adds.filter(({ outcome }) => outcome === 'ok').reduce((sum, add) => sum + Number(add.value), 0);
  // Deltas are one digit, so the sums stay few: at most ten a delta.
  let sums = new Set([acknowledged]);
  for (const { value } of adds.filter(({ outcome }) => outcome === 'info')) {
    sums = new Set([...sums].flatMap((sum) => [sum, sum + Number(value)]));
  }
  const finalReads = history.filter(({ f, outcome, final }) => f === 'read' && outcome === 'ok' && final);
  const wrong = finalReads.filter(({ result }) => !sums.has(Number(result)));
  const [least, most] = [Math.min(...sums), Math.max(...sums)];
  const expected = least === most ? `${least}` : `one of the ${sums.size} possible sums from ${least} to ${most}`;
  const violations = wrong.map(
    ({ node, result }) => `${node} reads ${String(result)} in the end; expected ${expected}`,
  );
  const doubts = finalReads.length === 0 ? ['no final read succeeded, so nobody knows what the sum became'] : [];
  return findings([...new Set(violations)].slice(0, 5), doubts, {
    acknowledgedSum: acknowledged,
    possibleSums: sums.size,
    finalReads: examples(finalReads.map(({ node, result }) => `${node}=${String(result)}`)),
  });
}
