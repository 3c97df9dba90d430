import { expect, it } from 'vitest';
import { disk, partition } from '../faults/index.ts';
import { generalRaft } from './general.ts';
import { raft } from './protocol.ts';

/** Always the same members: one alone that loses its disk is a new cluster, and breaks more than these promises. */
const replicas = (seed: number) => raft(seed % 2 === 0 ? 3 : 5, { snapshotEntries: 60, trailingEntries: 20 });

it('beyond the fault budget a run ends with a broken promise or with members that stop, and says so', () => {
  const beyond = generalRaft({}, { replicas, mayStop: true, budget: { damagedMembers: 5, driftPpm: 500 } }).faults(
    disk.lost(),
    disk.rot(),
    disk.misdirect(),
    partition(),
  );
  const report = beyond.run({ seeds: 12 });
  const damaged = (report.faults.wipe ?? 0) + (report.faults.rot ?? 0) + (report.faults.misdirect ?? 0);
  expect(damaged).toBeGreaterThan(20);
  // A majority of empty disks can lead nobody anywhere.
  expect(report.violations.length + report.stopped).toBeGreaterThanOrEqual(8);
  expect(report.violations.filter(({ rule }) => !['Liveness', 'Memory', 'Linearizability'].includes(rule))).toEqual([]);
});
