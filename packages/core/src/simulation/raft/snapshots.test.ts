import { describe, expect, it } from 'vitest';
import { equalBytes, text, utf8 } from '../../base/bytes.ts';
import type { DiskOperation, World } from '../../world/world.ts';
import { CALM } from '../world/network.ts';
import { type ClusterOptions, SimulatedCluster } from './cluster.ts';
import { type DiskPath, NO_SABOTAGE, type Sabotage } from './sabotage.ts';

const put = (key: string, value: string) => ({ type: 'put', key: utf8(key), value: utf8(value) }) as const;
const STORAGES = [
  ['in memory', false],
  ['in a store', true],
] as const;
const SMALL = {
  snapshotEntries: 20,
  trailingEntries: 2,
  snapshotChunkBytes: 512,
  checkpoints: { checkpointUs: 50_000 },
};

/** Sees what each member asks of its disk. */
function watching(see: (world: World, operation: DiskOperation) => void): Sabotage {
  return {
    ...NO_SABOTAGE,
    disk: ({ world, onResult }: DiskPath): DiskPath => {
      const { clock, network, random } = world;
      const submit: World['disk']['submit'] = (token, operation) => {
        see(world, operation);
        world.disk.submit(token, operation);
      };
      return { world: { clock, network, random, disk: { submit } }, onResult };
    },
  };
}

function isOfSnapshot(operation: DiskOperation): boolean {
  return 'file' in operation && /^(snapshot|store-[1-9])/.test(operation.file);
}

/** In turn through keys, with an answer to each. */
function write(cluster: SimulatedCluster, from: number, to: number, valueBytes = 300): void {
  for (let i = from; i < to; i++) {
    let id = 0;
    const applied = (): boolean => {
      if (id !== 0 && cluster.outcome(id).type === 'applied') return true;
      const isOver = id === 0 || cluster.outcome(id).type === 'rejected';
      if (isOver && cluster.leader() !== 0)
        id = cluster.propose(cluster.leader(), put(`${i % 20}`, `${i}`.padEnd(valueBytes)));
      return false;
    };
    expect(cluster.runUntil(applied, 5_000_000), `write ${i}`).toBe(true);
  }
}

function isSettled(cluster: SimulatedCluster): boolean {
  const index = cluster.invariants.appliedIndex;
  return cluster.status().every((status) => status?.phase === 'running' && status.appliedIndex === index);
}

function expectEqualStates(cluster: SimulatedCluster, context: string): void {
  expect(
    cluster.runUntil(() => isSettled(cluster), 10_000_000),
    context,
  ).toBe(true);
  const [first, ...others] = cluster.ids.map((id) => cluster.member(id).stateBytes() as Uint8Array);
  for (const other of others) expect(equalBytes(other, first as Uint8Array), context).toBe(true);
}

/** Member 3 has missed `entries` writes; it is down. */
function withOneBehind(options: Omit<ClusterOptions, 'members'>, entries = 45): SimulatedCluster {
  const cluster = new SimulatedCluster({ members: 3, ...SMALL, ...options });
  cluster.runUntil(() => cluster.status().every((status) => status?.registered === true), 3_000_000);
  write(cluster, 0, 3);
  cluster.crash(3);
  write(cluster, 3, entries);
  // What is in a store is durable, and the log compacted.
  cluster.run(300_000);
  return cluster;
}

it('R17 DS1: a member loses power at each operation of writing its own snapshots, and nothing that was acknowledged', () => {
  let points = 0;
  for (let point = 1; ; point++) {
    let seen = 0;
    const sabotage = watching((_, operation) => {
      if (isOfSnapshot(operation) || operation.type === 'syncDirectory' || operation.type === 'list') seen++;
    });
    const cluster = new SimulatedCluster({ seed: point, members: 1, ...SMALL, sabotage });
    write(cluster, 0, 15);
    seen = 0;
    let last = 14;
    for (let i = 15; i < 50 && seen < point; i++) {
      write(cluster, i, i + 1);
      last = i;
    }
    if (seen < point) break;
    points++;
    cluster.crash(1);
    cluster.restart(1);
    write(cluster, last + 1, last + 3);
    const id = cluster.read(1, { type: 'range', key: utf8(`${last % 20}`) });
    cluster.runUntil(() => cluster.outcome(id).type === 'answer', 2_000_000);
    const outcome = cluster.outcome(id);
    const found = outcome.type === 'answer' && outcome.answer.type === 'ok' ? outcome.answer.response : null;
    expect(found?.type === 'range' && text(found.kvs[0]?.value ?? utf8('')).trim()).toBe(`${last}`);
  }
  expect(points).toBeGreaterThan(20);
});

