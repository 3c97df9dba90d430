/** What a replay says: for a person and for a program. No running here. */
import type { Trace } from '@polder/core/simulation';
import { formatSeconds, grouped, plural } from '../duration.ts';
import { frameLines, picture } from '../picture.ts';
import type { Divergence, Replayed } from '../threads/jobs.ts';

export interface ReplayResult extends Replayed {
  readonly path: string;
  readonly trace: Trace;
  /** Where the smaller trace was written. */
  readonly out: string | null;
}

/** same: it still breaks the rule that it broke; other: another one; none: no rule. */
export function outcomeOf({ trace, report }: Pick<ReplayResult, 'trace' | 'report'>): 'same' | 'other' | 'none' {
  if (report.violation === null) return 'none';
  return report.violation.rule === trace.violation?.rule ? 'same' : 'other';
}

export function replayJson(result: ReplayResult): string {
  const { path, trace, report, divergence, shrunk, out } = result;
  return JSON.stringify({
    trace: path,
    scenario: trace.scenario,
    seed: trace.seed,
    outcome: outcomeOf(result),
    recorded: trace.violation,
    violation: report.violation,
    divergence,
    events: report.events,
    simulatedSeconds: report.simulatedUs / 1_000_000,
    shrunk: shrunk === null ? null : { file: out, size: shrunk.size, runs: shrunk.runs },
  });
}

export function replayText(result: ReplayResult): string {
  const { trace, report, divergence, shrunk, out } = result;
  const shown = shrunk ?? { trace, report };
  return [
    verdict(result),
    ...(report.violation === null ? [] : [`  ${report.violation.sentence}`]),
    divergence === null ? sameRun(result) : diverged(divergence),
    '',
    picture(shown.report),
    ...frameLines(shown.trace.frames).map((line) => `  ${line}`),
    ...(shrunk === null ? [] : ['', shrunkText(shrunk, out)]),
  ].join('\n');
}

function verdict(result: ReplayResult): string {
  const { trace, report, path } = result;
  const recorded = trace.violation?.rule;
  switch (outcomeOf(result)) {
    case 'same':
      return `${path} still breaks ${recorded}`;
    case 'other':
      return `${path} breaks ${report.violation?.rule}${recorded === undefined ? '' : `; it was recorded breaking ${recorded}`}`;
    default:
      return `${path} ${recorded === undefined ? 'breaks no rule' : `no longer breaks ${recorded}, nor any other rule`}`;
  }
}

function sameRun({ trace }: ReplayResult): string {
  if (trace.hashes.length === 0)
    return 'The trace is too short to hold a hash that tells whether the run is the recorded one.';
  return `Every hash that the trace holds is met: up to ${plural(trace.hashes.length * 1_000, 'event')} the run is the one recorded.`;
}

function diverged({ afterEvent, beforeEvent, afterUs, beforeUs }: Divergence): string {
  const from = afterEvent === 0 ? 'from its beginning' : `after event ${grouped(afterEvent)} (${at(afterUs)})`;
  const to = beforeUs === null ? 'before it ends' : `by event ${grouped(beforeEvent)} (${at(beforeUs)})`;
  const caution = 'That it breaks nothing, if so, does not show that the bug is gone.';
  return `The run is no longer the one recorded: it goes its own way ${from}, ${to}. ${caution}`;
}

function at(us: number | null): string {
  return us === null ? 'never reached now' : `at ${formatSeconds(us)}`;
}

function shrunkText({ size, runs }: NonNullable<Replayed['shrunk']>, out: string | null): string {
  const how = {
    minimal: 'the smallest that still breaks it',
    smaller: 'smaller, not yet the smallest',
    whole: 'whole',
  };
  return `Written to ${out}: ${how[size]}, after ${plural(runs, 'run')}. Above is its run.`;
}
