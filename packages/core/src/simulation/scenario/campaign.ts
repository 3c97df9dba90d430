/** Many seeds of one scenario, one after the other. Ranges of seeds are independent: their reports add up. */
import type { FaultType } from '../faults/index.ts';
import type { ProtocolTypes } from '../protocol.ts';
import { type RunReport, runOnce } from './run.ts';
import type { Spec } from './spec.ts';
import type { TracedViolation } from './trace.ts';

export interface CampaignOptions {
  /** How many seeds. */
  readonly seeds: number;
  /** The first one; 1 unless given. */
  readonly from?: number;
  /** After each seed; false: enough. */
  readonly onSeed?: (report: RunReport) => boolean | undefined;
}

export interface FoundViolation extends TracedViolation {
  readonly seed: number;
}

/** What a campaign did. A run in which nothing happened proves nothing (PITFALLS D5): so it says what happened. */
export interface CampaignReport {
  readonly scenario: string;
  readonly seeds: number;
  readonly violations: readonly FoundViolation[];
  /** Seeds whose history no judge could decide about. */
  readonly undecided: number;
  readonly events: number;
  readonly simulatedUs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Partial<Record<FaultType, number>>>;
  readonly operations: Readonly<Record<'ok' | 'fail' | 'info', number>>;
  readonly frames: Readonly<Record<'sent' | 'lost' | 'duplicated' | 'damaged', number>>;
  readonly stopped: number;
  /** In how many seeds each thing that is wanted was seen. */
  readonly sometimes: Readonly<Record<string, number>>;
}

/** What was wanted and never seen: the campaign has failed, whatever else it found. */
export function unseen(report: CampaignReport): string[] {
  return Object.keys(report.sometimes).filter((name) => report.sometimes[name] === 0);
}

export function emptyReport<Types extends ProtocolTypes>(spec: Spec<Types>): CampaignReport {
  return {
    scenario: spec.name,
    seeds: 0,
    violations: [],
    undecided: 0,
    events: 0,
    simulatedUs: 0,
    counts: {},
    faults: {},
    operations: { ok: 0, fail: 0, info: 0 },
    frames: { sent: 0, lost: 0, duplicated: 0, damaged: 0 },
    stopped: 0,
    sometimes: Object.fromEntries(spec.sometimes.map(({ name }) => [name, 0])),
  };
}

export function runCampaign<Types extends ProtocolTypes>(spec: Spec<Types>, options: CampaignOptions): CampaignReport {
  const { seeds, from = 1, onSeed } = options;
  let total = emptyReport(spec);
  for (let seed = from; seed < from + seeds; seed++) {
    const report = runOnce(spec, seed);
    total = addReports(total, reportOf(spec, report));
    if (onSeed?.(report) === false) break;
  }
  return total;
}

/** One seed, as a campaign of one. */
export function reportOf<Types extends ProtocolTypes>(spec: Spec<Types>, run: RunReport): CampaignReport {
  return {
    scenario: spec.name,
    seeds: 1,
    violations: run.violation === null ? [] : [{ seed: run.seed, ...run.violation }],
    undecided: run.unknown === null ? 0 : 1,
    events: run.events,
    simulatedUs: run.simulatedUs,
    counts: run.counts,
    faults: run.faults,
    operations: run.operations,
    frames: run.frames,
    stopped: run.stopped,
    sometimes: Object.fromEntries(spec.sometimes.map(({ name }) => [name, run.seen.includes(name) ? 1 : 0])),
  };
}

export function addReports(a: CampaignReport, b: CampaignReport): CampaignReport {
  return {
    scenario: a.scenario,
    seeds: a.seeds + b.seeds,
    violations: [...a.violations, ...b.violations],
    undecided: a.undecided + b.undecided,
    events: a.events + b.events,
    simulatedUs: a.simulatedUs + b.simulatedUs,
    counts: sum(a.counts, b.counts),
    faults: sum(a.faults, b.faults),
    operations: sum(a.operations, b.operations),
    frames: sum(a.frames, b.frames),
    stopped: a.stopped + b.stopped,
    sometimes: sum(a.sometimes, b.sometimes),
  };
}

function sum<T extends Readonly<Partial<Record<string, number>>>>(a: T, b: T): T {
  const total: Record<string, number> = {};
  for (const part of [a, b]) {
    for (const [name, count] of Object.entries(part)) total[name] = (total[name] ?? 0) + (count ?? 0);
  }
  return total as T;
}