describe.each(STORAGES)('a member with its state %s', (_, durable) => {
  it('R17 DS2: loses power at each operation of receiving and installing one, and catches up', () => {
    let points = 0;
    for (let point = 1; ; point++) {
      let seen = 0;
      let behind: World | null = null;
      const sabotage = watching((world, operation) => {
        const counts = isOfSnapshot(operation) || operation.type === 'syncDirectory' || operation.type === 'list';
        if (world === behind && counts) seen++;
      });
      const cluster = withOneBehind({ seed: point, durable, sabotage });
      behind = cluster.member(3).world;
      cluster.restart(3);
      const reached = cluster.runUntil(() => seen >= point || cluster.invariants.snapshotsInstalled > 0, 5_000_000);
      expect(reached).toBe(true);
      if (seen < point) break;
      points++;
      cluster.crash(3);
      cluster.restart(3);
      expectEqualStates(cluster, `crash at operation ${point}`);
    }
    expect(points).toBeGreaterThan(20);
  });

  it('R18 DS4: a leader that loses power at each chunk that it reads for a peer leaves no member behind', () => {
    for (let point = 1; point <= 8; point++) {
      let reads = 0;
      const sabotage = watching((_world, operation) => {
        if (operation.type === 'read' && isOfSnapshot(operation)) reads++;
      });
      const cluster = withOneBehind({ seed: point, durable, sabotage });
      reads = 0;
      cluster.restart(3);
      expect(cluster.runUntil(() => reads >= point, 5_000_000)).toBe(true);
      const leader = cluster.leader();
      cluster.crash(leader);
      cluster.run(200_000);
      cluster.restart(leader);
      expectEqualStates(cluster, `crash at read ${point}`);
    }
  });

  it('R18 DS4: cut off while it receives a snapshot, it goes on from where it stood, and the snapshot stays the same one', () => {
    const cluster = withOneBehind({ seed: 3, durable });
    const offsets: number[] = [];
    const indexes = new Set<number>();
    cluster.filter = (_from, to, message) => {
      if (to === 3 && message.type === 'snapshotChunk') {
        offsets.push(message.offset);
        indexes.add(message.index);
      }
      return 'deliver';
    };
    cluster.restart(3);
    expect(cluster.runUntil(() => offsets.length >= 10, 5_000_000)).toBe(true);
    cluster.partition([3], [1, 2]);
    cluster.run(50_000);
    const before = offsets.splice(0);
    // Meanwhile the others make newer snapshots.
    write(cluster, 45, 90);
    cluster.heal();
    expectEqualStates(cluster, 'after healing');
    expect(Math.min(...offsets)).toBeGreaterThan(1_000);
    expect(Math.min(...offsets)).toBeLessThanOrEqual(Math.max(...before));
    expect(indexes.size).toBe(1);
    expect(cluster.invariants.snapshotsInstalled).toBe(1);
  });

  it('R18 DS4: on a slow link, while writes go on and compact the log, one snapshot is enough', () => {
    const cluster = withOneBehind({ seed: 1, durable });
    cluster.setWeather({ ...CALM, bytesPerSecond: 100_000 });
    cluster.restart(3);
    write(cluster, 45, 200, 20);
    expectEqualStates(cluster, 'after the writes');
    expect(cluster.invariants.snapshotsInstalled).toBe(1);
  });

  it('DS6: keeps only what it needs of snapshots', () => {
    const cluster = withOneBehind({ seed: 2, durable }, 100);
    cluster.restart(3);
    write(cluster, 100, 160);
    expectEqualStates(cluster, 'all are there');
    for (const id of cluster.ids) cluster.crash(id);
    for (const id of cluster.ids) cluster.restart(id);
    write(cluster, 160, 161);
    cluster.run(500_000);
    for (const id of cluster.ids) {
      const listed = cluster.member(id).world.files.execute({ type: 'list' });
      const files = listed.type === 'names' ? listed.names.filter((name) => name.startsWith('snapshot')) : [];
      expect(files.length).toBe(durable ? 0 : 1);
    }
  });
});

