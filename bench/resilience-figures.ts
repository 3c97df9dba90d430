/**
 * `npm run figures`: simulates the fleets and asks the libraries, and writes what came of it into docs/images and between the
 * marks of docs/RESILIENCE.md. Run `npm run build` before.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  BROWNOUT,
  type ContentionJitter,
  type FleetPolicies,
  type FleetSample,
  simulateContention,
  simulateFleet,
} from '@polder/resilience/fleet';
import { type Chart, svgOf } from './resilience-chart.ts';
import { compareSemantics, formatSemantics } from './semantics/run.ts';

const IMAGES = fileURLToPath(new URL('../docs/images/', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/RESILIENCE.md', import.meta.url));

const RETRY: FleetPolicies = {
  maxRetries: 3,
  jitter: 'full',
  budgetRatio: null,
  breaker: false,
  adaptiveLimit: false,
  throttle: false,
};

const FLEETS: Readonly<Record<string, Partial<FleetPolicies>>> = {
  'no retries': { maxRetries: 0 },
  'retries without jitter': { jitter: 'none' },
  'retries with full jitter': {},
  'retries within a budget of 10 %': { budgetRatio: 0.1 },
  'retries behind a breaker': { breaker: true },
  'retries behind an adaptive limit': { adaptiveLimit: true },
};

const JITTERS: readonly (readonly [ContentionJitter, string])[] = [
  ['none', 'none'],
  ['tenth', 'up to a tenth more'],
  ['equal', 'equal'],
  ['full', 'full (the default)'],
  ['decorrelated', 'decorrelated'],
];

function fleetChart(
  title: string,
  policies: Partial<FleetPolicies>,
): { chart: Chart; samples: readonly FleetSample[] } {
  const samples = simulateFleet({ ...BROWNOUT, policies: { ...RETRY, ...policies } });
  const seconds = samples.map((sample) => sample.atMs / 1_000);
  const line = (name: string, color: string, what: 'load' | 'goodput') => ({
    name,
    color,
    points: samples.map((sample, index) => ({ x: seconds[index] ?? 0, y: sample[what] })),
  });
  const { fromMs, toMs } = BROWNOUT.brownout;
  const chart: Chart = {
    title,
    xLabel: 'seconds',
    yLabel: 'per second',
    xMost: BROWNOUT.untilMs / 1_000,
    yMost: 3_500,
    band: { from: fromMs / 1_000, to: toMs / 1_000, label: 'brown-out' },
    lines: [line('load', '#d9822b', 'load'), line('goodput', '#2b7fd9', 'goodput')],
  };
  return { chart, samples };
}

function fleetTable(fleets: readonly (readonly [string, readonly FleetSample[]])[]): string {
  const spans = [
    ['before', 0, 10_000],
    ['brown-out', 10_000, 20_000],
    ['ten seconds after', 20_000, 30_000],
    ['the last ten seconds', 50_000, 60_000],
  ] as const;
  const head = `| load / goodput per second | ${spans.map(([name]) => name).join(' | ')} |`;
  const rows = fleets.map(([name, samples]) => {
    const cells = spans.map(
      ([, from, to]) => `${mean(samples, 'load', from, to)} / ${mean(samples, 'goodput', from, to)}`,
    );
    return `| ${name} | ${cells.join(' | ')} |`;
  });
  return [head, `|---|${spans.map(() => '---:|').join('')}`, ...rows].join('\n');
}

function mean(samples: readonly FleetSample[], what: 'load' | 'goodput', fromMs: number, toMs: number): string {
  const within = samples.filter((sample) => sample.atMs >= fromMs && sample.atMs < toMs);
  const sum = within.reduce((total, sample) => total + sample[what], 0);
  return Math.round(sum / within.length).toLocaleString('en');
}

function contentionTable(): string {
  const rows = JITTERS.map(([jitter, name]) => {
    const runs = Array.from({ length: 25 }, (_, seed) => simulateContention(100, jitter, seed + 1));
    const seconds = middle(runs.map((run) => run.completionMs)) / 1_000;
    return `| ${name} | ${seconds.toFixed(1)} s | ${middle(runs.map((run) => run.calls)).toLocaleString('en')} |`;
  });
  return ['| jitter | until all are done | writes tried |', '|---|---:|---:|', ...rows].join('\n');
}

function middle(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

/** Puts text between `<!-- name -->` and `<!-- /name -->`. */
function fill(page: string, name: string, content: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [start, end] = [page.indexOf(open), page.indexOf(close)];
  if (start === -1 || end < start) throw new Error(`docs/RESILIENCE.md has no place for ${name}`);
  return `${page.slice(0, start + open.length)}\n${content}\n${page.slice(end)}`;
}

const fleets = Object.entries(FLEETS).map(([title, policies]) => ({ title, ...fleetChart(title, policies) }));
mkdirSync(IMAGES, { recursive: true });
const charts = fleets.map(({ chart }) => chart);
writeFileSync(`${IMAGES}resilience-fleet.svg`, svgOf(charts, 2));
let page = readFileSync(PAGE, 'utf8');
page = fill(page, 'fleet', fleetTable(fleets.map(({ title, samples }) => [title, samples])));
page = fill(page, 'contention', contentionTable());
console.error('the fleets are drawn; asking the libraries takes half a minute');
page = fill(page, 'semantics', formatSemantics(await compareSemantics()));
writeFileSync(PAGE, page);
