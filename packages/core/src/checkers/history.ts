import { assert } from '../base/assert.ts';
import { PolderError } from '../base/error.ts';

/**
 * One line of a history, in the order in which the clients saw it. `invoke` opens an operation of a process; `ok`
 * says that it happened, `fail` that it certainly did not, `info` that nobody knows (a timeout): it may take effect
 * at any later time, or never.
 */
export interface HistoryEvent {
  readonly index: number;
  readonly process: number;
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  readonly f: 'read' | 'write' | 'cas';
  readonly key: string;
  /** write: the value; cas: `[old, new]`; the `ok` of a read: the value read, or null when the key is absent. */
  readonly value: unknown;
  readonly time: number;
}

export type Outcome = 'ok' | 'fail' | 'info';

/** An invocation with its completion. One that never completed has the outcome `info` (PITFALLS D6). */
export interface Operation {
  readonly f: HistoryEvent['f'];
  readonly key: string;
  readonly process: number;
  readonly outcome: Outcome;
  readonly value: unknown;
  readonly invokeIndex: number;
  readonly completeIndex: number | null;
  /** Positions in the history: what decides which operation came before which. */
  readonly invokedAt: number;
  /** Infinity for `info`: such an operation stays open for ever. */
  readonly completedAt: number;
}

const TYPES: readonly string[] = ['invoke', 'ok', 'fail', 'info'];
const FUNCTIONS: readonly string[] = ['read', 'write', 'cas'];

/** Reads JSON lines; throws `MalformedHistory` with the line and what to do. Empty lines are allowed. */
export function parseHistory(jsonl: string): HistoryEvent[] {
  const history: HistoryEvent[] = [];
  const lineOf: number[] = [];
  for (const [i, line] of jsonl.split('\n').entries()) {
    if (line.trim() === '') continue;
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch (cause) {
      const advice = 'is not JSON: if the writer was killed in mid-line, remove the line; else write one object a line';
      throw malformed(`line ${i + 1}`, advice, cause);
    }
    history.push(checkEvent(parsed, `line ${i + 1}`));
    lineOf.push(i + 1);
  }
  pairOperations(history, (position) => `line ${lineOf[position]}`);
  return history;
}

/** JSON lines that `parseHistory` reads back to the same events. */
export function formatHistory(history: readonly HistoryEvent[]): string {
  let lines = '';
  for (const { index, process, type, f, key, value, time } of history) {
    lines += `${JSON.stringify({ index, process, type, f, key, value: value ?? null, time })}\n`;
  }
  return lines;
}

/** Every operation in order of invocation; throws `MalformedHistory` when events do not belong together. */
export function pairOperations(
  history: readonly HistoryEvent[],
  where: (position: number) => string = (position) => `the event at position ${position}`,
): Operation[] {
  const operations: Operation[] = [];
  const open = new Map<number, { slot: number; position: number; invoke: HistoryEvent }>();
  let lastIndex = -1;
  for (const [position, event] of history.entries()) {
    checkEvent(event, where(position));
    if (event.index <= lastIndex) {
      throw malformed(where(position), `has index ${event.index} after ${lastIndex}: put the events in order of index`);
    }
    lastIndex = event.index;
    const current = open.get(event.process);
    if (event.type === 'invoke') {
      if (current !== undefined) {
        const before = `process ${event.process} still has the operation of ${where(current.position)} open`;
        throw malformed(where(position), `invokes, but ${before}: complete it (info if unknown) first`);
      }
      open.set(event.process, { slot: operations.length, position, invoke: event });
      operations.push(operation(event, position, null, Number.POSITIVE_INFINITY));
      continue;
    }
    if (current === undefined) {
      const advice = 'record the invocation before the request is sent';
      throw malformed(where(position), `completes an operation that process ${event.process} never invoked: ${advice}`);
    }
    checkCompletion(current.invoke, event, where(position));
    open.delete(event.process);
    operations[current.slot] = operation(current.invoke, current.position, event, position);
  }
  return operations;
}

function operation(invoke: HistoryEvent, invokedAt: number, complete: HistoryEvent | null, at: number): Operation {
  const outcome = complete === null || complete.type === 'invoke' ? 'info' : complete.type;
  const completed = outcome !== 'info';
  assert(!completed || at > invokedAt, 'an operation completes after its invocation');
  return {
    f: invoke.f,
    key: invoke.key,
    process: invoke.process,
    outcome,
    value: invoke.f === 'read' ? (outcome === 'ok' ? complete?.value : null) : invoke.value,
    invokeIndex: invoke.index,
    completeIndex: complete?.index ?? null,
    invokedAt,
    completedAt: completed ? at : Number.POSITIVE_INFINITY,
  };
}

function checkCompletion(invoke: HistoryEvent, event: HistoryEvent, where: string): void {
  if (invoke.f !== event.f || invoke.key !== event.key) {
    const began = `${invoke.f} of key ${JSON.stringify(invoke.key)}`;
    const ended = `${event.f} of key ${JSON.stringify(event.key)}`;
    throw malformed(where, `completes a ${ended}, but process ${event.process} invoked a ${began}: make them the same`);
  }
  if (event.f === 'read' || event.type !== 'ok' || event.value === null || event.value === undefined) return;
  if (canonical(event.value) !== canonical(invoke.value)) {
    throw malformed(
      where,
      `completes a ${event.f} with another value than it was invoked with: repeat the value, or null`,
    );
  }
}

function checkEvent(value: unknown, where: string): HistoryEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(where, 'is not an object: write {index, process, type, f, key, value, time}');
  }
  const event = value as Record<keyof HistoryEvent, unknown>;
  if (!Number.isSafeInteger(event.index) || (event.index as number) < 0) {
    throw malformed(where, 'has no index: number the events from 0');
  }
  if (!Number.isSafeInteger(event.process) || (event.process as number) < 0) {
    throw malformed(where, 'has no process: give each client a non-negative integer');
  }
  if (!TYPES.includes(event.type as string)) {
    throw malformed(where, `has the unknown type ${JSON.stringify(event.type)}: use one of ${TYPES.join(', ')}`);
  }
  if (!FUNCTIONS.includes(event.f as string)) {
    throw malformed(where, `has the unknown f ${JSON.stringify(event.f)}: use one of ${FUNCTIONS.join(', ')}`);
  }
  if (typeof event.key !== 'string') throw malformed(where, 'has no key: write a string');
  if (typeof event.time !== 'number') throw malformed(where, 'has no time: write a number');
  if (event.f === 'read' && event.type === 'ok' && event.value === undefined) {
    throw malformed(where, 'reads no value: write the value that was read, or null when the key is absent');
  }
  if (event.f === 'write' && event.type === 'invoke' && event.value === undefined) {
    throw malformed(where, 'writes no value: write the value');
  }
  const pair = Array.isArray(event.value) && event.value.length === 2;
  if (event.f === 'cas' && event.type === 'invoke' && !pair) {
    throw malformed(where, 'is a cas without its two values: write [old, new]');
  }
  return value as HistoryEvent;
}

/** The same text for the same JSON value, whatever the order of its object keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

function malformed(where: string, what: string, cause?: unknown): PolderError {
  return new PolderError('MalformedHistory', `${where} ${what}`, { cause });
}
