import type { ConsistencyVerdict, RecordedOperation } from '../recorded.ts';

/**
 * The three kinds of causal consistency that Bouajjani, Enea, Guerraoui and Hamza tell apart ("On verifying causal
 * consistency", POPL 2017): CC, each answer is explained by its causal past alone; CCv, causal convergence, all
 * processes resolve concurrent writes in one order; CM, causal memory, each process also stands by its own answers.
 */
export type CausalModel = 'CC' | 'CCv' | 'CM';

/** Their bad patterns (tables 2 and 3): a history of unique values is consistent exactly when it shows none. */
export type CausalPattern =
  | 'CyclicCO'
  | 'WriteCOInitRead'
  | 'ThinAirRead'
  | 'WriteCORead'
  | 'CyclicCF'
  | 'WriteHBInitRead'
  | 'CyclicHB';

export interface CausalViolation {
  readonly pattern: CausalPattern;
  /** The operations that make it; of a cycle, in its order. */
  readonly operations: readonly RecordedOperation[];
  /** For a person. */
  readonly sentence: string;
}

export type CausalVerdict = ConsistencyVerdict<CausalViolation>;

/** Labels of edges: program order, reads-from, conflict (section 5), happened-before of one process. */
export const ORDER = { program: 1, readsFrom: 2, conflict: 4, happenedBefore: 8 } as const;

export const CAUSAL = ORDER.program | ORDER.readsFrom;
