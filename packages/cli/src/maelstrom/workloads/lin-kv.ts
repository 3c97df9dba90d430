import { checkLinearizable, type HistoryEvent } from '@polder/core/checkers';
import type { Operation } from '../operation.ts';
import { RpcError } from '../protocol.ts';
import {
  type Call,
  type Findings,
  field,
  findings,
  isPresent,
  type Workload,
  type WorkloadOptions,
} from './workload.ts';

const KEY_DOES_NOT_EXIST = 20;
const VALUES = 5;
const OPERATIONS_PER_KEY = 120;

interface Argument {
  readonly key: number;
  /** write: the value; cas: `[from, to]`; read: null. */
  readonly value: unknown;
}

/** Reads, writes and swaps of a few keys at a time; each key is retired after some operations, to keep the check fast. */
export function linearizableKeyValueWorkload({ stream, keyCount, concurrency }: WorkloadOptions): Workload {
  const slots = Array.from({ length: keyCount ?? Math.max(1, Math.ceil(concurrency / 5)) }, (_, key) => ({
    key,
    used: 0,
  }));
  let nextKey = slots.length;
  return {
    session: (call) => ({ perform: ({ f, value }) => perform(call, f, value as Argument) }),
    next: () => {
      const slot = stream.pick(slots);
      if (slot.used++ >= OPERATIONS_PER_KEY) {
        slot.key = nextKey++;
        slot.used = 1;
      }
      const { key } = slot;
      switch (stream.below(3)) {
        case 0:
          return { f: 'write', value: { key, value: stream.below(VALUES) } };
        case 1:
          return { f: 'cas', value: { key, value: [stream.below(VALUES), stream.below(VALUES)] } };
        default:
          return { f: 'read', value: { key, value: null } };
      }
    },
    check: checkLinearizableKeyValue,
  };
}

async function perform(call: Call, f: string, { key, value }: Argument): Promise<unknown> {
  if (f === 'write') {
    await call({ type: 'write', key, value });
    return null;
  }
  if (f === 'cas') {
    const [from, to] = value as [unknown, unknown];
    await call({ type: 'cas', key, from, to });
    return null;
  }
  try {
    return field(await call({ type: 'read', key }), 'value', isPresent, 'the value');
  } catch (error) {
    // "No such key" is an observation like any other: it must fit into the order too.
    if (error instanceof RpcError && error.code === KEY_DOES_NOT_EXIST) return null;
    throw error;
  }
}

export function checkLinearizableKeyValue(history: readonly Operation[]): Findings {
  const verdict = checkLinearizable(registerHistory(history));
  const reasons = verdict.violation !== undefined ? [verdict.violation.sentence] : [];
  const doubts = verdict.reason !== null ? [verdict.reason] : [];
  return findings(reasons, doubts, { keys: verdict.keys, operations: verdict.operations, states: verdict.states });
}

/** The history in the form that the checker reads: invocations and completions in the order in which they happened. */
export function registerHistory(history: readonly Operation[]): HistoryEvent[] {
  const events: { at: number; event: Omit<HistoryEvent, 'index'> }[] = [];
  for (const { process, f, value, outcome, result, invokedAt, completedAt, invokedMs, completedMs } of history) {
    const argument = value as Argument;
    const shared = { process, f: f as HistoryEvent['f'], key: String(argument.key) };
    events.push({ at: invokedAt, event: { ...shared, type: 'invoke', value: argument.value, time: invokedMs } });
    // Without a completion an operation counts as `info`.
    if (outcome === 'info') continue;
    const answer = f === 'read' ? result : argument.value;
    events.push({ at: completedAt, event: { ...shared, type: outcome, value: answer, time: completedMs } });
  }
  return events.sort((a, b) => a.at - b.at).map(({ event }, index) => ({ index, ...event }));
}
