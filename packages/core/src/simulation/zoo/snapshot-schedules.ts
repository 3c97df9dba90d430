/** Schedules by hand around snapshots on their way to a member that is behind. */
import { utf8 } from '../../base/bytes.ts';
import type { ClusterOptions } from '../raft/cluster.ts';
import { SimulatedCluster } from '../raft/cluster.ts';
import { Violation } from '../violation.ts';
import { CALM } from '../world/network.ts';
import type { Schedule } from './schedules.ts';

const put = (key: number, bytes: number) =>
  ({ type: 'put', key: utf8(`${key}`), value: new Uint8Array(bytes) }) as const;

/** Member 3 was away while the others wrote and compacted their logs; it is back, and its snapshot not yet under way. */
function withOneBehind(options: Omit<ClusterOptions, 'members'>, keys: number, valueBytes: number): SimulatedCluster {
  const cluster = new SimulatedCluster({
    members: 3,
    snapshotEntries: 20,
    trailingEntries: 2,
    checkpoints: { checkpointUs: 50_000 },
    ...options,
  });
  cluster.runUntil(() => cluster.status().every((status) => status?.registered === true), 3_000_000);
  cluster.run(300_000);
  cluster.crash(3);
  cluster.runUntil(() => cluster.leader() !== 0, 3_000_000);
  for (let i = 0; i < 50; i++) {
    cluster.propose(cluster.leader(), put(i % keys, valueBytes));
    cluster.run(3_000);
  }
  cluster.restart(3);
  return cluster;
}

function isBehind(cluster: SimulatedCluster): boolean {
  const applied = cluster.invariants.appliedIndex;
  return cluster.status().some((status) => status === null || status.appliedIndex !== applied);
}

/**
 * Loss, duplicates and a change of leader while a snapshot is under way, and sound disks: what comes in whole is what
 * was sent. A member that asks for it again from the start did not get that.
 */
export const snapshotThroughWeather: Schedule = (sabotage, seed) => {
  const cluster = withOneBehind({ seed, sabotage, durable: seed % 2 === 0, snapshotChunkBytes: 512 }, 40, 200);
  cluster.setWeather({
    ...CALM,
    lossPerMillion: 50_000,
    duplicatePerMillion: 200_000,
    spikePerMillion: 100_000,
    spikeUs: 5_000,
  });
  const sizes = new Set<number>();
  let whole = false;
  let refused = 0;
  let chunks = 0;
  let chunksMax = 6;
  cluster.filter = (from, to, message) => {
    if (message.type === 'snapshotChunk' && to === 3) {
      if (chunks++ >= chunksMax) return 'drop';
      if (message.done) sizes.add(message.offset + message.data.length);
    }
    if (message.type === 'snapshotReply' && from === 3 && !message.installed) {
      if (whole && message.nextOffset === 0) refused = message.index;
      whole = sizes.has(message.nextOffset);
    }
    return 'deliver';
  };
  cluster.runUntil(() => chunks >= chunksMax, 3_000_000);
  const leader = cluster.leader();
  if (leader === 1 || leader === 2) {
    // The next leader's newest snapshot is another one.
    for (let i = 0; i < 25; i++) cluster.propose(leader, put(i, 200));
    cluster.run(50_000);
    cluster.crash(leader);
    cluster.run(1_000);
    cluster.restart(leader);
  }
  chunksMax = Number.POSITIVE_INFINITY;
  cluster.runUntil(() => refused > 0 || !isBehind(cluster), 10_000_000);
  if (refused === 0) return;
  const sentence = `member 3 received the snapshot at index ${refused} whole, on a sound disk, and it did not hold`;
  throw new Violation('Snapshot transfer', sentence, cluster.nowUs);
};

/** The link to member 3 is slower than snapshots are made, and faster than entries are: it must catch up. */
export const snapshotsUnderLoad: Schedule = (sabotage, seed) => {
  const cluster = withOneBehind({ seed, sabotage, snapshotChunkBytes: 4_096 }, 20, 4_000);
  cluster.setWeather({ ...CALM, bytesPerSecond: 500_000 });
  while (cluster.invariants.snapshotsInstalled < 5) {
    const leader = cluster.leader();
    if (leader !== 0) for (let i = 0; i < 2; i++) cluster.propose(leader, put(i, 20));
    cluster.run(10_000);
    const behind = cluster.invariants.appliedIndex - (cluster.member(3).status()?.appliedIndex ?? 0);
    if (cluster.invariants.snapshotsInstalled > 0 && behind < 10) return;
  }
  const sentence = `member 3 installed ${cluster.invariants.snapshotsInstalled} snapshots in a row, each too old to go on from`;
  throw new Violation('Liveness', sentence, cluster.nowUs);
};
