/**
 * Proposals without a socket: proposer and leader in this process, two followers in processes of their own, every
 * acknowledgement after fdatasync on a majority. Beside it etcd's best rate of puts over its own API, with our loader.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Embedded, type EmbeddedKind, startEmbedded } from './embedded-member.ts';
import { Cluster, etcdVersion } from './kv/cluster.ts';
import { median } from './kv/kv.ts';
import { Load } from './kv/load.ts';

const VALUE = new Uint8Array(256).fill(0x61);
const ETCD_CALLERS = [256, 1024] as const;
const FULL = { concurrency: [1, 16, 64, 256, 1024], rounds: 3, sliceMs: 2_000 } as const;
const QUICK = { concurrency: [1, 64, 1024], rounds: 1, sliceMs: 1_000 } as const;
const FOLLOWER = fileURLToPath(new URL('embedded-follower.ts', import.meta.url));
/** Linux's USER_HZ, in which /proc counts. */
const TICK_MS = 10;
/** Its fsync costs nothing. */
const TMPFS = 0x01021994;

type Plan = typeof FULL | typeof QUICK;

export interface EmbeddedRow {
  readonly kind: EmbeddedKind;
  readonly concurrency: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of this process: proposer and leader. */
  readonly leaderCpuUs: number;
  /** Of the two followers together. */
  readonly followersCpuUs: number;
}

export interface EmbeddedReport {
  readonly valueBytes: number;
  readonly rounds: number;
  readonly sliceMs: number;
  readonly memoryFileSystem: boolean;
  readonly etcdVersion: string | null;
  /** The best of its rows; null without etcd. */
  readonly etcdPutsPerSecond: number | null;
  readonly rows: readonly EmbeddedRow[];
}

interface Slice {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
  readonly leaderCpuMs: number;
  readonly followersCpuMs: number;
}

export async function benchEmbedded(progress: (line: string) => void, quick: boolean): Promise<EmbeddedReport> {
  const plan = quick ? QUICK : FULL;
  const rows: EmbeddedRow[] = [];
  for (const kind of ['machine', 'store'] as const) rows.push(...(await rowsOf(kind, plan, progress)));
  const version = etcdVersion();
  const etcdPutsPerSecond = version === null ? null : await etcdBest(plan, progress);
  const memoryFileSystem = statfsSync(tmpdir()).type === TMPFS;
  const { rounds, sliceMs } = plan;
  return { valueBytes: VALUE.length, rounds, sliceMs, memoryFileSystem, etcdVersion: version, etcdPutsPerSecond, rows };
}

