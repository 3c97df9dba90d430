import { assert } from '../../base/assert.ts';
import { Candidates } from './candidates.ts';
import { Configurations, PLACED, STATE, TRACE, USED } from './configurations.ts';
import type { Machine } from './machine.ts';
import { NO_TRACE, type Trace } from './trace.ts';
import { UnknownKinds } from './unknown-kinds.ts';
import { UsedSets } from './used-sets.ts';

/** Of a slot whose operation must not be placed: its answer decides what it does, and is not known yet. */
export const AWAITED = -1;

/**
 * Just-in-time linearization of one object (Lowe, "Testing for linearizability", 2017, section 5), complete: the
 * frontier holds every configuration that the operations returned so far can have left. It is widened only when an
 * operation returns, by the orders of operations under way that end with that one.
 *
 * Reductions, each of which loses no answer:
 * - An operation under way that would change nothing in the present state, or that is a write which a write placed
 *   now overwrites, is *covered*: when it returns it may be counted as placed then. It is not placed, since what it
 *   leaves may still be needed: linearizing it greedily would be wrong for writes and swaps.
 * - Where the model says so, operations are placed early only if what they give is taken (`candidates.ts`).
 * - Operations of unknown outcome that do the same are one kind, and of two configurations that differ only in what
 *   they used or cover, the better one stays (`configurations.ts`).
 */
export class FrontierSearch {
  machine: Machine;
  kinds = new UnknownKinds();
  used = new UsedSets();
  /** Configurations looked at. */
  states = 0;
  /** By slot, the caller's number of the operation there; only a trace needs it. */
  readonly operations: number[] = [];
  readonly kindOperations: number[][] = [];
  readonly #trace: Trace | null;
  readonly #candidates = new Candidates();
  #actions: number[] = [];
  #free: number[] = [];
  #words = 1;
  #frontier: Configurations;
  #results: Configurations;
  #seen: Configurations;
  /** What is being looked at, what is being made of it, and what that becomes when it has the returning operation. */
  #current: Int32Array;
  #made: Int32Array;
  #done: Int32Array;
  #target = 0;

  constructor(machine: Machine, trace: Trace | null = null) {
    this.machine = machine;
    this.#trace = trace;
    this.#frontier = new Configurations(1);
    this.#results = new Configurations(1);
    this.#seen = new Configurations(1);
    this.#current = new Int32Array(this.#frontier.stride);
    this.#made = new Int32Array(this.#frontier.stride);
    this.#done = new Int32Array(this.#frontier.stride);
    this.#made[STATE] = machine.initial;
    this.#made[TRACE] = NO_TRACE;
    this.#frontier.add(this.#made, this.used);
  }

  get frontier(): Configurations {
    return this.#frontier;
  }

  get actions(): readonly number[] {
    return this.#actions;
  }

  get impossible(): boolean {
    return this.#frontier.size === 0;
  }

  /** An operation begins; its slot is its own until it ends. */
  open(action: number, operation = 0): number {
    const slot = this.#free.pop() ?? this.#actions.length;
    this.#actions[slot] = action;
    this.operations[slot] = operation;
    if (slot >= this.#words * 32) this.#widen();
    return slot;
  }

  /** The operation of the slot returned. False when that takes more than `budget` configurations. */
  complete(slot: number, budget: number): boolean {
    const done = this.#place(slot, budget);
    this.#release(slot);
    return done;
  }

  /** The operation of the slot certainly did not happen. */
  fail(slot: number): void {
    this.#transform((record) => {
      if (has(record, PLACED, slot)) return false;
      drop(record, PLACED + this.#words, slot);
      return true;
    });
    this.#release(slot);
  }

