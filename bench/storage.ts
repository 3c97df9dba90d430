/**
 * A member with much data, in little memory: filled, killed, started again. `POLDER_BENCH_BYTES` says how much (default
 * 64 MiB) and `POLDER_BENCH_VALUE_BYTES` in values of which size, `POLDER_BENCH_HEAP_MIB` what its heap may take (128).
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Cluster, type Member } from './kv/cluster.ts';
import { Http2Connection } from './kv/http2-connection.ts';
import { PUT, pathOf, requestOf } from './kv/requests.ts';

/** LMDB keeps a larger one than two kilobytes in pages of its own, of four kilobytes with a header of 24 bytes. */
const VALUE_BYTES = Number(process.env['POLDER_BENCH_VALUE_BYTES'] ?? 1_024);
const CALLERS = 64;
const SAMPLE_MS = 200;
const READS = 10_000;

interface Memory {
  /** Heap, buffers, code: what no file stands behind. */
  readonly anonymousBytes: number;
  /** Pages of the store and of programs, which the system may take back. */
  readonly fileBytes: number;
}

export interface StorageReport {
  readonly dataBytes: number;
  readonly keys: number;
  readonly heapLimitBytes: number;
  readonly fillMs: number;
  readonly putsPerSecond: number;
  /** The highest seen while it was filled. */
  readonly whileFilled: Memory;
  /** From the start of the process to the first answer, after kill -9. */
  readonly restartMs: number;
  /** Linearizable reads of keys at random after the restart, in sequence. */
  readonly readUs: number;
  readonly restarted: Memory;
  readonly storeBytes: number;
  readonly logBytes: number;
}

export async function benchStorage(progress: (line: string) => void): Promise<StorageReport> {
  const dataBytes = Number(process.env['POLDER_BENCH_BYTES'] ?? 64 * 1024 * 1024);
  const heapMib = Number(process.env['POLDER_BENCH_HEAP_MIB'] ?? 128);
  const keys = Math.ceil(dataBytes / VALUE_BYTES);
  process.env['POLDER_QUOTA_BYTES'] = String(4 * dataBytes + 2 ** 31);
  const nodeFlags = [`--max-old-space-size=${heapMib}`];
  const cluster = await Cluster.start({ name: 'polder', members: 1, nodeFlags });
  const [member] = cluster.members;
  if (member === undefined) throw new Error('one member was started');
  progress(`filling ${keys} keys of ${VALUE_BYTES} bytes`);
  const beganMs = performance.now();
  const whileFilled = await sampled(member, () => fill(member, keys, progress));
  const fillMs = performance.now() - beganMs;
  progress('killing and starting again');
  await killed(member);
  const restartedMs = performance.now();
  cluster.startMember(member);
  await cluster.untilServing(member);
  const restartMs = performance.now() - restartedMs;
  const readUs = await reads(member, keys);
  const restarted = memoryOf(member);
  const report = {
    dataBytes: keys * VALUE_BYTES,
    keys,
    heapLimitBytes: heapMib * 1024 * 1024,
    fillMs,
    putsPerSecond: (keys * 1_000) / fillMs,
    whileFilled,
    restartMs,
    readUs,
    restarted,
    storeBytes: sizeOf(member, /^store-\d+-\d+$/),
    logBytes: sizeOf(member, /\.wal$/),
  };
  await cluster.stop();
  return report;
}

export function formatStorage(report: StorageReport): string {
  const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
  const memory = ({ anonymousBytes, fileBytes }: Memory): string =>
    `${mib(anonymousBytes)} its own, ${mib(fileBytes)} pages of files`;
  return [
    `${mib(report.dataBytes)} in ${report.keys} keys, one member, heap limited to ${mib(report.heapLimitBytes)}`,
    `filled        ${(report.fillMs / 1_000).toFixed(1)} s, ${report.putsPerSecond.toFixed(0)} puts/s by ${CALLERS} callers`,
    `memory then   at most ${memory(report.whileFilled)}`,
    `on disk       store ${mib(report.storeBytes)}, log ${mib(report.logBytes)}`,
    `restart       ${(report.restartMs / 1_000).toFixed(2)} s from kill -9 to the first acknowledged write`,
    `reads         ${report.readUs.toFixed(0)} us each, at random, one after the other`,
    `memory then   ${memory(report.restarted)}`,
  ].join('\n');
}

async function fill(member: Member, keys: number, progress: (line: string) => void): Promise<void> {
  const connection = await Http2Connection.connect(member.host, member.clientPort, () => undefined);
  const request = requestOf('put', Buffer.alloc(VALUE_BYTES, 'x'));
  let next = 0;
  let failed = 0;
  const caller = async (): Promise<void> => {
    while (next < keys) {
      const key = next++;
      if (key % 100_000 === 0 && key > 0) progress(`${key} keys`);
      // A copy: more than the window takes waits inside of the connection.
      const message = Uint8Array.from(request(key));
      const bytes = await new Promise<number | null>((resolve) => connection.call(PUT, message, resolve));
      if (bytes === null) failed++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  connection.close();
  if (failed > 0) throw new Error(`${failed} puts failed`);
}

async function reads(member: Member, keys: number): Promise<number> {
  const connection = await Http2Connection.connect(member.host, member.clientPort, () => undefined);
  const request = requestOf('read', new Uint8Array(0));
  const beganMs = performance.now();
  for (let i = 0; i < READS; i++) {
    // Number 0 is the one that shows whether the member serves.
    const key = 1 + ((i * 7_919_993) % (keys - 1));
    const bytes = await new Promise<number | null>((resolve) => connection.call(pathOf('read'), request(key), resolve));
    if (bytes === null) throw new Error(`the read of key ${key} failed`);
    if (bytes < VALUE_BYTES) throw new Error(`key ${key} is missing`);
  }
  connection.close();
  return ((performance.now() - beganMs) * 1_000) / READS;
}

async function sampled(member: Member, work: () => Promise<void>): Promise<Memory> {
  let highest: Memory = { anonymousBytes: 0, fileBytes: 0 };
  const timer = setInterval(() => {
    const now = memoryOf(member);
    if (now.anonymousBytes > highest.anonymousBytes) highest = now;
  }, SAMPLE_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return highest;
}

function memoryOf({ child }: Member): Memory {
  const status = readFileSync(`/proc/${child?.pid}/status`, 'utf8');
  const bytesOf = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) * 1_024;
  return { anonymousBytes: bytesOf('RssAnon'), fileBytes: bytesOf('RssFile') };
}

async function killed({ child }: Member): Promise<void> {
  const exit = new Promise((resolve) => child?.once('exit', resolve));
  child?.kill('SIGKILL');
  await exit;
}

function sizeOf({ directory }: Member, name: RegExp): number {
  return readdirSync(directory)
    .filter((file) => name.test(file))
    .reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
}
