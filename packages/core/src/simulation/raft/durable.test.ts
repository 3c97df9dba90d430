import { describe, expect, it } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { unseen } from '../scenario/campaign.ts';
import { SimulatedCluster } from './cluster.ts';
import { generalRaft } from './general.ts';

const put = (value: string) => ({ type: 'put', key: utf8('k'), value: utf8(value) }) as const;
const DURABLE = { durable: true, checkpoints: { checkpointUs: 50_000 }, snapshotEntries: 10, trailingEntries: 2 };

function write(cluster: SimulatedCluster, value: string): boolean {
  let id = 0;
  const applied = (): boolean => {
    if (id !== 0 && cluster.outcome(id).type === 'applied') return true;
    if (cluster.leader() !== 0 && (id === 0 || cluster.outcome(id).type === 'rejected')) {
      id = cluster.propose(cluster.leader(), put(value));
    }
    return false;
  };
  return cluster.runUntil(applied, 5_000_000);
}

function filesOf(cluster: SimulatedCluster, id: number): string[] {
  const listed = cluster.member(id).world.files.execute({ type: 'list' });
  return listed.type === 'names' ? listed.names.filter((name) => !name.endsWith('.wal')) : [];
}

function valueOf(cluster: SimulatedCluster): string {
  const id = cluster.read(cluster.leader(), { type: 'range', key: utf8('k') });
  expect(cluster.runUntil(() => cluster.outcome(id).type !== 'pending', 2_000_000)).toBe(true);
  const outcome = cluster.outcome(id);
  if (outcome.type !== 'answer' || outcome.answer.type !== 'ok' || outcome.answer.response.type !== 'range') return '?';
  return text(outcome.answer.response.kvs[0]?.value ?? utf8('nothing'));
}

describe('members whose state is in a durable store', () => {
  it('R29: keep every promise under random faults, and make progress once they stop', { timeout: 60_000 }, () => {
    const report = generalRaft({ durable: true }).run({ seeds: 40, from: 5_000 });
    expect(report.violations).toEqual([]);
    expect(unseen(report)).toEqual([]);
    expect(report.counts['snapshotsInstalled']).toBeGreaterThan(10);
  });

  it.each([1, 3])('R29: all %i lose power at any moment, and nothing acknowledged is lost', (members) => {
    for (let seed = 1; seed <= 8; seed++) {
      const cluster = new SimulatedCluster({ seed, members, ...DURABLE });
      let last = 'nothing';
      for (let round = 1; round <= 12; round++) {
        for (let i = 0; i < 5; i++) {
          last = `${round}.${i}`;
          expect(write(cluster, last)).toBe(true);
        }
        cluster.run((seed * 7_919 * round) % 60_000);
        for (const id of cluster.ids) cluster.crash(id);
        for (const id of cluster.ids) cluster.restart(id);
        expect(cluster.runUntil(() => cluster.leader() !== 0, 5_000_000)).toBe(true);
        expect(valueOf(cluster)).toBe(last);
      }
    }
  });

  it('R29: start from their store, with no snapshot file, and from a log that forgot what the store holds', () => {
    const cluster = new SimulatedCluster({ seed: 1, members: 1, ...DURABLE });
    for (let i = 0; i < 50; i++) expect(write(cluster, `${i}`)).toBe(true);
    cluster.run(500_000);
    expect(filesOf(cluster, 1)).toEqual(['store-0-0']);
    cluster.crash(1);
    cluster.restart(1);
    expect(cluster.runUntil(() => cluster.leader() !== 0, 5_000_000)).toBe(true);
    expect(cluster.member(1).status()?.firstIndex).toBeGreaterThan(40);
    expect(valueOf(cluster)).toBe('49');
  });

  it('R17 R29: a member behind the log installs another store, and lets the first one go', () => {
    const cluster = new SimulatedCluster({ seed: 1, members: 3, ...DURABLE });
    expect(write(cluster, 'first')).toBe(true);
    const behind = cluster.ids.find((id) => id !== cluster.leader()) ?? 0;
    cluster.crash(behind);
    for (let i = 0; i < 60; i++) expect(write(cluster, `${i}`)).toBe(true);
    cluster.run(500_000);
    cluster.restart(behind);
    expect(write(cluster, 'last')).toBe(true);
    const applied = (): number => cluster.member(behind).status()?.appliedIndex ?? 0;
    expect(cluster.runUntil(() => applied() >= 60, 5_000_000)).toBe(true);
    cluster.run(500_000);
    expect(filesOf(cluster, behind)).toEqual([expect.stringMatching(/^store-[1-9]/)]);
    cluster.crash(behind);
    cluster.restart(behind);
    cluster.run(500_000);
    expect(applied()).toBeGreaterThanOrEqual(60);
  });

  it('R29: a store that lost what the log has forgotten stops its member, with what to do', () => {
    const cluster = new SimulatedCluster({ seed: 1, members: 1, mayStop: true, ...DURABLE });
    for (let i = 0; i < 50; i++) expect(write(cluster, `${i}`)).toBe(true);
    cluster.run(500_000);
    cluster.crash(1);
    const { files } = cluster.member(1).world;
    files.execute({ type: 'truncate', file: 'store-0-0', length: 0 });
    cluster.restart(1);
    cluster.run(500_000);
    expect(cluster.stopped.get(1)).toMatchObject({ code: 'StoreBehindLog' });
  });
});
