/**
 * Figure 16 of "In Search of an Understandable Consensus Algorithm" (Ongaro and Ousterhout, extended version, §9.3) on
 * Polder's Raft and simulator: how long five servers are without a leader after theirs crashed, by election time-out.
 *
 * As in the paper: 1,000 trials a line (100 without randomness), the leader crashes at a random moment of its heartbeat
 * interval, which is half of the least time-out, after a heartbeat that reached all at once; the logs differ, so that
 * two of the four that remain cannot be elected; no pre-vote. The broadcast time of about 15 ms, which the paper
 * ascribes to storage (§5.6), is in the messages of the election. Heartbeats write nothing and are quick.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { RAFT_RULES } from '@polder/core';
import { CALM } from '@polder/core/simulation';
import { type CumulativeChart, drawCumulativeChart, type Line, type Panel } from './charts/cumulative-chart.ts';
import {
  broadcastMs,
  type Downtimes,
  type LatencyRange,
  measureDowntimes,
  type TrialOptions,
  weatherOf,
} from './election-trials.ts';

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
  readonly published: string;
}

const TOP: readonly Range[] = [
  { fromMs: 150, toMs: 150, published: 'over 10 s' },
  { fromMs: 150, toMs: 151, published: '' },
  { fromMs: 150, toMs: 155, published: 'median 287 ms' },
  { fromMs: 150, toMs: 175, published: '' },
  { fromMs: 150, toMs: 200, published: 'worst 513 ms' },
  { fromMs: 150, toMs: 300, published: '' },
];
const BOTTOM: readonly Range[] = [
  { fromMs: 12, toMs: 24, published: 'mean 35 ms, worst 152 ms' },
  { fromMs: 25, toMs: 50, published: '' },
  { fromMs: 50, toMs: 100, published: '' },
  { fromMs: 100, toMs: 200, published: '' },
  { fromMs: 150, toMs: 300, published: '' },
];

const TRIALS = 1_000;
const LIMIT_US = 10_000_000;
/** A server answers late because its disk was slow, and not all disks are slow at once. */
const PAPER_LATENCY: LatencyRange = { minLatencyUs: 100, maxLatencyUs: 10_200 };
const PAPER_WEATHER = weatherOf(PAPER_LATENCY);
const FIGURES = new URL('../docs/figures/', import.meta.url);

export interface Summary {
  readonly name: string;
  readonly published: string;
  readonly trials: number;
  /** Null: more than half of the trials were given up. */
  readonly medianMs: number | null;
  /** Of those that ended. */
  readonly meanMs: number;
  readonly p99Ms: number | null;
  readonly worstMs: number | null;
  readonly unfinished: number;
  readonly repeated: number;
}

interface Measured {
  readonly line: Line;
  readonly summary: Summary;
}

export interface ElectionsReport {
  readonly broadcastMs: number;
  readonly figure: readonly Summary[];
  /** The same with heartbeats as slow as votes, and the same with pre-vote, as Polder runs. */
  readonly slowHeartbeats: readonly Summary[];
  readonly preVote: readonly Summary[];
  readonly defaults: readonly Summary[];
  readonly seconds: number;
}

/** Writes `docs/figures/figure-16.svg` and `docs/figures/default-elections.svg`. */
export function benchElections(say: (line: string) => void): ElectionsReport {
  const startMs = performance.now();
  const variant = (name: string, options: Partial<TrialOptions>): Measured[] => {
    return [...TOP, ...BOTTOM.slice(0, -1)].map((range) => {
      say(`${name}: ${range.fromMs}–${range.toMs} ms`);
      return measureRange(range, options);
    });
  };
  const figure = variant('as in the paper', {});
  const slowHeartbeats = variant('slow heartbeats', { slowHeartbeats: true });
  const preVote = variant('with pre-vote', { rules: RAFT_RULES });
  say('default time-outs');
  const defaults = measureDefaults();
  mkdirSync(FIGURES, { recursive: true });
  writeFileSync(new URL('figure-16.svg', FIGURES), drawCumulativeChart(figureChart(figure.map(({ line }) => line))));
  writeFileSync(
    new URL('default-elections.svg', FIGURES),
    drawCumulativeChart(defaultsChart(defaults.map(({ line }) => line))),
  );
  const summaries = (measured: readonly Measured[]): Summary[] => measured.map(({ summary }) => summary);
  return {
    broadcastMs: broadcastMs(PAPER_LATENCY),
    figure: summaries(figure),
    slowHeartbeats: summaries(slowHeartbeats),
    preVote: summaries(preVote),
    defaults: summaries(defaults),
    seconds: (performance.now() - startMs) / 1_000,
  };
}

function measureRange({ fromMs, toMs, published }: Range, options: Partial<TrialOptions>): Measured {
  const trials = fromMs === toMs ? TRIALS / 10 : TRIALS;
  const timing = {
    electionTimeoutUs: fromMs * 1_000,
    electionSpreadUs: (toMs - fromMs) * 1_000,
    heartbeatUs: fromMs * 500,
  };
  return measure(`${fromMs}–${toMs} ms`, published, {
    seed: 16,
    trials,
    timing,
    rules: { ...RAFT_RULES, asksFirst: () => false },
    weather: PAPER_WEATHER,
    slowHeartbeats: false,
    unequalLogs: true,
    limitUs: LIMIT_US,
    ...options,
  });
}

