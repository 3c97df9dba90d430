import { assert } from '../base/assert.ts';
import { PolderError } from '../base/error.ts';

/**
 * One line of a history in Jepsen's operation shape, in the order in which the clients saw it. `invoke` opens an
 * operation of a process; `ok` says that it happened, `fail` that it certainly did not, `info` that nobody knows (a
 * timeout): it may take effect at any later time, or never.
 */
export interface HistoryEvent {
  readonly index: number;
  readonly process: number;
  readonly type: 'invoke' | 'ok' | 'fail' | 'info';
  /** What is done: `read`, `write`, `cas`, `append`, ... The models say which they know (`models/`). */
  readonly f: string;
  /** The object it is done to; histories of one object use ''. */
  readonly key: string;
  /** At `invoke` what was asked for, such as the value to write; at `ok` the answer, such as the value read. */
  readonly value: unknown;
  readonly time: number;
}

export type Outcome = 'ok' | 'fail' | 'info';

/** An invocation with its completion. One that never completed has the outcome `info` (PITFALLS D6). */
export interface Operation {
  readonly f: string;
  readonly key: string;
  readonly process: number;
  readonly outcome: Outcome;
  /** Of a `read` what it read; else what its `ok` says, or what its invocation says when `ok` says nothing. */
  readonly value: unknown;
  readonly invokeIndex: number;
  readonly completeIndex: number | null;
  /** Positions in the history: what decides which operation came before which. */
  readonly invokedAt: number;
  /** Infinity for `info`: such an operation stays open for ever. */
  readonly completedAt: number;
}

/** Says of a position in the history where a person finds it, such as "line 7". */
export type Where = (position: number) => string;

export const byPosition: Where = (position) => `the event at position ${position}`;

const TYPES: readonly string[] = ['invoke', 'ok', 'fail', 'info'];

/** JSON lines that `parseHistory` reads back to the same events. */
export function formatHistory(history: readonly HistoryEvent[]): string {
  let lines = '';
  for (const { index, process, type, f, key, value, time } of history) {
    lines += `${JSON.stringify({ index, process, type, f, key, value: value ?? null, time })}\n`;
  }
  return lines;
}

/** Follows the events of a history one by one and refuses those that do not fit together (`MalformedHistory`). */
export class EventPairs {
  readonly #where: Where;
  readonly #open = new Map<number, { position: number; invoke: HistoryEvent }>();
  #lastIndex = -1;

  constructor(where: Where = byPosition) {
    this.#where = where;
  }

  /** The position of the invocation that this event completes; -1 for an invocation. */
  add(event: HistoryEvent, position: number): number {
    checkEvent(event, position, this.#where);
    if (event.index <= this.#lastIndex) {
      const order = `has index ${event.index} after ${this.#lastIndex}: put the events in order of index`;
      throw malformed(this.#where(position), order);
    }
    this.#lastIndex = event.index;
    const current = this.#open.get(event.process);
    if (event.type === 'invoke') {
      if (current !== undefined) throw this.#stillOpen(event, position, current.position);
      this.#open.set(event.process, { position, invoke: event });
      return -1;
    }
    if (current === undefined) {
      const advice = 'record the invocation before the request is sent';
      const what = `completes an operation that process ${event.process} never invoked: ${advice}`;
      throw malformed(this.#where(position), what);
    }
    const { invoke } = current;
    if (invoke.f !== event.f || invoke.key !== event.key) throw this.#mismatch(invoke, event, position);
    this.#open.delete(event.process);
    return current.position;
  }

  #stillOpen(event: HistoryEvent, position: number, before: number): PolderError {
    const open = `process ${event.process} still has the operation of ${this.#where(before)} open`;
    return malformed(this.#where(position), `invokes, but ${open}: complete it (info if unknown) first`);
  }

  #mismatch(invoke: HistoryEvent, event: HistoryEvent, position: number): PolderError {
    const began = `${invoke.f} of key ${JSON.stringify(invoke.key)}`;
    const ended = `${event.f} of key ${JSON.stringify(event.key)}`;
    const what = `completes a ${ended}, but process ${event.process} invoked a ${began}: make them the same`;
    return malformed(this.#where(position), what);
  }
}

/** Every operation in order of invocation; throws `MalformedHistory` when events do not belong together. */
export function pairOperations(history: readonly HistoryEvent[], where: Where = byPosition): Operation[] {
  const pairs = new EventPairs(where);
  const operations: Operation[] = [];
  const slots = new Map<number, number>();
  for (const [position, event] of history.entries()) {
    const invokedAt = pairs.add(event, position);
    if (invokedAt < 0) {
      slots.set(position, operations.length);
      operations.push(operationOf(event, position, null, Number.POSITIVE_INFINITY));
      continue;
    }
    const slot = slots.get(invokedAt);
    const invoke = history[invokedAt];
    assert(slot !== undefined && invoke !== undefined, 'a completion is paired with an event of this history');
    slots.delete(invokedAt);
    operations[slot] = operationOf(invoke, invokedAt, event, position);
  }
  return operations;
}

/** `complete` is null for an operation that never completed. */
export function operationOf(
  invoke: HistoryEvent,
  invokedAt: number,
  complete: HistoryEvent | null,
  at: number,
): Operation {
  const outcome = complete === null || complete.type === 'invoke' ? 'info' : complete.type;
  const completed = outcome !== 'info';
  assert(!completed || at > invokedAt, 'an operation completes after its invocation');
  return {
    f: invoke.f,
    key: invoke.key,
    process: invoke.process,
    outcome,
    value: valueOf(invoke, outcome === 'ok' ? complete : null),
    invokeIndex: invoke.index,
    completeIndex: complete?.index ?? null,
    invokedAt,
    completedAt: completed ? at : Number.POSITIVE_INFINITY,
  };
}

function valueOf(invoke: HistoryEvent, ok: HistoryEvent | null): unknown {
  if (invoke.f === 'read') return ok === null ? null : (ok.value ?? null);
  return ok?.value ?? invoke.value ?? null;
}

/** Refuses what is no event, whatever the operation; what its values must be is the model's matter. */
export function checkEvent(value: unknown, position: number, where: Where): HistoryEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed(where(position), 'is not an object: write {index, process, type, f, key, value, time}');
  }
  const event = value as Record<keyof HistoryEvent, unknown>;
  if (!Number.isSafeInteger(event.index) || (event.index as number) < 0) {
    throw malformed(where(position), 'has no index: number the events from 0');
  }
  if (!Number.isSafeInteger(event.process) || (event.process as number) < 0) {
    throw malformed(where(position), 'has no process: give each client a non-negative integer');
  }
  if (!TYPES.includes(event.type as string)) {
    const known = `use one of ${TYPES.join(', ')}`;
    throw malformed(where(position), `has the unknown type ${canonical(event.type)}: ${known}`);
  }
  if (typeof event.f !== 'string' || event.f === '') {
    throw malformed(where(position), 'has no f: write what the operation does, such as "read"');
  }
  if (typeof event.key !== 'string') throw malformed(where(position), 'has no key: write a string');
  if (typeof event.time !== 'number') throw malformed(where(position), 'has no time: write a number');
  return value as HistoryEvent;
}

/** The same text for the same JSON value, whatever the order of its object keys. */
export function canonical(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return `${value}`;
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join(',')}}`;
}

export function malformed(where: string, what: string, cause?: unknown): PolderError {
  return new PolderError('MalformedHistory', `${where} ${what}`, { cause });
}
