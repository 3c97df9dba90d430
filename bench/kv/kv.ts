/** Puts and reads against Polder and etcd: the same load, in alternation, on clusters of the same size. */
import { statfsSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { Cluster, etcdVersion, storesHere } from './cluster.ts';
import { Load, type Slice } from './load.ts';
import type { Operation } from './requests.ts';

const MEMBERS = 3;
const VALUE_BYTES = 256;
const KEYS = 10_000;
const OPERATIONS = ['put', 'read', 'serializable'] as const;
const FULL = { callers: [1, 16, 64, 256], rounds: 3, sliceMs: 1_500 } as const;
const QUICK = { callers: [1, 64], rounds: 3, sliceMs: 700 } as const;
/** A virtual machine compiles what it runs often: a cold one costs several times as much. */
const WARM_UP = { callers: 64, requests: 40_000, sliceMs: 1_000, slicesMost: 8 } as const;
/** Its fsync costs nothing, so puts measured on it say little. */
const TMPFS = 0x01021994;

export interface Measured {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all members together, for one request. */
  readonly serverCpuUs: number;
  readonly loaderCpuUs: number;
  /** Of all CPU that was spent, the loader's part. */
  readonly loaderShare: number;
}

export interface Row {
  readonly operation: Operation;
  readonly callers: number;
  readonly polder: Measured;
  readonly etcd: Measured | null;
}

export interface KvReport {
  readonly members: number;
  readonly valueBytes: number;
  readonly keys: number;
  readonly rounds: number;
  readonly sliceMs: number;
  /** The machine's, at the end. */
  readonly load: number;
  readonly memoryFileSystem: boolean;
  readonly etcdVersion: string | null;
  readonly rows: readonly Row[];
}

export async function benchKv(progress: (line: string) => void, quick: boolean): Promise<KvReport> {
  const plan = quick ? QUICK : FULL;
  const loads: Load[] = [];
  for (const name of storesHere()) {
    const cluster = await Cluster.start({ name, members: MEMBERS });
    loads.push(await Load.start({ cluster, keys: KEYS, valueBytes: VALUE_BYTES }));
  }
  await warmUp(loads);
  const rows: Row[] = [];
  for (const operation of OPERATIONS) {
    for (const callers of plan.callers) {
      progress(`measuring ${operation}, callers: ${callers}`);
      const slices = await inTurns(loads, operation, callers, plan);
      const [polder, etcd] = slices.map(summarize);
      if (polder === undefined) throw new Error('Polder was measured');
      rows.push({ operation, callers, polder, etcd: etcd ?? null });
    }
  }
  for (const load of loads) {
    load.close();
    await load.cluster.stop();
  }
  const load = loadavg()[0] ?? 0;
  const common = { members: MEMBERS, valueBytes: VALUE_BYTES, keys: KEYS, rounds: plan.rounds, sliceMs: plan.sliceMs };
  const memoryFileSystem = statfsSync(tmpdir()).type === TMPFS;
  return { ...common, load, memoryFileSystem, etcdVersion: etcdVersion(), rows };
}

/** Keys that reads can find, and code that is compiled. */
export async function warmUp(loads: readonly Load[]): Promise<void> {
  for (const load of loads) await load.fill();
  for (const operation of OPERATIONS) {
    for (const load of loads) {
      for (let done = 0, slices = 0; done < WARM_UP.requests && slices < WARM_UP.slicesMost; slices++) {
        done += (await load.run(operation, WARM_UP.callers, WARM_UP.sliceMs)).latenciesMs.length;
      }
    }
  }
}

/** Each load's slices: what disturbs the machine for a while disturbs them alike. */
export async function inTurns(
  loads: readonly Load[],
  operation: Operation,
  callers: number,
  plan: { readonly rounds: number; readonly sliceMs: number },
): Promise<Slice[][]> {
  const slices = loads.map((): Slice[] => []);
  for (let round = 0; round < plan.rounds; round++) {
    for (const [i, load] of loads.entries()) slices[i]?.push(await load.run(operation, callers, plan.sliceMs));
  }
  return slices;
}

/** Medians over the slices; latencies over all requests. */
export function summarize(slices: readonly Slice[]): Measured {
  const latenciesMs = new Float64Array(slices.reduce((sum, slice) => sum + slice.latenciesMs.length, 0));
  let at = 0;
  for (const slice of slices) {
    latenciesMs.set(slice.latenciesMs, at);
    at += slice.latenciesMs.length;
  }
  latenciesMs.sort();
  const below = (share: number): number => latenciesMs[Math.min(at - 1, Math.floor(at * share))] ?? 0;
  const medianOf = (measure: (slice: Slice) => number): number => median(slices.map(measure));
  return {
    opsPerSecond: medianOf(({ latenciesMs: { length }, seconds }) => length / seconds),
    p50Ms: below(0.5),
    p99Ms: below(0.99),
    serverCpuUs: medianOf((slice) => (slice.serverCpuMs * 1_000) / slice.latenciesMs.length),
    loaderCpuUs: medianOf((slice) => (slice.loaderCpuMs * 1_000) / slice.latenciesMs.length),
    loaderShare: medianOf(({ loaderCpuMs, serverCpuMs }) => loaderCpuMs / (loaderCpuMs + serverCpuMs)),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

export function formatKv(report: KvReport): string {
  const { members, valueBytes, keys, rounds, sliceMs } = report;
  const lines = [
    `${members} members, ${valueBytes} B values, ${keys} keys, ${rounds} x ${sliceMs} ms of each row and store in alternation, medians`,
    'operation     callers  store   requests/s    p50 ms    p99 ms  server µs/request  loader µs  loader share',
  ];
  for (const row of report.rows) {
    lines.push(formatLine(row, 'Polder', row.polder));
    if (row.etcd === null) continue;
    lines.push(formatLine(row, 'etcd', row.etcd), formatRatio(row.polder, row.etcd));
  }
  lines.push(
    report.etcdVersion === null
      ? 'NO PEER: etcd is not on PATH, so nothing here is compared with anything. Install etcd and run again.'
      : `etcd ${report.etcdVersion}; both: default settings, loopback, the same disk, the same loader; load at the end ${report.load.toFixed(1)}.`,
  );
  if (report.memoryFileSystem)
    lines.push('The data lay in memory: fsync was free. Set TMPDIR to a directory on a disk.');
  return lines.join('\n');
}

function formatLine({ operation, callers }: Row, store: string, measured: Measured): string {
  return [
    operation.padEnd(12),
    String(callers).padStart(7),
    store.padEnd(6),
    measured.opsPerSecond.toFixed(0).padStart(11),
    measured.p50Ms.toFixed(2).padStart(8),
    measured.p99Ms.toFixed(2).padStart(8),
    measured.serverCpuUs.toFixed(1).padStart(17),
    measured.loaderCpuUs.toFixed(1).padStart(9),
    `${(measured.loaderShare * 100).toFixed(0)} %`.padStart(12),
  ].join('  ');
}

function formatRatio(polder: Measured, etcd: Measured): string {
  const ratios: readonly [number, number][] = [
    [polder.opsPerSecond / etcd.opsPerSecond, 11],
    [polder.p50Ms / etcd.p50Ms, 8],
    [polder.p99Ms / etcd.p99Ms, 8],
    [polder.serverCpuUs / etcd.serverCpuUs, 17],
  ];
  return `${' '.repeat(23)}ratio   ${ratios.map(([ratio, width]) => `x${ratio.toFixed(2)}`.padStart(width)).join('  ')}`;
}
