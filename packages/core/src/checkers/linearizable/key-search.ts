import type { HistoryEvent } from '../history.ts';
import type { Model } from '../models/model.ts';
import { type Columns, callOf, FAIL, INFO, OK } from './columns.ts';
import { TRACE } from './configurations.ts';
import { FrontierSearch, type Pending } from './frontier-search.ts';
import { machineOf } from './machine.ts';
import { Trace } from './trace.ts';

/** What was found for the operations of one key; `operation` is the first that cannot be placed. */
export type Found =
  | { readonly type: 'valid'; readonly states: number }
  | { readonly type: 'invalid'; readonly states: number; readonly operation: number }
  | { readonly type: 'unknown'; readonly states: number };

/** The events of one object of a history, and the questions asked about them. */
export class KeySearch {
  readonly #history: readonly HistoryEvent[];
  readonly #columns: Columns;
  readonly #events: Int32Array;
  readonly #model: Model;

  constructor(history: readonly HistoryEvent[], columns: Columns, events: Int32Array, model: Model) {
    this.#history = history;
    this.#columns = columns;
    this.#events = events;
    this.#model = model;
  }

  run(maxStates: number): Found {
    const search = new FrontierSearch(machineOf(this.#model));
    const { operation, type } = this.#follow(search, maxStates, -1);
    if (type === 'invalid') return { type, states: search.states, operation };
    return { type, states: search.states };
  }

  /** Operations in a legal order that explain everything before `end` returned; none when that takes too much. */
  orderBefore(end: number, maxStates: number): number[] {
    const trace = new Trace(maxStates);
    const search = new FrontierSearch(machineOf(this.#model), trace);
    if (this.#follow(search, maxStates, end).type !== 'valid') return [];
    const record = new Int32Array(search.frontier.stride);
    let longest: number[] = [];
    for (let i = 0; i < search.frontier.count; i++) {
      if (!search.frontier.read(i, record, search.frontier.words)) continue;
      const order = trace.order(record[TRACE] as number);
      if (order.length > longest.length) longest = order;
    }
    return longest;
  }

  /** Feeds the search until the operation `end` returns. */
  #follow(search: FrontierSearch, maxStates: number, end: number): { type: Found['type']; operation: number } {
    const { outcome } = this.#columns;
    const open = new Map<number, Pending>();
    const taken = this.#model.seenInAnswers === true ? this.#taken() : null;
    for (const event of this.#events) {
      const operation = event < 0 ? ~event : event;
      const ended = outcome[operation] as number;
      if (ended === FAIL) continue;
      if (event >= 0) {
        const call = this.#call(operation);
        if (ended === OK) {
          open.set(operation, search.open(call, operation));
        } else if (this.#model.functions[call.f]?.reads !== true) {
          const given = this.#model.gives?.(call);
          const seen = taken === null || given === undefined || given.some((topic) => taken.has(topic));
          if (seen) search.unknown(call, operation);
        }
      } else if (ended === OK) {
        if (operation === end) return { type: 'valid', operation };
        const pending = open.get(operation) as Pending;
        open.delete(operation);
        if (!search.complete(pending, maxStates - search.states)) return { type: 'unknown', operation };
        if (search.impossible) return { type: 'invalid', operation };
        search.release(pending);
        if (search.crowded) search.forget();
      }
    }
    return { type: 'valid', operation: -1 };
  }

  /** Everything that some answer takes (`Model.seenInAnswers`). */
  #taken(): Set<unknown> {
    const taken = new Set<unknown>();
    for (const event of this.#events) {
      if (event < 0 || this.#columns.outcome[event] !== OK) continue;
      const call = this.#call(event);
      if (this.#model.functions[call.f]?.answers !== true) continue;
      for (const topic of this.#model.takes?.(call) ?? []) taken.add(topic);
    }
    return taken;
  }

  #call(operation: number): ReturnType<typeof callOf> {
    const { invokedAt, completedAt, outcome } = this.#columns;
    const invoke = this.#history[invokedAt[operation] as number] as HistoryEvent;
    const ended = outcome[operation] === INFO ? -1 : (completedAt[operation] as number);
    return callOf(invoke, ended < 0 ? null : (this.#history[ended] as HistoryEvent), this.#model);
  }
}
