/** What a cluster costs when nobody asks anything of it, how soon it serves, and whether it keeps its leader. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type StoreName, storesHere } from './cluster.ts';

const MEMBERS = 3;
const IDLE_MS = 600_000;
const QUICK_IDLE_MS = 20_000;
const SETTLE_MS = 3_000;

export interface Idle {
  readonly store: StoreName;
  /** From the start of the processes to a write acknowledged by each. */
  readonly firstWriteMs: number;
  readonly idleMs: number;
  /** Of one core, for each member. */
  readonly coreShare: number;
  readonly residentBytes: readonly number[];
  readonly leaderChanges: number;
}

/** One after the other: beside each other they would not be idle. Both wait through the same ten minutes. */
export async function benchIdle(progress: (line: string) => void, quick: boolean): Promise<Idle[]> {
  const idleMs = quick ? QUICK_IDLE_MS : IDLE_MS;
  const started: { cluster: Cluster; firstWriteMs: number }[] = [];
  for (const name of storesHere()) {
    const startMs = performance.now();
    const cluster = await Cluster.start({ name, members: MEMBERS });
    started.push({ cluster, firstWriteMs: performance.now() - startMs });
  }
  await sleep(SETTLE_MS);
  progress(`waiting for ${idleMs / 1_000} s`);
  const before = await Promise.all(
    started.map(async ({ cluster }) => [cluster.cpuMs(), await changesOf(cluster)] as const),
  );
  await sleep(idleMs);
  const reports: Idle[] = [];
  for (const [i, { cluster, firstWriteMs }] of started.entries()) {
    const [cpuMs, changes] = before[i] ?? [0, 0];
    const coreShare = (cluster.cpuMs() - cpuMs) / idleMs / MEMBERS;
    const leaderChanges = (await changesOf(cluster)) - changes;
    reports.push({
      store: cluster.name,
      firstWriteMs,
      idleMs,
      coreShare,
      residentBytes: cluster.residentBytes(),
      leaderChanges,
    });
    await cluster.stop();
  }
  return reports;
}

/** Seen by all members together. */
async function changesOf(cluster: Cluster): Promise<number> {
  let changes = 0;
  for (const { host, clientPort } of cluster.members) {
    const text = await (await fetch(`http://${host}:${clientPort}/metrics`)).text();
    changes += Number(/^etcd_server_leader_changes_seen_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }
  return changes;
}

export function formatIdle(reports: readonly Idle[]): string {
  const lines = ['store   first write ms  idle s  % of a core a member  resident MB a member  leader changes'];
  for (const { store, firstWriteMs, idleMs, coreShare, residentBytes, leaderChanges } of reports) {
    const megabytes = residentBytes.map((bytes) => (bytes / 1e6).toFixed(0)).join(' ');
    lines.push(
      [
        store.padEnd(6),
        firstWriteMs.toFixed(0).padStart(14),
        (idleMs / 1_000).toFixed(0).padStart(6),
        (coreShare * 100).toFixed(2).padStart(20),
        megabytes.padStart(20),
        String(leaderChanges).padStart(14),
      ].join('  '),
    );
  }
  return lines.join('\n');
}
