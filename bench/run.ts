/** `npm run bench -- [PART ...] [--json] [--quick]`; run `npm run build` before. Parts that write figures run only when named. */
import { cpus, loadavg } from 'node:os';
import { benchAnomalies, formatAnomalies } from './anomalies.ts';
import { benchCheckers, formatCheckers } from './checkers.ts';
import { benchClocks, formatClocks } from './clocks.ts';
import { benchEmbedded, formatEmbedded } from './embedded.ts';
import { benchEventLog, formatEventLog } from './event-log.ts';
import { benchExplore, formatExplore } from './explore.ts';
import { benchElections, formatElections } from './figure-16.ts';
import { killAll, stopAll } from './kv/cluster.ts';
import { benchFailover, formatFailover } from './kv/failover.ts';
import { benchGrowth, formatGrowth } from './kv/growth.ts';
import { benchIdle, formatIdle } from './kv/idle.ts';
import { benchKv, formatKv } from './kv/kv.ts';
import { benchProfiles, formatProfiles } from './kv/profile.ts';
import { benchResilience, formatResilience } from './resilience.ts';
import { benchSimulator, formatSimulator } from './simulator.ts';
import { benchStorage, formatStorage } from './storage.ts';

interface Part {
  /** Runs when no part is named. */
  readonly usual: boolean;
  /** Gives what `--json` prints, and says the same for a person. */
  readonly run: (say: (text: string) => void, quick: boolean) => unknown;
}

const PARTS: ReadonlyMap<string, Part> = new Map([
  ['kv', { usual: true, run: async (say, quick) => told(await benchKv(progress, quick), formatKv, say) }],
  [
    'embedded',
    { usual: true, run: async (say, quick) => told(await benchEmbedded(progress, quick), formatEmbedded, say) },
  ],
  [
    'failover',
    { usual: false, run: async (say, quick) => told(await benchFailover(progress, quick), formatFailover, say) },
  ],
  ['idle', { usual: false, run: async (say, quick) => told(await benchIdle(progress, quick), formatIdle, say) }],
  ['growth', { usual: false, run: async (say, quick) => told(await benchGrowth(progress, quick), formatGrowth, say) }],
  ['profile', { usual: false, run: async (say) => told(await benchProfiles(progress), formatProfiles, say) }],
  ['storage', { usual: false, run: async (say) => told(await benchStorage(progress), formatStorage, say) }],
  ['simulator', { usual: true, run: (say) => told(benchSimulator(), formatSimulator, say) }],
  ['anomalies', { usual: true, run: (say) => told(benchAnomalies(), formatAnomalies, say) }],
  ['checkers', { usual: true, run: (say) => told(benchCheckers(), formatCheckers, say) }],
  ['clocks', { usual: true, run: (say) => told(benchClocks(), formatClocks, say) }],
  ['event-log', { usual: true, run: (say) => told(benchEventLog(), formatEventLog, say) }],
  ['explore', { usual: true, run: (say) => told(benchExplore(), formatExplore, say) }],
  ['resilience', { usual: false, run: async (say) => told(await benchResilience(progress), formatResilience, say) }],
  ['figure-16', { usual: false, run: (say) => told(benchElections(progress), formatElections, say) }],
]);

const FLAGS: readonly string[] = ['--json', '--quick'];

/** Progress is not data. */
function progress(line: string): void {
  console.error(line);
}

function told<Report>(report: Report, format: (report: Report) => string, say: (text: string) => void): Report {
  say(format(report));
  return report;
}

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  const quick = args.includes('--quick');
  const named = args.filter((arg) => !FLAGS.includes(arg));
  const wrong = named.find((arg) => !PARTS.has(arg));
  if (wrong !== undefined)
    throw new Error(`"${wrong}" is not a benchmark: ${[...PARTS.keys()].join(', ')}, and ${FLAGS.join(', ')}`);
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  const [cpu] = cpus();
  const machine = { cores: cpus().length, cpu: cpu?.model ?? 'unknown', node: process.version, load: loadavg() };
  const load = machine.load.map((each) => each.toFixed(2)).join(' ');
  say(`${machine.cores} x ${machine.cpu}, Node ${machine.node}, load before: ${load}`);
  const reports: Record<string, unknown> = { machine };
  for (const [name, { usual, run }] of PARTS) {
    if (named.length === 0 ? usual : named.includes(name)) reports[name] = await run(say, quick);
  }
  if (json) console.log(JSON.stringify(reports, null, 2));
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    killAll();
    process.exit(code);
  });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await stopAll();
}
