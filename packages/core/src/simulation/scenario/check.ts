/** Judges of a run's history. */
import { checkLinearizable, type HistoryEvent } from '../../checkers/index.ts';

export interface Judgement {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** What is wrong, or why nobody knows, for a person; '' when valid. */
  readonly sentence: string;
}

export interface Check {
  readonly name: string;
  readonly judge: (history: readonly HistoryEvent[], model: string) => Judgement;
}

/** Whether some order of the operations, each between its invocation and its answer, explains every answer. */
export function linearizable(): Check {
  return {
    name: 'Linearizability',
    judge: (history) => {
      const verdict = checkLinearizable(history);
      return { result: verdict.result, sentence: verdict.violation?.sentence ?? verdict.reason ?? '' };
    },
  };
}

/** A check of one's own. */
export function check(name: string, judge: Check['judge']): Check {
  return { name, judge };
}
