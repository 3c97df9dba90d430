import { assert, defined } from '../../base/assert.ts';
import { canonical } from '../history.ts';
import { type Call, IMPOSSIBLE, type Model } from '../models/model.ts';
import { CAS_REGISTER, REGISTER } from '../models/registers.ts';
import { RegisterMachine } from './register-machine.ts';
import { ValueTable } from './value-table.ts';

/** A model in small integers: states, actions (distinct calls) and topics (what a call gives, see `Model.gives`). */
export interface Machine {
  readonly initial: number;
  /** Roughly what its tables hold, in units of a small record; a search starts afresh when that grows too large. */
  readonly weight: number;
  action(call: Call): number;
  /** The next state, or -1: impossible. */
  step(state: number, action: number): number;
  /** Whether the action never changes a state. */
  reads(action: number): boolean;
  /** Whether the action is known to change every state. */
  changes(action: number): boolean;
  overwrites(action: number): boolean;
  /** Topics; null: cannot be told. */
  gives(action: number): readonly number[] | null;
  takes(action: number): readonly number[];
  canWait(action: number): boolean;
  /** Another machine of the same model, with empty tables. */
  fresh(): Machine;
  /** The number in `other` of a state of this machine. */
  carry(state: number, other: Machine): number;
}

export function machineOf(model: Model): Machine {
  // The one special case: registers are by far the most common, and their states are values, which need no cache.
  return model === REGISTER || model === CAS_REGISTER ? new RegisterMachine() : new InternedMachine(model);
}

/** More distinct calls than this in one search do not fit the keys of the cache of steps. */
const MAX_ACTIONS = 2 ** 21;
const UNITS_PER_RECORD = 64;
/** A state whose identity is a text holds about as much again, and more, in pieces. */
const TEXT_WEIGHT = 4;

/** Numbers the states and calls of any model as they turn up, and remembers every step. */
class InternedMachine implements Machine {
  readonly initial: number;
  readonly #model: Model;
  readonly #states: unknown[] = [];
  readonly #stateIds = new Map<unknown, number>();
  readonly #calls: Call[] = [];
  readonly #actionIds = new Map<string, number>();
  readonly #topics = new ValueTable();
  readonly #gives: (readonly number[] | null)[] = [];
  readonly #takes: (readonly number[])[] = [];
  readonly #steps = new Map<number, number>();
  #text = 0;

  constructor(model: Model) {
    this.#model = model;
    this.initial = this.#stateId(model.initial());
  }

  get weight(): number {
    return this.#states.length + this.#calls.length + this.#steps.size + Math.floor(this.#text / UNITS_PER_RECORD);
  }

  action(call: Call): number {
    const result = call.result === undefined ? '' : canonical(call.result);
    const name = `${call.f} ${this.#model.partitioned ? '' : canonical(call.key)} ${canonical(call.argument)} ${result}`;
    const known = this.#actionIds.get(name);
    if (known !== undefined) return known;
    const action = this.#calls.length;
    assert(action < MAX_ACTIONS, 'a search has a bounded number of distinct calls');
    this.#actionIds.set(name, action);
    this.#calls.push(call);
    this.#text += name.length;
    this.#gives.push(this.#model.gives?.(call)?.map((topic) => this.#topics.id(topic)) ?? null);
    this.#takes.push((this.#model.takes?.(call) ?? []).map((topic) => this.#topics.id(topic)));
    return action;
  }

  step(state: number, action: number): number {
    const name = state * MAX_ACTIONS + action;
    const known = this.#steps.get(name);
    if (known !== undefined) return known;
    const next = this.#model.step(this.#states[state], this.#call(action));
    const id = next === IMPOSSIBLE ? -1 : this.#stateId(next);
    this.#steps.set(name, id);
    return id;
  }

  reads(action: number): boolean {
    return this.#model.functions[this.#call(action).f]?.reads === true;
  }

  changes(action: number): boolean {
    return this.#model.functions[this.#call(action).f]?.changes === true;
  }

  overwrites(action: number): boolean {
    return this.#model.overwrites?.(this.#call(action)) === true;
  }

  gives(action: number): readonly number[] | null {
    return this.#gives[action] ?? null;
  }

  canWait(action: number): boolean {
    return this.#model.canWait?.(this.#call(action)) === true;
  }

  takes(action: number): readonly number[] {
    return this.#takes[action] ?? [];
  }

  fresh(): Machine {
    return new InternedMachine(this.#model);
  }

  carry(state: number, other: Machine): number {
    assert(other instanceof InternedMachine && other.#model === this.#model, 'a state stays within its model');
    return other.#stateId(this.#states[state]);
  }

  #stateId(state: unknown): number {
    const identity = this.#model.identity(state);
    const known = this.#stateIds.get(identity);
    if (known !== undefined) return known;
    const id = this.#states.length;
    this.#states.push(state);
    this.#stateIds.set(identity, id);
    if (typeof identity === 'string') this.#text += TEXT_WEIGHT * identity.length;
    return id;
  }

  #call(action: number): Call {
    return defined(this.#calls[action], 'an action is one of the calls seen');
  }
}