  /** Nobody will ever know whether the operation of the slot happened. */
  crash(slot: number): void {
    const action = this.#actions[slot] as number;
    const reads = action === AWAITED || this.machine.reads(action);
    const kind = reads ? -1 : this.unknown(action, this.operations[slot] as number);
    this.#transform((record) => {
      if (has(record, PLACED, slot)) record[USED] = this.used.with(record[USED] as number, kind);
      drop(record, PLACED, slot);
      drop(record, PLACED + this.#words, slot);
      return true;
    });
    this.#release(slot);
  }

  /** An operation of unknown outcome begins; its kind. */
  unknown(action: number, operation = 0): number {
    const kind = this.kinds.add(action, this.machine);
    if (this.#trace !== null) {
      while (this.kindOperations.length <= kind) this.kindOperations.push([]);
      this.kindOperations[kind]?.push(operation);
    }
    return kind;
  }

  #release(slot: number): void {
    this.#actions[slot] = AWAITED;
    this.#free.push(slot);
  }

  #place(slot: number, budget: number): boolean {
    const [frontier, results, seen] = [this.#frontier, this.#results, this.#seen];
    const last = this.states + budget;
    this.#target = slot;
    results.clear();
    seen.clear();
    this.#candidates.choose(this.machine, this.#actions, this.kinds);
    for (let i = 0; i < frontier.count; i++) {
      if (frontier.read(i, this.#made, this.#words)) this.#visit();
    }
    for (let i = 0; i < seen.count; i++) {
      if (!seen.read(i, this.#current, this.#words)) continue;
      if (++this.states > last || this.#trace?.full === true) return false;
      this.#expand();
    }
    this.#frontier = results;
    this.#results = frontier;
    return true;
  }

  /** `made` is a configuration that can be: it is done if the target is placed or covered, else looked at further. */
  #visit(): void {
    const made = this.#made;
    const target = this.#target;
    this.#cover();
    if (has(made, PLACED, target)) return this.#finish(made);
    if (has(made, PLACED + this.#words, target)) {
      this.#finish(made);
      if (this.machine.reads(this.#actions[target] as number)) return;
    }
    this.#seen.add(made, this.used);
  }

  #finish(record: Int32Array): void {
    this.#done.set(record);
    drop(this.#done, PLACED, this.#target);
    drop(this.#done, PLACED + this.#words, this.#target);
    this.#results.add(this.#done, this.used);
  }

  /** Marks what would change nothing in the state of `made`. */
  #cover(): void {
    const made = this.#made;
    const state = made[STATE] as number;
    for (let slot = 0; slot < this.#actions.length; slot++) {
      const action = this.#actions[slot] as number;
      if (action === AWAITED || this.machine.step(state, action) !== state) continue;
      if (has(made, PLACED, slot) || has(made, PLACED + this.#words, slot)) continue;
      put(made, PLACED + this.#words, slot);
      if (this.#trace !== null) this.#note(slot, 'unchanged');
    }
  }

  #expand(): void {
    const [current, made, machine] = [this.#current, this.#made, this.machine];
    const state = current[STATE] as number;
    const target = machine.step(state, this.#actions[this.#target] as number);
    // A target that changes nothing here is covered, and done with.
    if (target >= 0 && target !== state) {
      made.set(current);
      this.#move(this.#target, target);
      this.#finish(made);
    }
    for (const slot of this.#candidates.slots) {
      if (slot === this.#target || has(current, PLACED, slot)) continue;
      const next = machine.step(state, this.#actions[slot] as number);
      if (next < 0 || next === state) continue;
      made.set(current);
      this.#move(slot, next);
      this.#visit();
    }
    for (const kind of this.#candidates.kinds) this.#use(kind, state);
  }

  #use(kind: number, state: number): void {
    const { action, invoked } = this.kinds.kind(kind);
    const next = this.machine.step(state, action);
    if (next < 0 || next === state) return;
    const used = this.#current[USED] as number;
    const uses = this.used.count(used, kind);
    if (uses >= invoked) return;
    const made = this.#made;
    made.set(this.#current);
    made[STATE] = next;
    made[USED] = this.used.with(used, kind);
    if (this.#trace !== null) {
      const operation = this.kindOperations[kind]?.[uses];
      assert(operation !== undefined, 'a kind knows its operations');
      made[TRACE] = this.#trace.add(made[TRACE] as number, operation, 'placed');
    }
    if (this.machine.overwrites(action)) this.#hide();
    this.#visit();
  }

  /** Places the operation of a slot in `made`. */
  #move(slot: number, next: number): void {
    const made = this.#made;
    made[STATE] = next;
    put(made, PLACED, slot);
    drop(made, PLACED + this.#words, slot);
    if (this.#trace !== null) this.#note(slot, 'placed');
    if (this.machine.overwrites(this.#actions[slot] as number)) this.#hide();
  }

  /** Every other write under way would have been overwritten just now. */
  #hide(): void {
    const made = this.#made;
    for (let slot = 0; slot < this.#actions.length; slot++) {
      const action = this.#actions[slot] as number;
      if (action === AWAITED || !this.machine.overwrites(action)) continue;
      if (has(made, PLACED, slot) || has(made, PLACED + this.#words, slot)) continue;
      put(made, PLACED + this.#words, slot);
      if (this.#trace !== null) this.#note(slot, 'hidden');
    }
  }

  #note(slot: number, way: 'placed' | 'unchanged' | 'hidden'): void {
    assert(this.#trace !== null, 'only a trace is noted');
    this.#made[TRACE] = this.#trace.add(this.#made[TRACE] as number, this.operations[slot] as number, way);
  }

  /** Rewrites the frontier record by record; `change` says whether to keep it. */
  #transform(change: (record: Int32Array) => boolean): void {
    const [frontier, results] = [this.#frontier, this.#results];
    results.clear();
    for (let i = 0; i < frontier.count; i++) {
      if (frontier.read(i, this.#made, this.#words) && change(this.#made)) results.add(this.#made, this.used);
    }
    this.#frontier = results;
    this.#results = frontier;
  }

  #widen(): void {
    this.#words++;
    this.#seen = new Configurations(this.#words);
    this.#results = new Configurations(this.#words);
    this.#current = new Int32Array(this.#seen.stride);
    this.#made = new Int32Array(this.#seen.stride);
    this.#done = new Int32Array(this.#seen.stride);
    this.#transform(() => true);
    this.#results = new Configurations(this.#words);
  }
}

function has(record: Int32Array, words: number, slot: number): boolean {
  return ((record[words + (slot >>> 5)] as number) & (1 << (slot & 31))) !== 0;
}

function put(record: Int32Array, words: number, slot: number): void {
  const at = words + (slot >>> 5);
  record[at] = (record[at] as number) | (1 << (slot & 31));
}

function drop(record: Int32Array, words: number, slot: number): void {
  const at = words + (slot >>> 5);
  record[at] = (record[at] as number) & ~(1 << (slot & 31));
}
