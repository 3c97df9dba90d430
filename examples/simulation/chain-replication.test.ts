import { unseen } from '@polder/core/simulation';
import { describe, expect, it } from 'vitest';
import { chainReplication, type Mistake } from './chain-replication.ts';

const TWO_WRITES = [
  { f: 'write', key: 'x', value: 1 },
  { f: 'write', key: 'x', value: 2 },
];

describe('chain replication', () => {
  it('is linearizable under faults, and every update reaches the tail once they end', () => {
    const report = chainReplication().run({ seeds: 25 });
    expect(report.violations).toEqual([]);
    expect(report.undecided).toBe(0);
    expect(unseen(report)).toEqual([]);
  });

  it('keeps the Update Propagation Invariant in every order of two writes, a time-out and a crash', () => {
    const scope = { operations: TWO_WRITES, timeouts: 1, crashes: 1 };
    expect(chainReplication('none', 2).explore(scope)).toMatchObject({ complete: true, violation: null });
    const hasty = chainReplication('forwards early', 2).explore(scope);
    expect(hasty.violation?.rule).toBe('Update Propagation');
    // Asked, heard, a crash, and the tail's write.
    expect(hasty.violation?.actions).toHaveLength(4);
  });

  it.each<[Mistake, string, number]>([
    ['reads anywhere', 'Linearizability', 6],
    ['forwards early', 'Update Propagation', 4],
  ])('that %s is found to break %s, and shrunk to a few steps', (mistake, rule, steps) => {
    const broken = chainReplication(mistake);
    const { violations } = broken.run({ seeds: 50, onSeed: ({ violation }) => violation === null });
    const { trace } = broken.record(violations[0]?.seed ?? 0);
    if (trace === null) throw new Error('a recorded run has a trace');
    const shrunk = broken.shrink(trace);
    expect(shrunk.trace.violation?.rule).toBe(rule);
    expect(shrunk.trace.script.length).toBeLessThanOrEqual(steps);
    expect(broken.replay(shrunk.trace).violation).toEqual(shrunk.trace.violation);
    expect(chainReplication().replay(shrunk.trace).violation).toBeNull();
  });
});
