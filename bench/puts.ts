/** Puts and linearizable reads against Polder and etcd: one client, one connection, one machine, in alternation. */
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { etcdVersion, Store, type StoreName } from './store.ts';

const VALUE = new Uint8Array(256).fill(0x61);
const CALLERS = [1, 16, 64] as const;
const ROUNDS = 2;
const SLICE_MS = 1_500;
const WARM_UP_MS = 1_500;
const WARM_UP_CALLERS = 16;
/** Their fsync costs nothing, so puts measured on it say little. */
const TMPFS = 0x01021994;

type Operation = 'put' | 'read';

export interface Measured {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** ops/s of each round: how far apart they are says how much the machine disturbed the run. */
  readonly rounds: readonly number[];
}

export interface Row {
  readonly operation: Operation;
  readonly callers: number;
  readonly polder: Measured;
  readonly etcd: Measured | null;
  /** Polder's ops/s over etcd's; null without a peer. */
  readonly ratio: number | null;
}

export interface PutsReport {
  readonly valueBytes: number;
  readonly sliceMs: number;
  readonly memoryFileSystem: boolean;
  readonly etcdVersion: string | null;
  readonly rows: readonly Row[];
}

interface Slice {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

/** Distinct keys; reads go round the keys put so far. */
class Load {
  readonly store: Store;
  #keys = 0;
  #reads = 0;

  constructor(store: Store) {
    this.store = store;
  }

  /** A call that fails ends the benchmark: a rate that counts errors is no rate. */
  async run(operation: Operation, callers: number, durationMs: number): Promise<Slice> {
    const latenciesMs: number[] = [];
    const startMs = performance.now();
    const caller = async (): Promise<void> => {
      for (let beganMs = startMs; beganMs < startMs + durationMs; ) {
        const sentMs = performance.now();
        await (operation === 'put' ? this.#put() : this.#read());
        beganMs = performance.now();
        latenciesMs.push(beganMs - sentMs);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    return { seconds: (performance.now() - startMs) / 1_000, latenciesMs };
  }

  async #put(): Promise<void> {
    // Reads may take any number below the count: they run in slices of their own, when every put has been answered.
    await this.store.put(keyOf(this.#keys++), VALUE);
  }

  async #read(): Promise<void> {
    const number = this.#reads++ % this.#keys;
    const bytes = await this.store.read(keyOf(number));
    if (bytes !== VALUE.length) throw new Error(`${this.store.name} lost key ${number}: read ${bytes} bytes`);
  }
}

export async function benchPuts(progress: (line: string) => void): Promise<PutsReport> {
  const version = etcdVersion();
  const names: StoreName[] = version === null ? ['polder'] : ['polder', 'etcd'];
  const loads: Load[] = [];
  for (const name of names) loads.push(new Load(await Store.start(name)));
  for (const load of loads) await load.run('put', WARM_UP_CALLERS, WARM_UP_MS);
  for (const load of loads) await load.run('read', WARM_UP_CALLERS, WARM_UP_MS);
  const rows: Row[] = [];
  for (const operation of ['put', 'read'] as const) {
    for (const callers of CALLERS) {
      progress(`measuring ${operation}, callers: ${callers}`);
      rows.push(await measureRow(loads, operation, callers));
    }
  }
  for (const load of loads) await load.store.stop();
  const memoryFileSystem = statfsSync(tmpdir()).type === TMPFS;
  return { valueBytes: VALUE.length, sliceMs: SLICE_MS, memoryFileSystem, etcdVersion: version, rows };
}

async function measureRow(loads: readonly Load[], operation: Operation, callers: number): Promise<Row> {
  const slices = loads.map((): Slice[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, load] of loads.entries()) slices[i]?.push(await load.run(operation, callers, SLICE_MS));
  }
  const polder = summarize(slices[0] ?? []);
  const etcd = slices[1] === undefined ? null : summarize(slices[1]);
  return { operation, callers, polder, etcd, ratio: etcd === null ? null : polder.opsPerSecond / etcd.opsPerSecond };
}

function summarize(slices: readonly Slice[]): Measured {
  const sorted = slices.flatMap((slice) => slice.latenciesMs).toSorted((a, b) => a - b);
  const seconds = slices.reduce((sum, slice) => sum + slice.seconds, 0);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    opsPerSecond: sorted.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    rounds: slices.map((slice) => slice.latenciesMs.length / slice.seconds),
  };
}

export function formatPuts(report: PutsReport): string {
  const header = 'operation  callers  store       ops/s    p50 ms    p99 ms  ops/s of each round  Polder/etcd';
  const lines = [`${report.valueBytes} B values, ${ROUNDS} x ${report.sliceMs} ms each, in alternation`, header];
  for (const row of report.rows) {
    lines.push(formatLine(row, 'Polder', row.polder, row.ratio));
    if (row.etcd !== null) lines.push(formatLine(row, 'etcd', row.etcd, null));
  }
  lines.push(
    report.etcdVersion === null
      ? 'NO PEER: etcd is not on PATH, so nothing here is compared with anything. Install etcd and run again.'
      : `etcd ${report.etcdVersion}; both: one member, its default settings, loopback, the same disk, the same client.`,
  );
  if (report.memoryFileSystem)
    lines.push('The data lay in memory: fsync was free. Set TMPDIR to a directory on a disk.');
  return lines.join('\n');
}

function formatLine(row: Row, store: string, measured: Measured, ratio: number | null): string {
  const rounds = measured.rounds.map((each) => each.toFixed(0)).join(' ');
  return [
    row.operation.padEnd(9),
    String(row.callers).padStart(7),
    store.padEnd(6),
    measured.opsPerSecond.toFixed(0).padStart(10),
    measured.p50Ms.toFixed(2).padStart(8),
    measured.p99Ms.toFixed(2).padStart(8),
    rounds.padStart(19),
    ratio === null ? '' : ratio.toFixed(2).padStart(11),
  ]
    .join('  ')
    .trimEnd();
}

function keyOf(number: number): Uint8Array {
  return Buffer.from(`bench/${String(number).padStart(10, '0')}`);
}
