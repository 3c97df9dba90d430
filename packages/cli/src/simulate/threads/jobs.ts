/** What threads are asked for and what they answer: plain records, for they are copied from thread to thread. */
import type { CampaignReport, RunReport, ShrinkSize, Trace, TracedViolation } from '@polder/core/simulation';
import type { BuiltIn, ScenarioSource } from '../scenarios.ts';
import type { SimEvent } from '../sim/events.ts';

/** By type: what is asked, what is told on the way, what is answered. */
interface Jobs {
  /** A report of no seeds, and the hash of one seed's run: whether two campaigns run the same code. */
  readonly describe: {
    readonly asks: { readonly source: ScenarioSource; readonly hashOfSeed: number | null };
    readonly tells: never;
    readonly answers: { readonly empty: CampaignReport; readonly hash: string };
  };
  /** A range of seeds, in order. */
  readonly seeds: {
    readonly asks: {
      readonly source: ScenarioSource;
      readonly from: number;
      readonly seeds: number;
      /** Not beyond the first violation. */
      readonly stopAtViolation: boolean;
    };
    readonly tells: never;
    readonly answers: CampaignReport;
  };
  /** One seed, written down, and made as small as it gets. */
  readonly shrink: {
    readonly asks: { readonly source: ScenarioSource; readonly seed: number };
    readonly tells: Recorded | ({ readonly type: 'progress' } & ShrinkSize);
    readonly answers: Finding;
  };
  readonly replay: {
    readonly asks: { readonly source: ScenarioSource; readonly trace: Trace; readonly shrink: boolean };
    readonly tells: { readonly type: 'progress' } & ShrinkSize;
    readonly answers: Replayed;
  };
  /** A bug of the zoo, until a seed catches it. */
  readonly detect: {
    readonly asks: { readonly bug: string; readonly from: number; readonly seeds: number };
    readonly tells: { readonly tried: number };
    readonly answers: Detected;
  };
  /** One seed of the general campaign, told as it went. */
  readonly narrate: {
    readonly asks: {
      readonly members: number;
      readonly forUs: number;
      readonly seed: number;
      readonly protocol?: BuiltIn;
    };
    readonly tells: SimEvent;
    readonly answers: RunReport;
  };
}

export type JobType = keyof Jobs;
export type Job<Type extends JobType = JobType> = { [T in Type]: { readonly type: T } & Jobs[T]['asks'] }[Type];
export type Told<Type extends JobType> = Jobs[Type]['tells'];
export type Answer<Type extends JobType> = Jobs[Type]['answers'];

export interface Recorded {
  readonly type: 'recorded';
  readonly trace: Trace;
}

export interface Finding {
  readonly trace: Trace;
  /** Of the trace, played. */
  readonly report: RunReport;
  /** Candidates tried. */
  readonly runs: number;
  /** whole: playing the trace does not break the rule that the seed breaks, so that nothing can be taken away. */
  readonly size: 'minimal' | 'smaller' | 'whole';
}

export interface Replayed {
  readonly report: RunReport;
  readonly divergence: Divergence | null;
  /** When asked for, and when there is something to shrink. */
  readonly shrunk: Finding | null;
}

/** The run is no longer the one that was recorded: they part between two events whose hashes were noted. */
export interface Divergence {
  readonly afterEvent: number;
  readonly beforeEvent: number;
  /** When these happen in the run as it is now; null: it ends before. */
  readonly afterUs: number | null;
  readonly beforeUs: number | null;
}

export interface Detected {
  readonly caught: boolean;
  readonly seeds: number;
  readonly seed: number;
  readonly seconds: number;
  readonly violation: TracedViolation | null;
}

/** Between the threads. An error is told as text: what a person has to know, and the stack if it is a bug. */
export type ToWorker = { readonly id: number; readonly job: Job };
export type FromWorker =
  | { readonly id: number; readonly type: 'told'; readonly told: unknown }
  | { readonly id: number; readonly type: 'answer'; readonly answer: unknown }
  | { readonly id: number; readonly type: 'failed'; readonly message: string };
