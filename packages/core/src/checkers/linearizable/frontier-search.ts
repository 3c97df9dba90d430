import { assert } from '../../base/assert.ts';
import type { Call } from '../models/model.ts';
import { AWAITED, Candidates } from './candidates.ts';
import { Configurations, PLACED, STATE, SUPERSEDED, TRACE, USED } from './configurations.ts';
import type { Machine } from './machine.ts';
import { NO_TRACE, type Trace, type Way } from './trace.ts';
import { UnchangedMasks } from './unchanged-masks.ts';
import { UnknownKinds } from './unknown-kinds.ts';
import { UsedSets } from './used-sets.ts';

/** An operation under way. */
export interface Pending {
  call: Call;
  action: number;
  readonly slot: number;
  /** The caller's number for it; only a trace needs it. */
  readonly operation: number;
}

/** Tables may grow to so many records, or to so many times what was needed last, before they are made anew. */
const MINIMUM_WEIGHT = 8192;
const GROWTH = 4;
/** A return that needs larger tables than this is given up: some hundred megabytes. */
const MAXIMUM_WEIGHT = 3_000_000;

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
  /** Configurations looked at. */
  states = 0;
  readonly #trace: Trace | null;
  readonly #candidates = new Candidates();
  #machine: Machine;
  #kinds = new UnknownKinds();
  #used = new UsedSets();
  /** By slot. */
  #pending: (Pending | null)[] = [];
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
  readonly #unchanged = new UnchangedMasks();
  /** Of the slots whose operations overwrite whatever is there. */
  #overwriting = new Int32Array(1);
  #weightLimit = MINIMUM_WEIGHT;

  constructor(machine: Machine, trace: Trace | null = null) {
    this.#machine = machine;
    this.#trace = trace;
    this.#frontier = new Configurations(1);
    this.#results = new Configurations(1);
    this.#seen = new Configurations(1);
    this.#current = new Int32Array(this.#frontier.stride);
    this.#made = new Int32Array(this.#frontier.stride);
    this.#done = new Int32Array(this.#frontier.stride);
    this.#made[STATE] = machine.initial;
    this.#made[TRACE] = NO_TRACE;
    this.#frontier.add(this.#made, this.#used);
  }

  get frontier(): Configurations {
    return this.#frontier;
  }

  /** The operations under way, by slot. */
  get pending(): readonly (Pending | null)[] {
    return this.#pending;
  }

  get impossible(): boolean {
    return this.#frontier.size === 0;
  }

  /** An operation begins; its slot is its own until `release`. */
  open(call: Call, operation = 0, awaited = false): Pending {
    const slot = this.#free.pop() ?? this.#pending.length;
    const action = awaited ? AWAITED : this.#machine.action(call);
    const pending = { call, action, slot, operation };
    this.#pending[slot] = pending;
    this.#actions[slot] = action;
    if (slot >= this.#words * 32) this.#widen();
    return pending;
  }

  /** The answer that was awaited came. */
  answer(pending: Pending, call: Call): void {
    pending.call = call;
    pending.action = this.#machine.action(call);
    this.#actions[pending.slot] = pending.action;
  }

  /** Whether the operation may be counted as placed in every configuration, as it is now and without a trace. */
  changesNothing({ action }: Pending): boolean {
    const { data, stride, count } = this.#frontier;
    if (!this.#machine.reads(action)) return false;
    for (let i = 0; i < count; i++) {
      const state = data[i * stride + STATE] as number;
      if (state !== SUPERSEDED && this.#machine.step(state, action) !== state) return false;
    }
    return true;
  }

  /** The operation certainly did not happen. */
  refuse({ slot }: Pending): void {
    this.#transform((record) => {
      if (has(record, PLACED, slot)) return false;
      drop(record, PLACED + this.#words, slot);
      return true;
    });
  }

  /** Nobody will ever know whether the operation happened. */
  leaveOpen({ call, action, slot, operation }: Pending): void {
    const reads = action === AWAITED || this.#machine.reads(action);
    const kind = reads ? -1 : this.unknown(call, operation);
    this.#transform((record) => {
      if (has(record, PLACED, slot)) record[USED] = this.#used.with(record[USED] as number, kind);
      drop(record, PLACED, slot);
      drop(record, PLACED + this.#words, slot);
      return true;
    });
  }

  /** An operation of unknown outcome begins; its kind. */
  unknown(call: Call, operation = 0): number {
    return this.#kinds.add(call, operation, this.#machine);
  }

  /** Undoes one `leaveOpen`, for a search that goes back. */
  recall({ action }: Pending): void {
    if (action !== AWAITED && !this.#machine.reads(action)) this.#kinds.recall(action);
  }

  release({ slot }: Pending): void {
    this.#pending[slot] = null;
    this.#actions[slot] = AWAITED;
    this.#free.push(slot);
  }

  /** Goes to another point in time: what was under way then, and what the object could have come to. */
  travel(pending: readonly (Pending | null)[], frontier: Configurations | null): void {
    this.#pending = [...pending];
    this.#actions = pending.map((each) => each?.action ?? AWAITED);
    if (frontier !== null) this.#transform(() => true, frontier);
  }

  /** The operation returned. False when that takes more than `budget` configurations, or too much memory. */
  complete({ slot }: Pending, budget: number): boolean {
    const [frontier, results, seen] = [this.#frontier, this.#results, this.#seen];
    const last = this.states + budget;
    this.#target = slot;
    results.clear();
    seen.clear();
    this.#unchanged.begin(this.#words);
    for (let i = 0; i < frontier.count; i++) {
      if (frontier.read(i, this.#made, this.#words)) this.#visit();
    }
    if (seen.count > 0) this.#prepare();
    for (let i = 0; i < seen.count; i++) {
      if (!seen.read(i, this.#current, this.#words)) continue;
      if (++this.states > last || this.#machine.weight > MAXIMUM_WEIGHT || this.#trace?.full === true) return false;
      this.#expand();
    }
    this.#frontier = results;
    this.#results = frontier;
    return true;
  }

  /** Only for a return that was not placed or covered before, wherever the object may be. */
  #prepare(): void {
    this.#candidates.choose(this.#target, this.#machine, this.#actions, this.#kinds);
    this.#overwriting.fill(0);
    for (let slot = 0; slot < this.#actions.length; slot++) {
      const action = this.#actions[slot] as number;
      if (action !== AWAITED && this.#machine.overwrites(action)) put(this.#overwriting, 0, slot);
    }
  }

  /** `made` is a configuration that can be: it is done if the target is placed or covered, else looked at further. */
  #visit(): void {
    const made = this.#made;
    const target = this.#target;
    this.#cover();
    if (has(made, PLACED, target)) return this.#finish(made);
    if (has(made, PLACED + this.#words, target)) {
      this.#finish(made);
      if (this.#machine.reads(this.#actions[target] as number)) return;
    }
    this.#seen.add(made, this.#used);
  }

  #finish(record: Int32Array): void {
    copy(record, this.#done);
    drop(this.#done, PLACED, this.#target);
    drop(this.#done, PLACED + this.#words, this.#target);
    this.#results.add(this.#done, this.#used);
  }

  /** Marks what would change nothing in the state of `made`. */
  #cover(): void {
    const made = this.#made;
    const words = this.#words;
    const at = this.#unchanged.at(made[STATE] as number, this.#machine, this.#actions);
    const masks = this.#unchanged.masks;
    for (let word = 0; word < words; word++) {
      const before = (made[PLACED + word] as number) | (made[PLACED + words + word] as number);
      const more = (masks[at + word] as number) & ~before;
      if (more === 0) continue;
      made[PLACED + words + word] = (made[PLACED + words + word] as number) | more;
      if (this.#trace !== null) this.#note(more, word, 'unchanged');
    }
  }

  #expand(): void {
    const [current, made, machine] = [this.#current, this.#made, this.#machine];
    const state = current[STATE] as number;
    const target = machine.step(state, this.#actions[this.#target] as number);
    copy(current, made);
    if (target >= 0 && this.#move(this.#target, target)) this.#finish(made);
    for (const slot of this.#candidates.slots) {
      if (slot === this.#target || has(current, PLACED, slot)) continue;
      const next = machine.step(state, this.#actions[slot] as number);
      copy(current, made);
      if (next >= 0 && this.#move(slot, next)) this.#visit();
    }
    for (const kind of this.#candidates.kinds) this.#use(kind, state);
  }

  #use(kind: number, state: number): void {
    const { action, invoked } = this.#kinds.kind(kind);
    const next = this.#machine.step(state, action);
    if (next < 0) return;
    const used = this.#current[USED] as number;
    const uses = this.#used.count(used, kind);
    if (uses >= invoked) return;
    const made = this.#made;
    copy(this.#current, made);
    made[STATE] = next;
    made[USED] = this.#used.with(used, kind);
    if (this.#trace !== null) {
      const operation = this.#kinds.operation(kind, uses);
      made[TRACE] = this.#trace.add(made[TRACE] as number, operation, 'placed');
    }
    if (this.#hide(action) || next !== state) this.#visit();
  }

  /** Places the operation of a slot in `made`; false when it is of no use there, since it is covered. */
  #move(slot: number, next: number): boolean {
    const made = this.#made;
    const changes = next !== made[STATE];
    made[STATE] = next;
    put(made, PLACED, slot);
    drop(made, PLACED + this.#words, slot);
    if (this.#trace !== null) this.#note(1 << (slot & 31), slot >>> 5, 'placed');
    return this.#hide(this.#actions[slot] as number) || changes;
  }

  /**
   * Covers every other write under way when `by` overwrites it, and says whether there was any. A write of the value
   * that is there already changes nothing else, and yet has this use.
   */
  #hide(by: number): boolean {
    if (!this.#machine.overwrites(by)) return false;
    const made = this.#made;
    const words = this.#words;
    let hidden = false;
    for (let word = 0; word < words; word++) {
      const before = (made[PLACED + word] as number) | (made[PLACED + words + word] as number);
      const more = (this.#overwriting[word] as number) & ~before;
      if (more === 0) continue;
      made[PLACED + words + word] = (made[PLACED + words + word] as number) | more;
      hidden = true;
      if (this.#trace !== null) this.#note(more, word, 'hidden');
    }
    return hidden;
  }

  /** Notes the way of each slot in one word of a mask. */
  #note(mask: number, word: number, way: Way): void {
    for (let bit = 0; bit < 32; bit++) {
      if ((mask & (1 << bit)) === 0) continue;
      const operation = this.#pending[32 * word + bit]?.operation;
      assert(this.#trace !== null && operation !== undefined, 'a trace notes what is under way');
      this.#made[TRACE] = this.#trace.add(this.#made[TRACE] as number, operation, way);
    }
  }

  /** Makes a new frontier, record by record; `change` says whether to keep one. */
  #transform(change: (record: Int32Array) => boolean, source = this.#frontier): void {
    const results = this.#results;
    results.clear();
    for (let i = 0; i < source.count; i++) {
      if (source.read(i, this.#made, this.#words) && change(this.#made)) results.add(this.#made, this.#used);
    }
    this.#results = this.#frontier;
    this.#frontier = results;
  }

  /** Whether `forget` is due. A trace holds on to everything anyway. */
  get crowded(): boolean {
    const weight = this.#machine.weight + this.#kinds.size + this.#used.size;
    return weight > this.#weightLimit && this.#trace === null;
  }

  /** Makes the tables anew, without what can no longer matter; `alsoLive` and `alsoPending`: what the caller keeps. */
  forget(alsoLive: readonly Configurations[] = [], alsoPending: Iterable<Pending> = []): void {
    const live = [this.#frontier, ...alsoLive];
    const old = this.#machine;
    this.#machine = old.fresh();
    const { kinds, used, translate } = this.#kinds.settled(live, this.#used, this.#machine);
    for (const set of live) {
      set.rewrite((state) => old.carry(state, this.#machine), translate);
    }
    [this.#kinds, this.#used] = [kinds, used];
    for (const pending of new Set([...this.#pending, ...alsoPending])) {
      if (pending !== null && pending.action !== AWAITED) pending.action = this.#machine.action(pending.call);
    }
    this.#actions = this.#pending.map((each) => each?.action ?? AWAITED);
    this.#weightLimit = Math.max(MINIMUM_WEIGHT, GROWTH * (this.#machine.weight + kinds.size + used.size));
  }

  #widen(): void {
    this.#words++;
    this.#seen = new Configurations(this.#words);
    this.#results = new Configurations(this.#words);
    this.#current = new Int32Array(this.#seen.stride);
    this.#made = new Int32Array(this.#seen.stride);
    this.#done = new Int32Array(this.#seen.stride);
    this.#overwriting = new Int32Array(this.#words);
    this.#transform(() => true);
    this.#results = new Configurations(this.#words);
  }
}

/** Faster than `set` for the few words of a record. */
function copy(from: Int32Array, to: Int32Array): void {
  for (let i = 0; i < from.length; i++) to[i] = from[i] as number;
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
