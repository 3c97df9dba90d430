/** A known mistake that can be switched on, and what catches it. */
import type { ProtocolTypes } from '../protocol.ts';
import { generalRaft } from '../raft/general.ts';
import { NO_SABOTAGE, type Sabotage } from '../raft/sabotage.ts';
import { runOnce } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { TracedViolation } from '../scenario/trace.ts';
import { Violation } from '../violation.ts';
import type { Schedule } from './schedules.ts';

export interface Bug {
  /** Stable: a pitfall's id and a few words, as `r1-commits-by-counting`. */
  readonly id: string;
  /** The entries of docs/PITFALLS.md that it makes true. */
  readonly pitfalls: readonly string[];
  /** What the broken code does, in a sentence. */
  readonly breaks: string;
  /** Where the rule, or the mistake, is written down. */
  readonly source: string;
  readonly caughtBy:
    | { readonly type: 'general'; readonly seeds: SeedRunner }
    /** A scenario of its own, with the reason why chance seldom finds it. */
    | { readonly type: 'directed'; readonly why: string; readonly seeds: SeedRunner }
    /** Switched on in the seed text's own system, not in production's: the general campaign has no say in it. */
    | { readonly type: 'seed'; readonly seeds: SeedRunner };
}

/** One seed with the bug switched on: the violation that it led to, or null. */
export type SeedRunner = (seed: number) => TracedViolation | null;

export interface Detection {
  readonly bug: Bug;
  readonly caught: boolean;
  /** Tried, the one that caught it included. */
  readonly seeds: number;
  /** The seed that caught it; 0: none. */
  readonly seed: number;
  readonly violation: TracedViolation | null;
}

export interface DetectOptions {
  readonly from?: number;
  /** Tried at most. Default 1,000. */
  readonly seeds?: number;
  /** After each seed; false: give up. */
  readonly onSeed?: (tried: number) => boolean | undefined;
}

/** Runs seeds until one catches the bug. */
export function detect(bug: Bug, options: DetectOptions = {}): Detection {
  const { from = 1, seeds = 1_000, onSeed } = options;
  for (let tried = 1; tried <= seeds; tried++) {
    const seed = from + tried - 1;
    const violation = bug.caughtBy.seeds(seed);
    if (violation !== null) return { bug, caught: true, seeds: tried, seed, violation };
    if (onSeed?.(tried) === false) return { bug, caught: false, seeds: tried, seed: 0, violation: null };
  }
  return { bug, caught: false, seeds, seed: 0, violation: null };
}

export function seedsOf<Types extends ProtocolTypes>(scenario: Scenario<Types>): SeedRunner {
  return (seed) => runOnce(scenario.spec, seed).violation;
}

/** Caught by the general campaign, whose faults and parameters were fixed before any bug was switched on. */
export function general(sabotage: Partial<Sabotage>): Bug['caughtBy'] {
  return { type: 'general', seeds: seedsOf(generalRaft({ sabotage: { ...NO_SABOTAGE, ...sabotage } })) };
}

/** Caught by a schedule of its own, for chance seldom finds it. */
export function directed(why: string, schedule: Schedule, sabotage: Partial<Sabotage>): Bug['caughtBy'] {
  const seeds: SeedRunner = (seed) => {
    try {
      schedule({ ...NO_SABOTAGE, ...sabotage }, seed);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      return { rule: error.rule, sentence: error.sentence, atUs: error.atUs };
    }
    return null;
  };
  return { type: 'directed', why, seeds };
}
