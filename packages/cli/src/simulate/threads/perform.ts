/** Does one job, here and now. */
import { unreachable } from '@polder/core';
import { BUGS, detect, emptyReport } from '@polder/core/simulation';
import { CommandError, ExitCode } from '../../exit-code.ts';
import { replayTrace, shrinkTrace } from '../replay/play.ts';
import { loadScenario } from '../scenarios.ts';
import { narrate } from '../sim/narrator.ts';
import type { Answer, Detected, Finding, Job, JobType, Told } from './jobs.ts';

/** Throws a `CommandError` or a `PolderError` for what a person can put right. */
export async function perform(job: Job, tell: (told: Told<JobType>) => void): Promise<Answer<JobType>> {
  switch (job.type) {
    case 'describe':
      return describe(job);
    case 'seeds':
      return seeds(job);
    case 'shrink':
      return find(job, tell);
    case 'replay':
      return replayTrace(await loadScenario(job.source), job.trace, job.shrink, tell);
    case 'detect':
      return tryBug(job, tell);
    case 'narrate':
      return narrate(job, tell);
    default:
      return unreachable(job);
  }
}

async function describe({ source, hashOfSeed }: Job<'describe'>): Promise<Answer<'describe'>> {
  const scenario = await loadScenario(source);
  const hash = hashOfSeed === null ? '' : scenario.record(hashOfSeed).hash;
  return { empty: emptyReport(scenario.spec), hash };
}

async function seeds({ source, from, seeds: count, stopAtViolation }: Job<'seeds'>): Promise<Answer<'seeds'>> {
  const scenario = await loadScenario(source);
  let done = 0;
  const onSeed = ({ violation }: { readonly violation: unknown }): boolean => {
    done++;
    return violation === null || !stopAtViolation;
  };
  try {
    return scenario.run({ from, seeds: count, onSeed });
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new CommandError(ExitCode.unknown, `seed ${from + done} could not be run: ${what}`, { cause: error });
  }
}

async function find({ source, seed }: Job<'shrink'>, tell: (told: Told<'shrink'>) => void): Promise<Finding> {
  const scenario = await loadScenario(source);
  const report = scenario.record(seed);
  const { trace, violation } = report;
  if (trace === null || violation === null) {
    const why = 'a scenario must draw all chance from what it is given, and keep nothing from seed to seed';
    throw new CommandError(ExitCode.unknown, `seed ${seed} broke a rule and then did not when it ran again: ${why}`);
  }
  tell({ type: 'recorded', trace });
  return shrinkTrace(scenario, trace, report, tell);
}

function tryBug({ bug: id, from, seeds: count }: Job<'detect'>, tell: (told: Told<'detect'>) => void): Detected {
  const bug = BUGS.find((known) => known.id === id);
  if (bug === undefined) throw new CommandError(ExitCode.unknown, `the zoo has no bug ${id}`);
  const startedMs = performance.now();
  const onSeed = (tried: number): boolean => {
    tell({ tried });
    return true;
  };
  const { caught, seeds: tried, seed, violation } = detect(bug, { from, seeds: count, onSeed });
  return { caught, seeds: tried, seed, violation, seconds: (performance.now() - startedMs) / 1_000 };
}