it('R17 DS3: writes are applied while a snapshot is being written, and no operation carries more than a piece of it', () => {
  let appends = 0;
  let largest = 0;
  let syncs = 0;
  const sabotage = watching((_, operation) => {
    if (!isOfSnapshot(operation)) return;
    if (operation.type === 'append') {
      appends++;
      largest = Math.max(largest, operation.bytes.length);
    }
    if (operation.type === 'sync') syncs++;
  });
  const cluster = new SimulatedCluster({ seed: 1, members: 1, ...SMALL, snapshotEntries: 100, sabotage });
  write(cluster, 0, 98, 1_000);
  expect(appends).toBe(0);
  expect(cluster.runUntil(() => cluster.leader() !== 0, 1_000_000)).toBe(true);
  let during = 0;
  for (let i = 98; i < 140 && syncs === 0; i++) {
    write(cluster, i, i + 1);
    if (appends > 0 && syncs === 0) during++;
  }
  expect(during).toBeGreaterThan(5);
  expect(appends).toBeGreaterThan(30);
  expect(largest).toBe(512);
});

it('R20 DS5: a snapshot that rots at its leader is not sent: the leader stops, with what to do', () => {
  const cluster = withOneBehind({ seed: 1, mayStop: true });
  const leader = cluster.leader();
  const { files } = cluster.member(leader).world;
  const listed = files.execute({ type: 'list' });
  const file = listed.type === 'names' ? listed.names.find((name) => name.startsWith('snapshot-')) : undefined;
  files.corrupt(file ?? '', 1_000);
  cluster.restart(3);
  expect(cluster.runUntil(() => cluster.stopped.has(leader), 5_000_000)).toBe(true);
  expect(cluster.stopped.get(leader)).toMatchObject({ code: 'CorruptSnapshot' });
  expect(cluster.stopped.get(leader)?.message).toContain('replace this member');
  expect(
    cluster.runUntil(() => cluster.member(3).status()?.appliedIndex === cluster.invariants.appliedIndex, 5_000_000),
  ).toBe(true);
});

it('R17 DS2: an own snapshot that is still being written does not take the place of a newer one that has arrived', () => {
  let own = 0;
  let target: World | null = null;
  const sabotage = watching((world, operation) => {
    if (world === target && operation.type === 'append' && operation.file === 'snapshot.part') own++;
  });
  const cluster = new SimulatedCluster({ seed: 1, members: 3, ...SMALL, sabotage });
  cluster.runUntil(() => cluster.status().every((status) => status?.registered === true), 3_000_000);
  write(cluster, 0, 8);
  const behind = cluster.ids.find((id) => id !== cluster.leader()) as number;
  target = cluster.member(behind).world;
  for (let i = 8; own < 3; i++) write(cluster, i, i + 1, 10_000);
  cluster.member(behind).world.setDiskSlowness(50);
  cluster.partition(
    [behind],
    cluster.ids.filter((id) => id !== behind),
  );
  // What is newer is much smaller.
  for (let i = 0; i < 20; i++) write(cluster, i, i + 1, 1);
  const compact = cluster.propose(cluster.leader(), { type: 'compact', revision: 40 });
  expect(cluster.runUntil(() => cluster.outcome(compact).type === 'applied', 1_000_000)).toBe(true);
  write(cluster, 20, 65, 1);
  const leads = () => cluster.member(cluster.leader()).status()?.firstIndex ?? 0;
  expect(cluster.runUntil(() => leads() > 60, 2_000_000)).toBe(true);
  cluster.heal();
  expect(cluster.runUntil(() => cluster.invariants.snapshotsInstalled > 0, 60_000_000)).toBe(true);
  const installed = cluster.member(behind).status()?.appliedIndex ?? 0;
  cluster.run(20_000_000);
  cluster.crash(behind);
  cluster.restart(behind);
  cluster.filter = () => 'drop';
  expect(cluster.runUntil(() => cluster.member(behind).status()?.phase === 'running', 3_000_000)).toBe(true);
  expect(cluster.member(behind).status()?.appliedIndex).toBeGreaterThanOrEqual(installed);
});
