/** What a campaign says: for a person and for a program. No running here. */
import { type CampaignReport, unseen } from '@polder/core/simulation';
import { grouped, plural } from '../duration.ts';
import { frameLines, picture } from '../picture.ts';
import { pageNameOf, type WrittenFinding } from './findings.ts';

export interface HuntResult {
  readonly report: CampaignReport;
  readonly realSeconds: number;
  readonly threads: number;
  readonly interrupted: boolean;
  readonly findings: readonly WrittenFinding[];
}

/** A campaign of fewer seeds is not blamed for what it never saw. */
export const SEEDS_TO_SEE_ALL = 100;

/** What was wanted, never seen, and should have been. */
export function blamedFor(report: CampaignReport): readonly string[] {
  return report.seeds >= SEEDS_TO_SEE_ALL ? unseen(report) : [];
}

export function huntJson(result: HuntResult): string {
  const { report, realSeconds, threads, interrupted, findings } = result;
  const { seeds, violations, events, simulatedUs, sometimes, ...rest } = report;
  return JSON.stringify({
    seeds,
    violations,
    events,
    eventsPerSecond: perSecond(events, realSeconds),
    simulatedSeconds: simulatedUs / 1_000_000,
    realSeconds: Math.round(realSeconds * 1_000) / 1_000,
    sometimes,
    unseen: unseen(report),
    ...rest,
    threads,
    interrupted,
    traces: findings.map(({ violation: { rule, seed }, file, size }) => ({ rule, seed, file, size })),
  });
}

export function huntSummary(result: HuntResult): string {
  const { report, realSeconds, threads, interrupted } = result;
  const { events, simulatedUs, operations, frames, faults, counts } = report;
  const simulatedSeconds = simulatedUs / 1_000_000;
  const times = realSeconds > 0 ? grouped(simulatedSeconds / realSeconds) : '0';
  const damage = `${grouped(frames.lost)} lost, ${grouped(frames.duplicated)} duplicated, ${grouped(frames.damaged)} damaged`;
  const { ok, fail, info } = operations;
  const rows: readonly (readonly [string, string])[] = [
    [
      'events',
      `${grouped(events)}, ${grouped(perSecond(events, realSeconds))} a second on ${plural(threads, 'thread')}`,
    ],
    ['simulated', `${grouped(simulatedSeconds)} s in ${realSeconds.toFixed(1)} s, ${times} times as fast as real`],
    ['operations', `${grouped(ok)} done, ${grouped(fail)} failed, ${grouped(info)} unknown`],
    ['frames', `${grouped(frames.sent)} sent, ${damage}`],
    ['faults', countList(faults)],
    ['reached', countList(counts)],
    ['stopped', `${plural(report.stopped, 'member')} could not go on at the end, for damaged disks`],
  ];
  const undecided =
    report.undecided === 0
      ? []
      : [`${grouped(report.undecided)} ${report.undecided === 1 ? 'history' : 'histories'} could not be judged`];
  return [
    `${verdict(report)}${interrupted ? ' (interrupted)' : ''}`,
    ...undecided.map((line) => `  ${line}`),
    ...rows.map(([name, text]) => `  ${name.padEnd(12)}${text}`),
    ...sometimesLines(report),
  ].join('\n');
}

/** For a violation: the rule in a sentence, the history and the faults, and the command that replays it. */
export function findingText({ violation, file, trace, report, runs, size }: WrittenFinding, replay: string): string {
  const { rule, sentence } = trace.violation ?? violation;
  const of = (kind: 'operation' | 'fault'): number => trace.script.filter((step) => step.do === kind).length;
  const left = [
    plural(trace.members, 'member'),
    plural(of('operation'), 'operation'),
    plural(of('fault'), 'fault'),
    `${plural(trace.frames.length, 'frame')} beyond calm weather`,
  ].join(', ');
  const drawn = report === null ? [] : ['', picture(report), ...frameLines(trace.frames).map((line) => `  ${line}`)];
  return [
    `${rule} is broken, by seed ${violation.seed}:`,
    `  ${sentence}`,
    `  ${sizeText(size, runs)}: ${left}`,
    ...drawn,
    '',
    ...(report === null ? [] : [`The same as a page for a browser: ${pageNameOf(file)}`]),
    `The trace is ${file}. Replay it with:`,
    `  ${replay}`,
    '',
  ].join('\n');
}

