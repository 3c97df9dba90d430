/** Where Polder's members spend their CPU under one kind of load: a flame graph of all three, and a table. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from './cluster.ts';
import { type Frame, flameGraph, readProfiles, selfTimes } from './flame-graph.ts';
import { Load } from './load.ts';
import type { Operation } from './requests.ts';

const CALLERS = 64;
const WARM_UP_MS = 1_500;
const MEASURE_MS = 8_000;
const SHOWN = 45;
const OUTPUT = 'bench-profiles';

interface ProfileReport {
  readonly operation: Operation;
  readonly file: string;
  readonly functions: readonly { readonly name: string; readonly share: number }[];
}

export async function benchProfiles(progress: (line: string) => void): Promise<ProfileReport[]> {
  const reports: ProfileReport[] = [];
  for (const operation of ['put', 'read', 'serializable'] as const) {
    progress(`profiling ${operation}, callers: ${CALLERS}`);
    reports.push(await profile(operation));
  }
  return reports;
}

/** Members write their profiles when they end; what they did while starting is a small part of it. */
async function profile(operation: Operation): Promise<ProfileReport> {
  const directory = mkdtempSync(join(tmpdir(), 'polder-bench-profile-'));
  try {
    const nodeFlags = ['--cpu-prof', '--cpu-prof-interval', '500', '--cpu-prof-dir', directory];
    const cluster = await Cluster.start({ name: 'polder', members: 3, nodeFlags });
    const load = await Load.start({ cluster, keys: 1_000, valueBytes: 256 });
    await load.fill();
    await load.run(operation, CALLERS, WARM_UP_MS);
    await load.run(operation, CALLERS, MEASURE_MS);
    load.close();
    await cluster.stop();
    return write(operation, readProfiles(directory));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function write(operation: Operation, root: Frame): ProfileReport {
  mkdirSync(OUTPUT, { recursive: true });
  const file = join(OUTPUT, `${operation}.svg`);
  writeFileSync(file, flameGraph(root, `three members, ${operation}, ${CALLERS} callers: CPU without idle time`));
  const most = selfTimes(root).slice(0, SHOWN);
  return { operation, file, functions: most.map(({ name, selfUs }) => ({ name, share: selfUs / root.totalUs })) };
}

export function formatProfiles(reports: readonly ProfileReport[]): string {
  return reports.map(formatOne).join('\n\n');
}

function formatOne({ operation, file, functions }: ProfileReport): string {
  const lines = functions.map(({ name, share }) => `${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
  return [`${operation}: ${file}; own time`, ...lines].join('\n');
}
