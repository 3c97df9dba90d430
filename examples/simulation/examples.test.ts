import { describe, expect, it } from 'vitest';
import primaryBackup from './primary-backup.ts';
import { type Haste, twoPhaseCommit } from './two-phase-commit.ts';

describe('primary and backup', () => {
  it('serve both when they cannot hear each other: found, and shrunk to a partition, a write and a read', () => {
    const [found] = primaryBackup.run({ seeds: 50, onSeed: ({ violation }) => violation === null }).violations;
    expect(found?.rule).toBe('Linearizability');
    const { trace } = primaryBackup.record(found?.seed ?? 0);
    if (trace === null) throw new Error('a recorded run has a trace');
    const shrunk = primaryBackup.shrink(trace);
    expect(shrunk.minimal).toBe(true);
    expect(shrunk.trace.script.length).toBeLessThanOrEqual(6);
    expect(primaryBackup.replay(shrunk.trace).violation).toEqual(shrunk.trace.violation);
  });
});

describe('two-phase commit', () => {
  it('comes to the same decision everywhere, and leaves nobody in doubt once the faults end', () => {
    const report = twoPhaseCommit().run({ seeds: 40 });
    expect(report.violations).toEqual([]);
    expect(report.sometimes['a member is in doubt']).toBeGreaterThan(10);
  });

  it('agrees in every order of a small scope: one transaction, two time-outs, one crash', () => {
    const scope = { operations: [{ f: 'commit', key: '', value: 1 }], timeouts: 2, crashes: 1 };
    expect(twoPhaseCommit('none', 3).explore(scope)).toMatchObject({ complete: true, violation: null });
    const hasty = twoPhaseCommit('decision', 3).explore(scope);
    expect(hasty.violation?.rule).toBe('Agreement');
    // A shortest way: asked, prepared twice, given up and told, a crash, and both votes.
    expect(hasty.violation?.actions).toHaveLength(11);
  });

  it.each<Haste>(['vote', 'decision'])('breaks its promise when a %s leaves before it is stored', (haste) => {
    const stop = ({ violation }: { readonly violation: unknown }): boolean => violation === null;
    const { violations } = twoPhaseCommit(haste).run({ seeds: 300, onSeed: stop });
    expect(violations[0]?.rule).toMatch(/Agreement|Liveness/);
  });
});