function sizeText(size: WrittenFinding['size'], runs: number): string {
  switch (size) {
    case 'minimal':
      return `the smallest that still breaks it, after ${plural(runs, 'run')}`;
    case 'smaller':
      return `made smaller in ${plural(runs, 'run')}, not yet the smallest`;
    case 'whole':
      return 'whole, for its decisions alone do not break it again';
    case 'interrupted':
      return 'whole, for there was no time to make it smaller';
    default:
      return size satisfies never;
  }
}

export interface Pace {
  readonly report: CampaignReport;
  /** Since this session began; the report may be older. */
  readonly session: { readonly seeds: number; readonly events: number; readonly simulatedUs: number };
  readonly sessionMs: number;
  /** From 0 to 1. */
  readonly fraction: number;
}

/** `[██░░] 412 seeds  38/s  512,000 events/s  320x real time  seen 5/6  no violation`. */
export function paceText({ report, session, sessionMs, fraction }: Pace, bar: boolean): string {
  const seconds = Math.max(sessionMs, 1) / 1_000;
  const wanted = Object.keys(report.sometimes).length;
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * 20);
  const parts = [
    plural(report.seeds, 'seed'),
    `${(session.seeds / seconds).toFixed(1)} seeds/s`,
    `${grouped(session.events / seconds)} events/s`,
    `${grouped(session.simulatedUs / 1_000_000 / seconds)}x real time`,
    ...(wanted === 0 ? [] : [`seen ${wanted - unseen(report).length}/${wanted}`]),
    report.violations.length === 0 ? 'no violation' : plural(report.violations.length, 'violation'),
  ];
  const done = bar ? `[${'█'.repeat(filled)}${'░'.repeat(20 - filled)}] ` : `${Math.floor(fraction * 100)} %  `;
  return done + parts.join('  ');
}

function verdict({ scenario, seeds, violations }: CampaignReport): string {
  const what = violations.length === 0 ? 'no violation' : plural(violations.length, 'violation');
  const which = violations.length === 0 ? '' : `: ${violationList(violations)}`;
  return `${scenario}: ${plural(seeds, 'seed')}, ${what}${which}`;
}

function violationList(violations: CampaignReport['violations']): string {
  const byRule = new Map<string, number[]>();
  for (const { rule, seed } of violations) byRule.set(rule, [...(byRule.get(rule) ?? []), seed]);
  return [...byRule]
    .map(([rule, seeds]) => {
      const named = seeds.slice(0, 5).join(', ');
      return `${rule} (${seeds.length === 1 ? 'seed' : 'seeds'} ${named}${seeds.length > 5 ? ', …' : ''})`;
    })
    .join('; ');
}

function sometimesLines(report: CampaignReport): string[] {
  const names = Object.keys(report.sometimes);
  if (names.length === 0 || report.seeds === 0) return [];
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => {
    const count = report.sometimes[name] ?? 0;
    return `  ${name.padEnd(width)}  ${count === 0 ? 'never' : `in ${grouped(count)} of ${plural(report.seeds, 'seed')}`}`;
  });
  const missing = unseen(report);
  if (missing.length === 0) return ['seen:', ...lines];
  const held =
    report.seeds >= SEEDS_TO_SEE_ALL
      ? 'The campaign has failed: what it was to try, it did not'
      : `Fewer than ${SEEDS_TO_SEE_ALL} seeds: not held against it`;
  return ['seen:', ...lines, `Never seen: ${missing.join('; ')}. ${held}.`];
}

function countList(counts: Readonly<Record<string, number | undefined>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${grouped(count ?? 0)}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function perSecond(events: number, realSeconds: number): number {
  return realSeconds > 0 ? Math.round(events / realSeconds) : 0;
}
