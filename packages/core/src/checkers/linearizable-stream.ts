import { assert } from '../base/assert.ts';
import { byPosition, EventPairs, type HistoryEvent, type Outcome, operationOf, type Where } from './history.ts';
import { callOf, complain } from './linearizable/columns.ts';
import { FrontierSearch, type Pending } from './linearizable/frontier-search.ts';
import { machineOf } from './linearizable/machine.ts';
import { ObjectStream } from './linearizable/object-stream.ts';
import { failedSentence, unexplained, whyUnknown } from './linearizable/sentences.ts';
import type { Verdict, Violation } from './linearizable.ts';
import { ModelInference, modelNamed } from './models/infer.ts';
import type { Model } from './models/model.ts';

export interface StreamOptions {
  /** A return that takes more configurations than this makes its key `unknown`. */
  readonly maxStates?: number;
  /**
   * An operation may stay open for so many returns of its key before its answer is given up, which makes the verdict
   * `unknown` at best. While an answer is awaited, all that it may still tell is kept.
   */
  readonly maxOpenReturns?: number;
  /** As for `checkLinearizable`. */
  readonly minimumOk?: number;
  readonly where?: Where;
}

interface Begun {
  readonly event: HistoryEvent;
  readonly position: number;
  readonly object: ObjectStream;
  readonly pending: Pending;
}

const DEFAULT_MAX_STATES = 100_000;
const DEFAULT_MAX_OPEN_RETURNS = 100_000;

/**
 * Checks a history for linearizability while it is being made, event by event. What is settled is forgotten: memory
 * grows with what is under way at once, with the unknown operations that may still take effect, and with the number of
 * keys, not with the length of the history.
 *
 * The verdict on a prefix is that on a history which ends there: a violation is reported with the first event after
 * which nothing that may follow can explain the answers. That can be a `fail` whose effect was seen before.
 */
export class LinearizabilityChecker {
  readonly #maxStates: number;
  readonly #maxOpenReturns: number;
  readonly #minimumOk: number;
  readonly #where: Where;
  readonly #pairs: EventPairs;
  readonly #objects = new Map<string, ObjectStream>();
  readonly #begun = new Map<number, Begun>();
  readonly #counts = new Map<string, Record<Outcome, number>>();
  readonly #inference = new ModelInference();
  #model: Model | null;
  /** Until the model is known. */
  #waiting: HistoryEvent[] = [];
  #position = 0;
  #violation: Violation | null = null;

  /** A model, or its name, or null: the operations tell. Throws `UnknownModel`. */
  constructor(model: Model | string | null = null, options: StreamOptions = {}) {
    this.#maxStates = options.maxStates ?? DEFAULT_MAX_STATES;
    this.#maxOpenReturns = options.maxOpenReturns ?? DEFAULT_MAX_OPEN_RETURNS;
    this.#minimumOk = options.minimumOk ?? 1;
    assert(this.#minimumOk >= 1, 'minimumOk is a positive integer: nothing proves nothing');
    this.#where = options.where ?? byPosition;
    this.#pairs = new EventPairs(this.#where);
    this.#model = typeof model === 'string' ? modelNamed(model) : model;
  }

  /** The violation, once there is one; what comes after it is only counted. Throws `MalformedHistory`. */
  add(event: HistoryEvent): Violation | null {
    const position = this.#position + this.#waiting.length;
    const begun = this.#pairs.add(event, position);
    if (this.#model === null) {
      this.#inference.add(event, position, this.#where);
      this.#waiting.push(event);
      const { certain } = this.#inference;
      if (certain !== null) this.#settleModel(certain);
    } else {
      assert(begun < position, 'a completion follows its invocation');
      this.#take(event, this.#model);
    }
    return this.#violation;
  }

  /** On the events so far. Operations under way count as unknown. */
  verdict(): Verdict {
    const model = this.#model ?? this.#settleModel(this.#inference.model);
    const operations: Record<string, Record<Outcome, number>> = {};
    for (const f of Object.keys(model.functions)) operations[f] = { ...this.#countOf(f) };
    for (const { event } of this.#begun.values()) (operations[event.f] as Record<Outcome, number>).info++;
    let states = 0;
    const unfinished: string[] = [];
    for (const [key, object] of this.#objects) {
      states += object.states;
      if (object.state === 'gaveUp' || !object.sawEverything) unfinished.push(key);
    }
    const summary = { model: model.name, operations, keys: this.#objects.size, states };
    if (this.#violation !== null) return { result: 'invalid', reason: null, ...summary, violation: this.#violation };
    const ok = Object.values(operations).reduce((sum, each) => sum + each.ok, 0);
    const limit = `${this.#maxStates} states for one return and ${this.#maxOpenReturns} returns for one open operation`;
    const reason = whyUnknown(unfinished, limit, ok, this.#minimumOk);
    return { result: reason === null ? 'valid' : 'unknown', reason, ...summary };
  }

  /** How many records of possible states are kept: a measure of memory that does not depend on the machine. */
  get kept(): number {
    let kept = 0;
    for (const object of this.#objects.values()) kept += object.kept;
    return kept;
  }

  #settleModel(model: Model): Model {
    this.#model = model;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const event of waiting) this.#take(event, model);
    return model;
  }

  #take(event: HistoryEvent, model: Model): void {
    const position = this.#position++;
    if (event.type === 'invoke') return this.#invoke(event, position, model);
    const begun = this.#begun.get(event.process);
    assert(begun !== undefined, 'a completion was paired with an invocation');
    this.#begun.delete(event.process);
    if (event.type === 'ok') complain(model, begun.event, event, position, this.#where);
    this.#countOf(event.f)[event.type]++;
    if (this.#violation !== null) return;
    const { object, pending } = begun;
    switch (event.type) {
      case 'ok':
        object.complete(pending, callOf(begun.event, event, model));
        break;
      case 'fail':
        object.refuse(pending);
        break;
      case 'info':
        object.leaveOpen(pending);
        break;
    }
    if (object.state === 'impossible') this.#violation = this.#violationAt(begun, event, position);
  }

  #invoke(event: HistoryEvent, position: number, model: Model): void {
    complain(model, event, null, position, this.#where);
    const key = model.partitioned ? event.key : '';
    let object = this.#objects.get(key);
    if (object === undefined) {
      object = new ObjectStream(new FrontierSearch(machineOf(model)), this.#maxStates, this.#maxOpenReturns);
      this.#objects.set(key, object);
    }
    const kind = model.functions[event.f];
    assert(kind !== undefined, 'the model has not complained of this function');
    const pending = object.invoke(callOf(event, null, model), kind.answers, kind.reads);
    this.#begun.set(event.process, { event, position, object, pending });
  }

  #violationAt(begun: Begun, event: HistoryEvent, position: number): Violation {
    const operation = operationOf(begun.event, begun.position, event, position);
    const sentence = event.type === 'fail' ? failedSentence(operation) : unexplained(operation);
    return { key: event.key, prefixLength: position + 1, operation, order: [], sentence };
  }

  #countOf(f: string): Record<Outcome, number> {
    let count = this.#counts.get(f);
    if (count === undefined) {
      count = { ok: 0, fail: 0, info: 0 };
      this.#counts.set(f, count);
    }
    return count;
  }
}
