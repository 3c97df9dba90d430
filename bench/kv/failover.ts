/** From the leader's death by `kill -9` to the next acknowledged write, at the stores' default settings. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, isAlive, type Member, put, type StoreName, storesHere } from './cluster.ts';
import { median } from './kv.ts';

const MEMBERS = 3;
const ROUNDS = 20;
const QUICK_ROUNDS = 5;
const SETTLE_MS = 500;
/** A request that meets no leader may wait for long after there is one: a client that wants to write asks again. */
const ATTEMPT_MS = 200;
const RETRY_MS = 5;

export interface Failover {
  readonly store: StoreName;
  /** Ascending. */
  readonly outagesMs: readonly number[];
}

/** The stores take turns, so that the machine's moods reach both. */
export async function benchFailover(progress: (line: string) => void, quick: boolean): Promise<Failover[]> {
  const clusters: Cluster[] = [];
  for (const name of storesHere()) clusters.push(await Cluster.start({ name, members: MEMBERS }));
  const outagesMs = clusters.map((): number[] => []);
  const rounds = quick ? QUICK_ROUNDS : ROUNDS;
  for (let round = 0; round < rounds; round++) {
    progress(`killing leaders: ${round + 1} of ${rounds}`);
    for (const [i, cluster] of clusters.entries()) outagesMs[i]?.push(await killLeader(cluster));
  }
  for (const cluster of clusters) await cluster.stop();
  return clusters.map(({ name }, i) => ({ store: name, outagesMs: (outagesMs[i] ?? []).toSorted((a, b) => a - b) }));
}

async function killLeader(cluster: Cluster): Promise<number> {
  const leader = await leaderOf(cluster);
  const survivors = cluster.members.filter((member) => member !== leader);
  leader.child?.kill('SIGKILL');
  const startMs = performance.now();
  // Whoever acknowledges first counts: a client of the cluster knows all of its members.
  const outageMs = await Promise.any(survivors.map((member) => untilAcknowledged(member, startMs)));
  await Promise.all(survivors.map((member) => cluster.untilServing(member)));
  cluster.startMember(leader);
  await cluster.untilServing(leader);
  await sleep(SETTLE_MS);
  return outageMs;
}

async function untilAcknowledged(member: Member, startMs: number): Promise<number> {
  while (isAlive(member)) {
    if (await put(member, ATTEMPT_MS)) return performance.now() - startMs;
    await sleep(RETRY_MS);
  }
  throw new Error(`${member.name} ended`);
}

/** By etcd's own metric, which both have. */
async function leaderOf(cluster: Cluster): Promise<Member> {
  for (let attempt = 0; attempt < 200; attempt++) {
    for (const member of cluster.members) {
      const answer = await fetch(`http://${member.host}:${member.clientPort}/metrics`).catch(() => null);
      if (answer?.ok === true && /^etcd_server_is_leader 1$/m.test(await answer.text())) return member;
    }
    await sleep(50);
  }
  throw new Error(`${cluster.name} has no leader`);
}

export function formatFailover(reports: readonly Failover[]): string {
  const lines = [
    'kill -9 of the leader to the next acknowledged write, ms, default settings',
    'store    median     least      most  rounds',
  ];
  for (const { store, outagesMs } of reports) {
    const figures = [median(outagesMs), outagesMs[0] ?? 0, outagesMs.at(-1) ?? 0].map((ms) =>
      ms.toFixed(0).padStart(8),
    );
    lines.push([store.padEnd(6), ...figures, String(outagesMs.length).padStart(6)].join('  '));
  }
  const [polder, etcd] = reports;
  if (polder !== undefined && etcd !== undefined) {
    lines.push(`ratio of the medians: x${(median(polder.outagesMs) / median(etcd.outagesMs)).toFixed(2)}`);
  }
  return lines.join('\n');
}
