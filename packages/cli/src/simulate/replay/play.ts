/** Plays a trace in a scenario, and makes it smaller. */
import { PolderError } from '@polder/core';
import {
  HASH_EVERY,
  Run,
  type RunReport,
  type ShrinkProgress,
  type ShrinkSize,
  type Trace,
} from '@polder/core/simulation';
import type { AnyScenario } from '../scenarios.ts';
import type { Divergence, Finding, Replayed } from '../threads/jobs.ts';

type Tell = (progress: { readonly type: 'progress' } & ShrinkSize) => void;

/** Throws `TraceDoesNotFit`, also for a trace of a scenario with another name. */
export function replayTrace(scenario: AnyScenario, trace: Trace, shrink: boolean, tell: Tell): Replayed {
  if (scenario.name !== trace.scenario) {
    const message = `the trace is of scenario "${trace.scenario}", not of "${scenario.name}"`;
    throw new PolderError('TraceDoesNotFit', `${message}: give the file that it was made with as --scenario`);
  }
  const report = scenario.replay(trace);
  const shrunk = shrink && report.violation !== null ? shrinkTrace(scenario, trace, report, tell) : null;
  return { report, divergence: divergenceOf(scenario, trace, report), shrunk };
}

/** The trace with all taken away that its violation does not need; the whole trace when playing it breaks nothing. */
export function shrinkTrace(scenario: AnyScenario, trace: Trace, report: RunReport, tell: Tell): Finding {
  try {
    const onProgress = ({ runs, operations, faults, frames }: ShrinkProgress): undefined => {
      tell({ type: 'progress', runs, operations, faults, frames });
    };
    const { minimal, ...shrunk } = scenario.shrink(trace, { onProgress });
    return { ...shrunk, size: minimal ? 'minimal' : 'smaller' };
  } catch (error) {
    // By its code: the scenario's module may have brought a core of its own.
    if (!(error instanceof Error && 'code' in error && error.code === 'NothingToShrink')) throw error;
    return { trace, report, runs: 1, size: 'whole' };
  }
}

/**
 * Where the run parts from the recorded one: null when no noted hash differs. What the other code did between two
 * hashes is not in the trace, so that this is as near as anyone can say.
 */
function divergenceOf(scenario: AnyScenario, trace: Trace, report: RunReport): Divergence | null {
  const common = Math.min(trace.hashes.length, report.hashes.length);
  let same = 0;
  while (same < common && trace.hashes[same] === report.hashes[same]) same++;
  // Equal as far as both go: a run that ends later because nothing is broken any more is still the same run.
  if (same === common && trace.hashes.length <= report.hashes.length) return null;
  const afterEvent = same * HASH_EVERY;
  const beforeEvent = afterEvent + HASH_EVERY;
  const [afterUs, beforeUs] = timesOf(scenario, trace, [afterEvent, beforeEvent]);
  return { afterEvent, beforeEvent, afterUs: afterUs ?? null, beforeUs: beforeUs ?? null };
}

/** When the run reaches these numbers of events. */
function timesOf(scenario: AnyScenario, trace: Trace, events: readonly number[]): (number | null)[] {
  const times: (number | null)[] = events.map((event) => (event === 0 ? 0 : null));
  const run = new Run(scenario.spec, trace.seed, { trace });
  const { simulation } = run;
  simulation.trace = ({ timeUs }) => {
    const index = events.indexOf(simulation.events);
    if (index >= 0) times[index] ??= timeUs;
  };
  run.play();
  return times;
}