async function rowsOf(kind: EmbeddedKind, plan: Plan, progress: (line: string) => void): Promise<EmbeddedRow[]> {
  const root = mkdtempSync(join(tmpdir(), 'polder-bench-embedded-'));
  const members = [];
  for (const id of [1, 2, 3]) members.push({ name: `m${id}`, id, peerPort: await freePort() });
  const optionsOf = (name: string) => ({ name, members, dataDirectory: join(root, name) });
  const followers = ['m2', 'm3'].map((name) =>
    spawn(process.execPath, [FOLLOWER, kind, JSON.stringify(optionsOf(name)), 'm1'], {
      stdio: ['pipe', 'inherit', 'inherit'],
    }),
  );
  const leader = await startEmbedded(kind, optionsOf('m1'));
  try {
    while (leader.status().role !== 'leader') await sleep(20);
    await slice(leader, followers, 64, plan.sliceMs);
    const rows: EmbeddedRow[] = [];
    for (const concurrency of plan.concurrency) {
      progress(`measuring ${kind}, concurrent: ${concurrency}`);
      const slices: Slice[] = [];
      for (let round = 0; round < plan.rounds; round++) {
        slices.push(await slice(leader, followers, concurrency, plan.sliceMs));
      }
      if (leader.status().role !== 'leader') throw new Error('leadership moved: the machine is too busy to measure');
      rows.push(rowOf(kind, concurrency, slices));
    }
    return rows;
  } finally {
    await leader.close({ handOver: false });
    await Promise.all(followers.map(ended));
    rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A proposal that fails ends the benchmark: a rate that counts errors is no rate. */
async function slice(
  leader: Embedded,
  followers: readonly ChildProcess[],
  concurrency: number,
  durationMs: number,
): Promise<Slice> {
  const latenciesMs: number[] = [];
  const followersBefore = cpuMs(followers);
  const leaderBefore = process.cpuUsage();
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const proposer = async (): Promise<void> => {
    for (let sentMs = performance.now(); sentMs < endMs; ) {
      await leader.write(VALUE);
      const nowMs = performance.now();
      latenciesMs.push(nowMs - sentMs);
      sentMs = nowMs;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, proposer));
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(leaderBefore);
  const followersCpuMs = cpuMs(followers) - followersBefore;
  return { seconds, latenciesMs, leaderCpuMs: (user + system) / 1_000, followersCpuMs };
}

/** Medians over the slices; latencies over all proposals. */
function rowOf(kind: EmbeddedKind, concurrency: number, slices: readonly Slice[]): EmbeddedRow {
  const latenciesMs = Float64Array.from(slices.flatMap((each) => each.latenciesMs)).sort();
  const below = (share: number): number =>
    latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0;
  const medianOf = (measure: (each: Slice) => number): number => median(slices.map(measure));
  return {
    kind,
    concurrency,
    opsPerSecond: medianOf((each) => each.latenciesMs.length / each.seconds),
    p50Ms: below(0.5),
    p99Ms: below(0.99),
    leaderCpuUs: medianOf((each) => (each.leaderCpuMs * 1_000) / each.latenciesMs.length),
    followersCpuUs: medianOf((each) => (each.followersCpuMs * 1_000) / each.latenciesMs.length),
  };
}

async function etcdBest(plan: Plan, progress: (line: string) => void): Promise<number> {
  const cluster = await Cluster.start({ name: 'etcd', members: 3 });
  const load = await Load.start({ cluster, keys: 10_000, valueBytes: VALUE.length });
  await load.fill();
  let best = 0;
  for (const callers of ETCD_CALLERS) {
    progress(`measuring etcd's puts, callers: ${callers}`);
    const rates: number[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      const { latenciesMs, seconds } = await load.run('put', callers, plan.sliceMs);
      rates.push(latenciesMs.length / seconds);
    }
    best = Math.max(best, median(rates));
  }
  load.close();
  await cluster.stop();
  return best;
}

function cpuMs(processes: readonly ChildProcess[]): number {
  return processes.reduce((sum, { pid }) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }, 0);
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  if (child.exitCode === null && child.signalCode === null) await Promise.race([exit, sleep(5_000)]);
  child.kill('SIGKILL');
}

export function formatEmbedded(report: EmbeddedReport): string {
  const { valueBytes, rounds, sliceMs, etcdPutsPerSecond: etcd } = report;
  const lines = [
    `3 members, ${valueBytes} B values, ${rounds} x ${sliceMs} ms of each row, medians; proposer and leader are one process`,
    'what     concurrent  proposals/s    p50 ms    p99 ms  leader µs  followers µs  of etcd’s best',
  ];
  for (const row of report.rows) {
    const cells = [
      row.kind.padEnd(7),
      String(row.concurrency).padStart(10),
      row.opsPerSecond.toFixed(0).padStart(11),
      row.p50Ms.toFixed(2).padStart(8),
      row.p99Ms.toFixed(2).padStart(8),
      row.leaderCpuUs.toFixed(1).padStart(9),
      row.followersCpuUs.toFixed(1).padStart(12),
      etcd === null ? '' : `x${(row.opsPerSecond / etcd).toFixed(2)}`.padStart(14),
    ];
    lines.push(cells.join('  ').trimEnd());
  }
  lines.push(
    etcd === null
      ? 'NO PEER: etcd is not on PATH. Install etcd and run again.'
      : `etcd ${report.etcdVersion}: ${etcd.toFixed(0)} puts/s, its best of ${ETCD_CALLERS.join(' and ')} callers over 16 connections`,
  );
  if (report.memoryFileSystem)
    lines.push('The data lay in memory: fsync was free. Set TMPDIR to a directory on a disk.');
  return lines.join('\n');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
