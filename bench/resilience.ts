/** `npm run bench -- resilience`: what a guarded call costs, beside the libraries that do the same. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleSizes, type Size } from './resilience-size.ts';
import { GROUPS } from './resilience-subjects.ts';

const PROCESSES = 7;
const PROCESS = fileURLToPath(new URL('resilience-process.ts', import.meta.url));
const PEERS = ['cockatiel', 'opossum', 'p-retry', 'p-limit', 'p-queue'];

interface Measured {
  readonly group: string;
  readonly subject: string;
  /** Medians over the processes. */
  readonly ns: number;
  /** Beside an empty asynchronous wrapper in the same process. */
  readonly wrappers: number;
}

export interface ResilienceBench {
  readonly versions: Readonly<Record<string, string>>;
  readonly processes: number;
  readonly measured: readonly Measured[];
  readonly sizes: readonly Size[];
}

export async function benchResilience(progress: (line: string) => void): Promise<ResilienceBench> {
  const runs = new Map<string, { group: string; subject: string; ns: number[]; wrappers: number[] }>();
  // Round after round, so that a machine that changes its mind hits every subject alike.
  for (let round = 1; round <= PROCESSES; round++) {
    progress(`resilience: round ${round} of ${PROCESSES}`);
    for (const [group, subjects] of Object.entries(GROUPS)) {
      for (const subject of Object.keys(subjects)) {
        const run = runs.get(`${group}/${subject}`) ?? { group, subject, ns: [], wrappers: [] };
        runs.set(`${group}/${subject}`, run);
        const printed = execFileSync(process.execPath, [PROCESS, group, subject], {
          encoding: 'utf8',
          timeout: 120_000,
        });
        const { ns, wrapperNs } = JSON.parse(printed) as { ns: number; wrapperNs: number };
        run.ns.push(ns);
        run.wrappers.push(ns / wrapperNs);
      }
    }
  }
  const measured = Array.from(runs.values(), ({ group, subject, ns, wrappers }) => ({
    group,
    subject,
    ns: median(ns),
    wrappers: median(wrappers),
  }));
  return { versions: peerVersions(), processes: PROCESSES, measured, sizes: await bundleSizes() };
}

export function formatResilience({ versions, processes, measured, sizes }: ResilienceBench): string {
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `Resilience: ns per call, medians over ${processes} processes, beside ${peers.join(', ')}`,
    '',
    '| job | library | ns | empty wrappers | times Polder |',
    '|---|---|---:|---:|---:|',
  ];
  for (const { group, subject, ns, wrappers } of measured) {
    const own = polderBeside(measured, group);
    const ratio = own === undefined || subject === 'polder' ? '' : (wrappers / own.wrappers).toFixed(1);
    lines.push(`| ${group} | ${subject} | ${ns.toFixed(0)} | ${wrappers.toFixed(2)} | ${ratio} |`);
  }
  lines.push('', '| bundle | gzip |', '|---|---:|');
  for (const { what, gzipBytes } of sizes) lines.push(`| ${what} | ${(gzipBytes / 1_000).toFixed(2)} kB |`);
  return lines.join('\n');
}

function polderBeside(measured: readonly Measured[], group: string): Measured | undefined {
  return measured.find((each) => each.group === group && each.subject === 'polder');
}

function peerVersions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  return Object.fromEntries(
    PEERS.map((name) => {
      const main = require.resolve(name);
      const root = main.slice(0, main.lastIndexOf(`node_modules/${name}/`) + `node_modules/${name}/`.length);
      return [name, (require(`${root}package.json`) as { version: string }).version];
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
