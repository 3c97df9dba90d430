/**
 * `node bench/migrating/try.ts`: puts the example through the same day before and after migrating, and shows what callers saw and
 * how often the service was asked. Exits with 1 when the two differ where docs/MIGRATING.md says that they do not.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Label, type Mood, type PriceClient, startPriceService } from './prices.ts';

interface Day {
  readonly labels: readonly Label[][];
  readonly requests: number;
}

/** Mood, and how many calls one after the other. */
const DAY: readonly (readonly [Mood, number])[] = [
  ['well', 6],
  ['hiccup', 1],
  ['slow', 1],
  ['down', 8],
  ['well', 3],
];

async function live(make: (url: string) => PriceClient): Promise<Day> {
  const service = await startPriceService();
  const client = make(service.url);
  const labels: Label[][] = [];
  for (const [mood, calls] of DAY) {
    // Before each part any open breaker has had the time to let a probe through.
    await sleep(400);
    service.set(mood);
    const part: Label[] = [];
    for (let call = 0; call < calls; call++) part.push(await client.price('ACME'));
    labels.push(part);
  }
  service.stop();
  return { labels, requests: service.requests };
}

let differ = false;
for (const name of ['cockatiel', 'opossum', 'p-retry']) {
  const { before, after } = (await import(`./${name}.ts`)) as Record<'before' | 'after', (url: string) => PriceClient>;
  const days = { before: await live(before), after: await live(after) };
  console.log(`\n${name}`);
  for (const [when, { labels, requests }] of Object.entries(days)) {
    console.log(`  ${when.padEnd(6)} ${labels.map((part) => summary(part)).join(' | ')} (${requests} requests)`);
  }
  // In an outage, when exactly a breaker opens may differ by a call; whether callers got an answer may not.
  const answers = (day: Day): string => JSON.stringify(day.labels.map((part) => part.map((label) => label === 'ok')));
  if (answers(days.before) !== answers(days.after) || days.after.requests > days.before.requests) {
    differ = true;
    console.log('  they differ');
  }
}
process.exitCode = differ ? 1 : 0;

function summary(part: readonly Label[]): string {
  const counts = new Map<Label, number>();
  for (const label of part) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => `${count} ${label}`).join(', ');
}
