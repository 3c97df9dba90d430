import { describe, expect, it } from 'vitest';
import { RAFT_RULES } from '../../consensus/raft/index.ts';
import { generalRaft, raftSteady } from '../raft/general.ts';
import type { RaftRequest } from '../raft/types.ts';
import { kv, READ_HEAVY, WRITE_HEAVY } from './kv.ts';
import type { Workload } from './workload.ts';

const SEEDS = 6;

const WORKLOADS: readonly (readonly [string, Workload<RaftRequest>])[] = [
  ['registers, read-heavy', kv.registers({ mix: READ_HEAVY })],
  ['registers, write-heavy', kv.registers({ mix: WRITE_HEAVY })],
  ['registers with a hot key', kv.registers({ keys: 5, hot: true })],
  ['appends', kv.appends()],
  ['counters', kv.counters()],
  ['sets', kv.sets()],
  ['queue', kv.queue()],
  ['locks', kv.locks()],
  ['bank', kv.bank()],
  ['transactions', kv.transactions()],
];

/** A queue's order stays open until its values are taken: few clients, so that a history can be judged. */
const settingsOf = ({ name }: Workload<RaftRequest>): { clients?: number; thinkUs?: number } =>
  name === 'queue' ? { clients: 2, thinkUs: 120_000 } : {};

describe('Raft under random faults', () => {
  it.each(WORKLOADS)('keeps what clients see of %s consistent', (_, workload) => {
    const report = generalRaft({}, settingsOf(workload)).workload(workload).run({ seeds: SEEDS });
    expect(report.violations).toEqual([]);
    expect(report.undecided).toBe(0);
    expect(report.operations.ok).toBeGreaterThan(20 * SEEDS);
  });

  const reading = ['registers, read-heavy', 'appends', 'counters', 'sets', 'transactions'];
  const readers = WORKLOADS.filter(([title]) => reading.includes(title));
  it.each(readers)('R9: stale reads show in %s', (_, workload) => {
    const unconfirmed = (members: number, purpose: string): number => (purpose === 'read' ? 1 : (members >> 1) + 1);
    const broken = raftSteady({ rules: { ...RAFT_RULES, majority: unconfirmed } }).workload(workload);
    const { violations } = broken.run({ seeds: 60, onSeed: ({ violation }) => violation === null });
    expect(violations[0]?.rule).toMatch(/Linearizability|Strict serializability/);
  });
});
