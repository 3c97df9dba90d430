import { assert } from '../../base/assert.ts';
import {
  type ConsistencyVerdict,
  described,
  inInvocationOrder,
  type RecordedOperation,
  shown,
  verdictOf,
} from '../recorded.ts';
import { Program } from './program.ts';
import { SequentialSearch } from './search.ts';

export interface SequentialOptions {
  /** States that the search may remember before it gives the answer `unknown`. */
  readonly maxStates?: number;
}

export interface SequentialViolation {
  /** The longest order that was found. */
  readonly longestOrder: readonly RecordedOperation[];
  /** Then none of these, the next of each process, fits. */
  readonly stuck: readonly RecordedOperation[];
  /** For a person. */
  readonly sentence: string;
}

export interface SequentialVerdict extends ConsistencyVerdict<SequentialViolation> {
  /** How many states the search looked at. */
  readonly states: number;
  /** An order that explains a valid history; null otherwise. */
  readonly order: readonly RecordedOperation[] | null;
}

const DEFAULT_MAX_STATES = 500_000;

/**
 * Whether registers, all keys together, are sequentially consistent (Lamport 1979): one order of all operations keeps
 * the order of each process and explains every answer; real time is free. The question is NP-complete, so that the
 * search has a bound. Throws `MalformedHistory` for functions other than read, write and cas.
 */
export function checkSequential(
  operations: readonly RecordedOperation[],
  options: SequentialOptions = {},
): SequentialVerdict {
  const { maxStates = DEFAULT_MAX_STATES } = options;
  assert(Number.isSafeInteger(maxStates) && maxStates >= 1, 'maxStates is a positive integer');
  const program = new Program(inInvocationOrder(operations));
  const nothing = { states: 0, order: null };
  if (!operations.some(({ outcome }) => outcome === 'ok')) {
    return { ...verdictOf<SequentialViolation>([], 'no operation succeeded: run for longer'), ...nothing };
  }
  const thin = program.thinAir[0];
  if (thin !== undefined) {
    const start = described(thin.operation);
    const sentence = `${start.slice(0, 1).toUpperCase()}${start.slice(1)} saw what no operation can have written.`;
    return { ...verdictOf([{ longestOrder: [], stuck: [thin.operation], sentence }], null), ...nothing };
  }
  const search = new SequentialSearch(program, maxStates);
  const found = search.run();
  const { states } = search;
  switch (found.type) {
    case 'valid':
      return { ...verdictOf<SequentialViolation>([], null), states, order: found.order };
    case 'unknown': {
      const reason = `no answer within ${maxStates} states: raise maxStates, or use fewer processes or a shorter history`;
      return { ...verdictOf<SequentialViolation>([], reason), states, order: null };
    }
    case 'invalid': {
      const met = found.stuck.map(({ step, met: value }) => {
        const why = step.sees === null ? 'may not be overwritten yet' : 'stands there';
        return `${described(step.operation)}, where ${shown(program.values[value])} ${why}`;
      });
      const placed = found.order.length;
      const start = `No order that keeps each process's own explains every answer: the longest places ${placed} operations`;
      const sentence = `${start}, and then none of these fits: ${met.join('; ')}.`;
      const stuck = found.stuck.map(({ step }) => step.operation);
      return { ...verdictOf([{ longestOrder: found.order, stuck, sentence }], null), states, order: null };
    }
  }
}
