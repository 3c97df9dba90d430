import { assert } from '../base/assert.ts';
import {
  byPosition,
  checkEvent,
  type HistoryEvent,
  type Operation,
  type Outcome,
  operationOf,
  type Where,
} from './history.ts';
import { type Columns, columnsOf } from './linearizable/columns.ts';
import { type Found, KeySearch } from './linearizable/key-search.ts';
import { sentenceOf, whyUnknown } from './linearizable/sentences.ts';
import { Zones } from './linearizable/zones.ts';
import { ModelInference, modelNamed } from './models/infer.ts';
import type { Model } from './models/model.ts';
import { CAS_REGISTER, REGISTER } from './models/registers.ts';

export interface CheckOptions {
  /** What the operations are done to, or its name (`MODELS`); left out, the operations tell. */
  readonly model?: Model | string;
  /**
   * A search that looks at more configurations of one key before it gives the answer `unknown`. Left out: a million,
   * or 20 for each operation of the key, whichever is more.
   */
  readonly maxStates?: number;
  /** With fewer `ok` operations there is nothing to believe: the result is `unknown` (PITFALLS D5). At least 1. */
  readonly minimumOk?: number;
  /** Names positions in complaints; `RecordedHistory.where` names lines. */
  readonly where?: Where;
}

export interface Verdict {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** Why the result is `unknown`; null otherwise. */
  readonly reason: string | null;
  /** The name of the model. */
  readonly model: string;
  /** Operations by what they do and how they ended; one that never completed counts as `info`. */
  readonly operations: Readonly<Record<string, Readonly<Record<Outcome, number>>>>;
  readonly keys: number;
  /** How many configurations the searches looked at. */
  readonly states: number;
  readonly violation?: Violation;
}

export interface Violation {
  readonly key: string;
  /** So many events from the start cannot be explained; one fewer can. */
  readonly prefixLength: number;
  /** The first operation that no order can place. */
  readonly operation: Operation;
  /**
   * Operations of the key, in a legal order, that explain every answer before that operation's; empty when finding
   * one took more than `maxStates`.
   */
  readonly order: readonly Operation[];
  /** For a person. */
  readonly sentence: string;
}

const DEFAULT_MAX_STATES = 1_000_000;
const DEFAULT_STATES_PER_EVENT = 10;

/**
 * Whether the history is linearizable (Herlihy and Wing, 1990): some order of the operations, each between its
 * invocation and its return, explains every answer. Keys are independent (locality, section 3.3) where the model says
 * so. Throws `MalformedHistory` and `UnknownModel`.
 */
export function checkLinearizable(history: readonly HistoryEvent[], options: CheckOptions = {}): Verdict {
  const { minimumOk = 1, where = byPosition } = options;
  assert(Number.isSafeInteger(minimumOk) && minimumOk >= 1, 'minimumOk is a positive integer: nothing proves nothing');
  const model = modelOf(history, options, where);
  const columns = columnsOf(history, model, where);
  let states = 0;
  let first: { key: number; operation: number } | null = null;
  const unfinished: string[] = [];
  let clusters: Int32Array | null = null;
  const room = (): Int32Array => (clusters ??= new Int32Array(columns.operations));
  for (let key = 0; key < columns.keys.length; key++) {
    const found = judge(history, columns, key, model, options, room);
    states += found.states;
    if (found.type === 'unknown') unfinished.push(columns.keys[key] as string);
    if (found.type === 'invalid' && (first === null || earlier(columns, found.operation, first.operation))) {
      first = { key, operation: found.operation };
    }
  }
  const operations = Object.fromEntries(
    [...columns.counts].map(([f, [ok = 0, fail = 0, info = 0]]) => [f, { ok, fail, info }]),
  );
  const summary = { model: model.name, operations, keys: columns.keys.length, states };
  if (first !== null) {
    const violation = violationOf(history, columns, first.key, first.operation, model, options);
    return { result: 'invalid', reason: null, ...summary, violation };
  }
  const ok = Object.values(operations).reduce((sum, each) => sum + each.ok, 0);
  const limit = options.maxStates === undefined ? 'the states allowed' : `${options.maxStates} states`;
  const reason = whyUnknown(unfinished, limit, ok, minimumOk);
  return { result: reason === null ? 'valid' : 'unknown', reason, ...summary };
}

function modelOf(history: readonly HistoryEvent[], { model }: CheckOptions, where: Where): Model {
  if (typeof model === 'string') return modelNamed(model);
  if (model !== undefined) return model;
  const inference = new ModelInference();
  for (let position = 0; position < history.length; position++) {
    inference.add(checkEvent(history[position], position, where), position, where);
  }
  return inference.model;
}

function judge(
  history: readonly HistoryEvent[],
  columns: Columns,
  key: number,
  model: Model,
  { maxStates }: CheckOptions,
  room: () => Int32Array,
): Found {
  const events = columns.events[key] as Int32Array;
  const zones = model === REGISTER || model === CAS_REGISTER ? Zones.of(history, columns, events, room()) : null;
  if (zones === null) return new KeySearch(history, columns, events, model).run(maxStatesOf(events, maxStates));
  const operation = zones.firstImpossible();
  return operation < 0 ? { type: 'valid', states: 0 } : { type: 'invalid', states: 0, operation };
}

function maxStatesOf(events: Int32Array, maxStates: number | undefined): number {
  if (maxStates === undefined) return Math.max(DEFAULT_MAX_STATES, DEFAULT_STATES_PER_EVENT * events.length);
  assert(maxStates >= 1, 'maxStates is a positive number');
  return maxStates;
}

function earlier(columns: Columns, a: number, b: number): boolean {
  return (columns.completedAt[a] as number) < (columns.completedAt[b] as number);
}

function violationOf(
  history: readonly HistoryEvent[],
  columns: Columns,
  key: number,
  operation: number,
  model: Model,
  { maxStates }: CheckOptions,
): Violation {
  const events = columns.events[key] as Int32Array;
  const told = (each: number): Operation => {
    const [invokedAt, completedAt] = [columns.invokedAt[each] as number, columns.completedAt[each] as number];
    const complete = completedAt < 0 ? null : (history[completedAt] as HistoryEvent);
    return operationOf(history[invokedAt] as HistoryEvent, invokedAt, complete, completedAt);
  };
  const ofKey = [...events].filter((event) => event >= 0).map(told);
  const first = told(operation);
  assert(Number.isFinite(first.completedAt), 'only an operation that returned can be impossible to place');
  const order = new KeySearch(history, columns, events, model).orderBefore(operation, maxStatesOf(events, maxStates));
  return {
    key: first.key,
    prefixLength: first.completedAt + 1,
    operation: first,
    order: order.map(told),
    sentence: sentenceOf(first, ofKey, model),
  };
}
