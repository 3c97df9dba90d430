/** What exploring a scenario's protocol takes and gives: every order of what may happen within small bounds. */
import { type ExploreProgress, explore, type Model } from '../explore/index.ts';
import type { Intent } from './workloads/workload.ts';

export interface ExplorationBounds {
  /** So many actions in a row, at most. Without it: until nothing new is found. */
  readonly depth?: number;
  readonly maxStates?: number;
  /** Timers and deadlines that pass, of all members together. Default 2. */
  readonly timeouts?: number;
  /** A member loses all but what is durable, and starts again at once. Default 0. */
  readonly crashes?: number;
  /** Messages that arrive twice. Default 0. (Any message may be late for ever: that is its loss.) */
  readonly duplicates?: number;
  /** What clients ask, each at any member that takes it, in this order. Raft counts them only. */
  readonly operations?: readonly Intent[];
  /** False: the walk ends. */
  readonly onProgress?: (progress: ExploreProgress) => boolean | undefined;
}

export interface ExplorationReport {
  /** Different ones, up to a renaming of the members where the protocol allows it. */
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Everything within the bounds was seen. */
  readonly complete: boolean;
  readonly violation: { readonly rule: string; readonly sentence: string; readonly actions: readonly string[] } | null;
}

export function exploreModel<State, Action>(
  model: Model<State, Action>,
  { depth, maxStates, onProgress }: ExplorationBounds,
): ExplorationReport {
  const { violation, ...found } = explore(model, {
    ...(depth === undefined ? {} : { maxDepth: depth }),
    ...(maxStates === undefined ? {} : { maxStates }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  return {
    states: found.states,
    transitions: found.transitions,
    depth: found.depth,
    complete: found.complete,
    violation:
      violation === null
        ? null
        : { rule: violation.property, sentence: violation.sentence, actions: violation.described },
  };
}