function measureDefaults(): Measured[] {
  // Polder's own: 1 to 2 s, a heartbeat every 100 ms, pre-vote.
  const timing = { heartbeatUs: 100_000 };
  const base = { seed: 17, trials: TRIALS, timing, rules: RAFT_RULES, slowHeartbeats: true, limitUs: 60_000_000 };
  const lossy = { ...CALM, lossPerMillion: 50_000 };
  return [
    measure('quiet network', '', { ...base, weather: CALM, unequalLogs: false }),
    measure('5 % of messages lost', '', { ...base, weather: lossy, unequalLogs: false }),
    measure('slow network', '', { ...base, weather: PAPER_WEATHER, unequalLogs: false }),
    measure('slow, two logs behind', '', { ...base, weather: PAPER_WEATHER, unequalLogs: true }),
  ];
}

function measure(name: string, published: string, options: TrialOptions): Measured {
  const { trials } = options;
  const { ms, unfinished, repeated }: Downtimes = measureDowntimes(options);
  const at = (part: number): number | null => ms[Math.ceil(part * trials) - 1] ?? null;
  const meanMs = ms.reduce((sum, each) => sum + each, 0) / ms.length;
  const quantiles = { medianMs: at(0.5), meanMs, p99Ms: at(0.99), worstMs: at(1) };
  return { line: { name, ms, trials }, summary: { name, published, trials, ...quantiles, unfinished, repeated } };
}

function figureChart(lines: readonly Line[]): CumulativeChart {
  const panel = (title: string, of: readonly Line[], rest: Pick<Panel, 'anchors' | 'fromMs' | 'toMs'>): Panel => ({
    title,
    lines: of,
    ...rest,
  });
  const top = lines.slice(0, TOP.length);
  return {
    title: 'Time without a leader after the leader crashed',
    subtitle:
      'Five servers, 1,000 trials a line (100 for 150–150 ms); part of the trials in which a new leader was elected by then.',
    description:
      'The Raft paper’s Figure 16 from Polder’s simulator: the more random the time-outs, the sooner a leader is elected.',
    panels: [
      panel('More randomness: fewer split votes', top, {
        fromMs: 70,
        toMs: 10_000,
        anchors: [
          { ms: 10_000, part: 0, text: 'paper: over 10 s', line: 0, side: 'left' },
          { ms: 287, part: 0.5, text: 'paper: median 287 ms', line: 2, side: 'right, lower' },
          { ms: 513, part: 1, text: 'paper: worst 513 ms', line: 4, side: 'above' },
        ],
      }),
      panel('Shorter time-outs: sooner, until messages take as long', [...lines.slice(TOP.length), ...top.slice(-1)], {
        fromMs: 8,
        toMs: 1_000,
        anchors: [
          { ms: 152, part: 1, text: 'paper: worst 152 ms', line: 0, side: 'above' },
          { ms: 35, part: 0, text: 'paper: mean 35 ms', line: 0, side: 'below' },
        ],
      }),
    ],
    source:
      'Lines: npm run bench -- figure-16; a dot is the worst trial. Diamonds: Figure 16 of Ongaro and Ousterhout’s paper.',
  };
}

function defaultsChart(lines: readonly Line[]): CumulativeChart {
  return {
    title: 'Polder’s default time-outs: time without a leader after a crash',
    subtitle: 'Five members, time-outs of 1 to 2 s, a heartbeat every 100 ms, pre-vote; 1,000 crashes a line.',
    description:
      'With a quiet network, with lost messages, with slow messages, and with members whose logs are behind.',
    panels: [
      {
        title: 'Part of the crashes after which a new leader was elected by then',
        lines,
        anchors: [],
        fromMs: 800,
        toMs: 5_000,
      },
    ],
    source: 'npm run bench -- figure-16; a dot is the worst crash. Slow: a broadcast and its answers take 15 ms.',
  };
}

export function formatElections(report: ElectionsReport): string {
  const rounded = (ms: number | null): string => (ms === null ? '> 10 s' : `${Math.round(ms)} ms`);
  const row = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(10))).join('')}`;
  const line = ({ name, medianMs, meanMs, worstMs, unfinished, trials, published }: Summary): string => {
    const mean = unfinished === 0 ? rounded(meanMs) : '';
    const remarks = [
      ...(unfinished === 0 ? [] : [`${unfinished} of ${trials} over 10 s`]),
      ...(published === '' ? [] : [`paper: ${published}`]),
    ];
    return `${row([name, rounded(medianMs), mean, rounded(worstMs)])}   ${remarks.join('; ')}`.trimEnd();
  };
  const also = report.figure.map(({ name, medianMs, worstMs }, i) => {
    const [slow, asking] = [report.slowHeartbeats[i], report.preVote[i]];
    const pair = (summary: { medianMs: number | null; worstMs: number | null } | undefined): string[] =>
      summary === undefined ? [] : [rounded(summary.medianMs), rounded(summary.worstMs)];
    return row([name, ...pair({ medianMs, worstMs }), ...pair(slow), ...pair(asking)]);
  });
  return [
    `Figure 16 of the Raft paper: five servers, broadcast time ${report.broadcastMs.toFixed(1)} ms (${report.seconds.toFixed(0)} s)`,
    row(['election time-outs', 'median', 'mean', 'worst']),
    ...report.figure.map(line),
    '',
    'The same, median and worst, when heartbeats are as slow as votes, and with pre-vote, as Polder runs',
    row(['election time-outs', 'figure', '', 'slow', '', 'pre-vote', '']),
    ...also,
    '',
    'Polder’s default time-outs (1 to 2 s, heartbeat 100 ms, pre-vote): time without a leader after a crash',
    row(['', 'median', 'p99', 'worst']),
    ...report.defaults.map(({ name, medianMs, p99Ms, worstMs }) =>
      row([name, ...[medianMs, p99Ms, worstMs].map(rounded)]),
    ),
    `Trials done again because a time-out ran out before the crash: ${report.figure.reduce((sum, { repeated }) => sum + repeated, 0)}`,
  ].join('\n');
}
