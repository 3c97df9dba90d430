/** The table of the zoo: for a person and for a program. No running here. */
import { assert, defined } from '@polder/core';
import type { Bug } from '@polder/core/simulation';
import { formatTable } from '../../terminal.ts';
import type { Detected } from '../threads/jobs.ts';

export type Trial = Detected;

/** What all starts of one bug say together. */
export interface Tally {
  readonly bug: Pick<Bug, 'id' | 'pitfalls' | 'breaks' | 'caughtBy'>;
  /** Asked for, tried to the end, and in how many of these it was caught. */
  readonly starts: number;
  readonly tried: number;
  readonly caught: number;
  /** The median of the starts, one that did not catch it counting as more than any; null: not caught in the median. */
  readonly seedsToDetection: number | null;
  /** The median; null: not tried. */
  readonly seconds: number | null;
  /** Of the start that caught it first. */
  readonly violation: Trial['violation'];
}

export function tallyOf(bug: Tally['bug'], trials: readonly Trial[], starts: number): Tally {
  const caught = trials.filter((trial) => trial.caught);
  const none = { bug, starts, tried: trials.length, caught: caught.length, seedsToDetection: null, violation: null };
  if (trials.length === 0) return { ...none, seconds: null };
  const seedsToDetection = median(trials.map((trial) => (trial.caught ? trial.seeds : Number.POSITIVE_INFINITY)));
  const soonest = caught.toSorted((a, b) => a.seeds - b.seeds)[0];
  return {
    ...none,
    seedsToDetection: Number.isFinite(seedsToDetection) ? seedsToDetection : null,
    seconds: median(trials.map((trial) => trial.seconds)),
    violation: soonest?.violation ?? null,
  };
}

/** From every start that was asked for. */
export function isCaught({ starts, caught }: Tally): boolean {
  return caught === starts;
}

export function zooJson(tallies: readonly Tally[]): string {
  const bugs = tallies.map((tally) => ({
    id: tally.bug.id,
    rule: tally.violation?.rule ?? null,
    caught: isCaught(tally),
    seedsToDetection: tally.seedsToDetection,
    seconds: tally.seconds === null ? null : Math.round(tally.seconds * 1_000) / 1_000,
    violation: tally.violation?.sentence ?? null,
    by: tally.bug.caughtBy.type,
    pitfalls: tally.bug.pitfalls,
    breaks: tally.bug.breaks,
    starts: tally.starts,
    tried: tally.tried,
    caughtStarts: tally.caught,
  }));
  return JSON.stringify({ bugs, score: scoreOf(tallies) });
}

export function zooTable(tallies: readonly Tally[]): string {
  const several = tallies.some(({ starts }) => starts > 1);
  const heads = ['BUG', 'CAUGHT', several ? 'SEEDS (MEDIAN)' : 'SEEDS', 'SECONDS', 'BY'];
  const rows = tallies.map((tally) => [
    tally.bug.id,
    caughtText(tally),
    tally.seedsToDetection === null ? '-' : String(tally.seedsToDetection),
    tally.seconds === null ? '-' : tally.seconds.toFixed(1),
    tally.bug.caughtBy.type,
  ]);
  const [head, ...lines] = formatTable(heads, rows).split('\n');
  // Sentences are too long for columns.
  const table = lines.flatMap((line, i) => [line, ...sentences(defined(tallies[i], 'a line for each bug'))]);
  return [head, ...table, '', scoreText(tallies)].join('\n');
}

function sentences({ bug, violation }: Tally): string[] {
  const directed = bug.caughtBy.type === 'directed' ? [`    directed: ${bug.caughtBy.why}`] : [];
  const broken = violation === null ? [] : [`    ◀ ${violation.rule}: ${violation.sentence}`];
  return [`    ${bug.breaks}`, ...directed, ...broken];
}

interface Score {
  readonly bugs: number;
  /** Of the seed text's own system: the general campaign has no say in those. */
  readonly ofSeed: number;
  readonly caught: number;
  readonly byGeneral: number;
  readonly notTried: number;
}

function scoreOf(tallies: readonly Tally[]): Score {
  const caught = tallies.filter(isCaught);
  return {
    bugs: tallies.length,
    caught: caught.length,
    ofSeed: tallies.filter(({ bug }) => bug.caughtBy.type === 'seed').length,
    byGeneral: caught.filter(({ bug }) => bug.caughtBy.type === 'general').length,
    notTried: tallies.filter(({ starts, tried }) => tried < starts).length,
  };
}

function scoreText(tallies: readonly Tally[]): string {
  const { bugs, caught, ofSeed, byGeneral, notTried } = scoreOf(tallies);
  const percent = (count: number, of: number): string => `${Math.round((count / of) * 100)} %`;
  const unfinished = notTried === 0 ? '' : `; ${notTried} not tried to the end`;
  const general = `by the general campaign ${byGeneral} of the ${bugs - ofSeed} in production's code (${percent(byGeneral, bugs - ofSeed)})`;
  return `${caught} of ${bugs} caught (${percent(caught, bugs)}); ${general}${unfinished}`;
}

function caughtText(tally: Tally): string {
  if (tally.tried === 0) return 'not tried';
  if (isCaught(tally)) return 'yes';
  return tally.caught === 0 ? 'NO' : `${tally.caught} of ${tally.starts}`;
}

/** The lower of the two in the middle when there is no one in the middle: a number that was really seen. */
function median(values: readonly number[]): number {
  assert(values.length > 0, 'a median is of something');
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1] ?? Number.NaN;
}
