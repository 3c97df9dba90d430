/** `npm run bench -- [puts|simulator|resilience] [--json]`; run `npm run build` before. */
import { cpus, loadavg } from 'node:os';
import { benchPuts, formatPuts } from './puts.ts';
import { benchResilience, formatResilience } from './resilience.ts';
import { benchSimulator, formatSimulator } from './simulator.ts';
import { killAll, stopAll } from './store.ts';

const PARTS = ['puts', 'simulator', 'resilience'];

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  const named = args.filter((arg) => arg !== '--json');
  const wrong = named.find((arg) => !PARTS.includes(arg));
  if (wrong !== undefined) throw new Error(`"${wrong}" is not a benchmark: ${PARTS.join(' or ')}, and --json`);
  const parts = named.length === 0 ? PARTS : named;
  const say = (text: string): void => {
    if (!json) console.log(text);
  };
  const [cpu] = cpus();
  const machine = { cores: cpus().length, cpu: cpu?.model ?? 'unknown', node: process.version, load: loadavg() };
  const load = machine.load.map((each) => each.toFixed(2)).join(' ');
  say(`${machine.cores} x ${machine.cpu}, Node ${machine.node}, load before: ${load}`);
  const puts = parts.includes('puts') ? await benchPuts((line) => console.error(line)) : undefined;
  if (puts !== undefined) say(formatPuts(puts));
  const simulator = parts.includes('simulator') ? benchSimulator() : undefined;
  if (simulator !== undefined) say(formatSimulator(simulator));
  const resilience = parts.includes('resilience') ? await benchResilience((line) => console.error(line)) : undefined;
  if (resilience !== undefined) say(formatResilience(resilience));
  if (json) console.log(JSON.stringify({ machine, puts, simulator, resilience }, null, 2));
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
