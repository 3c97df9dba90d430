import { defined } from '../../base/assert.ts';
import { EventPairs, type HistoryEvent, malformed, type Where } from '../history.ts';
import type { Call, Model } from '../models/model.ts';

export const OK = 0;
export const FAIL = 1;
export const INFO = 2;

/** A history in columns, by operation in order of invocation and by key: a million operations are to be cheap. */
export interface Columns {
  readonly operations: number;
  /** Position of the invocation, and of the completion; -1 for an operation that never completed. */
  readonly invokedAt: Int32Array;
  readonly completedAt: Int32Array;
  readonly outcome: Uint8Array;
  readonly keys: readonly string[];
  /** Operations of key k, in order of their events: each event is the operation, or ~operation for its completion. */
  readonly events: readonly Int32Array[];
  /** By function and outcome. */
  readonly counts: ReadonlyMap<string, number[]>;
}

/** Throws `MalformedHistory`. */
export function columnsOf(history: readonly HistoryEvent[], model: Model, where: Where): Columns {
  const pairs = new EventPairs(where);
  const operationAt = new Int32Array(history.length);
  const invokedAt = new Int32Array(history.length);
  const completedAt = new Int32Array(history.length).fill(-1);
  const outcome = new Uint8Array(history.length).fill(INFO);
  const keyOf = new Int32Array(history.length);
  const keyIds = new Map<string, number>();
  const keyEvents: number[] = [];
  const counts = new Map(Object.keys(model.functions).map((f) => [f, [0, 0, 0]]));
  let operations = 0;
  for (let position = 0; position < history.length; position++) {
    const event = history[position] as HistoryEvent;
    const invoked = pairs.add(event, position);
    if (invoked < 0) {
      complain(model, event, null, position, where);
      const key = model.partitioned ? event.key : '';
      let id = keyIds.get(key);
      if (id === undefined) {
        id = keyEvents.push(0) - 1;
        keyIds.set(key, id);
      }
      invokedAt[operations] = position;
      keyOf[operations] = id;
      operationAt[position] = operations++;
    } else {
      const invoke = history[invoked] as HistoryEvent;
      if (event.type === 'ok') complain(model, invoke, event, position, where);
      const operation = operationAt[invoked] as number;
      completedAt[operation] = position;
      outcome[operation] = event.type === 'ok' ? OK : event.type === 'fail' ? FAIL : INFO;
      operationAt[position] = ~operation;
    }
    const at = operationAt[position] as number;
    const id = keyOf[at < 0 ? ~at : at] as number;
    keyEvents[id] = (keyEvents[id] as number) + 1;
  }
  for (let operation = 0; operation < operations; operation++) {
    const { f } = history[invokedAt[operation] as number] as HistoryEvent;
    const count = defined(counts.get(f), 'the model knows every function');
    const ended = outcome[operation] as number;
    count[ended] = (count[ended] as number) + 1;
  }
  const events = byKey(operationAt, keyOf, keyEvents);
  return { operations, invokedAt, completedAt, outcome, keys: [...keyIds.keys()], events, counts };
}

function byKey(operationAt: Int32Array, keyOf: Int32Array, sizes: readonly number[]): Int32Array[] {
  const events = sizes.map((size) => new Int32Array(size));
  const filled = sizes.map(() => 0);
  for (const at of operationAt) {
    const key = keyOf[at < 0 ? ~at : at] as number;
    const place = filled[key] as number;
    (events[key] as Int32Array)[place] = at;
    filled[key] = place + 1;
  }
  return events;
}

export function callOf(invoke: HistoryEvent, ok: HistoryEvent | null, model: Model): Call {
  const answers = ok !== null && model.functions[invoke.f]?.answers === true;
  return { f: invoke.f, key: invoke.key, argument: invoke.value, result: answers ? ok.value : undefined };
}

/** What the model has to say against the values of an invocation, or of an operation that is ok. */
export function complain(
  model: Model,
  invoke: HistoryEvent,
  ok: HistoryEvent | null,
  position: number,
  where: Where,
): void {
  const kind = Object.hasOwn(model.functions, invoke.f) ? model.functions[invoke.f] : undefined;
  if (kind === undefined) {
    const known = `the model ${model.name} knows ${Object.keys(model.functions).join(', ')}`;
    throw malformed(where(position), `has the unknown f ${JSON.stringify(invoke.f)}: ${known}`);
  }
  if (ok !== null && kind.answers && ok.value === undefined) {
    throw malformed(where(position), `completes a ${invoke.f} without a value: write what was answered, or null`);
  }
  const call = { f: invoke.f, key: invoke.key, argument: invoke.value, result: ok === null ? undefined : ok.value };
  const complaint = model.complaint(call);
  if (complaint !== null) throw malformed(where(position), complaint);
}
