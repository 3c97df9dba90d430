/** Judges of a run's history. */
import {
  checkLinearizable,
  checkTransactions,
  type HistoryEvent,
  LinearizabilityChecker,
  MODELS,
  pairOperations,
} from '../../checkers/index.ts';

export interface Judgement {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** What is wrong, or why nobody knows, for a person; '' when valid. */
  readonly sentence: string;
}

/** Hears a history as it grows. */
export interface Judge {
  /** What it asks for, for a person: the rule that is broken. */
  readonly name: string;
  /** What can no longer be explained, once there is something; else null. */
  add(event: HistoryEvent): string | null;
  /** Of the history so far. */
  judge(): Judgement;
}

export interface Check {
  /** `model`: what the workload says that its operations mean. */
  begin(model: string): Judge;
}

const VALID: Judgement = { result: 'valid', sentence: '' };

/**
 * Whether some order of the operations, each between its invocation and its answer, explains every answer. Judged
 * while the run goes on: it ends with the first answer that cannot be explained.
 */
export function linearizable(): Check {
  return {
    begin: (model) => {
      const checker = new LinearizabilityChecker(model);
      const history: HistoryEvent[] = [];
      return {
        name: 'Linearizability',
        add: (event) => {
          history.push(event);
          if (checker.add(event) === null) return null;
          // The search over the whole history knows more to say than the one that forgets.
          return checkLinearizable(history, { model }).violation?.sentence ?? 'the history is not linearizable';
        },
        judge: () => {
          const { result, reason } = checker.verdict();
          return { result, sentence: reason ?? '' };
        },
      };
    },
  };
}

/** Whether transactions on lists (`append`, `r`) show no anomaly, real time included (Elle). */
export function strictlySerializable(): Check {
  return check('Strict serializability', (history) => {
    const operations = pairOperations(history);
    const verdict = checkTransactions(operations, { model: 'strict-serializable' });
    return { result: verdict.result, sentence: verdict.violations[0]?.sentence ?? verdict.reason ?? '' };
  });
}

/** Whether every `read` of all accounts adds up to the same total: `conserved(100)`. */
export function conserved(total: number): Check {
  return check('Conservation', (history) => {
    let reads = 0;
    for (const { type, f, value, process } of history) {
      if (type !== 'ok' || f !== 'read') continue;
      reads++;
      const balances = value as readonly number[];
      const sum = balances.reduce((all, balance) => all + balance, 0);
      if (sum === total) continue;
      return { result: 'invalid', sentence: `Process ${process} read ${balances.join(' + ')} = ${sum}, not ${total}.` };
    }
    return reads > 0 ? VALID : { result: 'unknown', sentence: 'nobody has read the accounts' };
  });
}

/** What the workload's model asks for. */
export function consistent(): Check {
  const begin = (model: string): Judge => {
    if (MODELS.some(({ name }) => name === model)) return linearizable().begin(model);
    if (model === 'list-append') return strictlySerializable().begin(model);
    const [bank, total] = model.split(' ');
    return bank === 'bank' ? conserved(Number(total)).begin(model) : check(model, () => VALID).begin(model);
  };
  return { begin };
}

/** A check of one's own, over the whole history at its end. */
export function check(name: string, judge: (history: readonly HistoryEvent[], model: string) => Judgement): Check {
  return {
    begin: (model) => {
      const history: HistoryEvent[] = [];
      return {
        name,
        add: (event) => {
          history.push(event);
          return null;
        },
        judge: () => judge(history, model),
      };
    },
  };
}
