import { assert } from '../../base/assert.ts';
import type { Call } from '../models/model.ts';
import type { Machine } from './machine.ts';
import { ValueTable } from './value-table.ts';

/** Values in one search, so that a pair of them is one exact number. */
const MAX_VALUES = 2 ** 26;

/** Registers with and without cas: a state is the number of a value, and so is a topic. */
export class RegisterMachine implements Machine {
  readonly initial: number;
  readonly #table = new ValueTable();
  readonly #values: unknown[] = [];
  readonly #actionIds = new Map<number, number>();
  /** By action: the value it must find, -1 when any will do, and the value it leaves, -1 when it changes nothing. */
  readonly #finds: number[] = [];
  readonly #leaves: number[] = [];
  readonly #gives: (readonly number[])[] = [];
  readonly #takes: (readonly number[])[] = [];

  constructor() {
    this.initial = this.#value(null);
  }

  get weight(): number {
    return this.#values.length + this.#finds.length;
  }

  action({ f, argument, result }: Call): number {
    switch (f) {
      case 'read': {
        if (result === undefined) return this.#action(-1, -1);
        const value = this.#value(result);
        return this.#action(value, value);
      }
      case 'write':
        return this.#action(-1, this.#value(argument));
      default: {
        const [old, next] = argument as [unknown, unknown];
        return this.#action(this.#value(old), this.#value(next));
      }
    }
  }

  step(state: number, action: number): number {
    const finds = this.#finds[action] as number;
    if (finds >= 0 && finds !== state) return -1;
    const leaves = this.#leaves[action] as number;
    return leaves < 0 ? state : leaves;
  }

  reads(action: number): boolean {
    const leaves = this.#leaves[action] as number;
    return leaves < 0 || leaves === this.#finds[action];
  }

  changes(): boolean {
    return false;
  }

  overwrites(action: number): boolean {
    return this.#finds[action] === -1 && this.#leaves[action] !== -1;
  }

  gives(action: number): readonly number[] {
    return this.#gives[action] as readonly number[];
  }

  canWait(action: number): boolean {
    return this.overwrites(action);
  }

  takes(action: number): readonly number[] {
    return this.#takes[action] as readonly number[];
  }

  fresh(): Machine {
    return new RegisterMachine();
  }

  carry(state: number, other: Machine): number {
    assert(other instanceof RegisterMachine, 'a state stays within its model');
    return other.#value(this.#values[state]);
  }

  #value(value: unknown): number {
    const id = this.#table.id(value);
    if (id === this.#values.length) {
      assert(id < MAX_VALUES, 'a search has a bounded number of values');
      this.#values.push(value);
    }
    return id;
  }

  #action(finds: number, leaves: number): number {
    const name = (finds + 1) * MAX_VALUES + leaves + 1;
    const known = this.#actionIds.get(name);
    if (known !== undefined) return known;
    const action = this.#finds.length;
    this.#actionIds.set(name, action);
    this.#finds.push(finds);
    this.#leaves.push(leaves);
    this.#gives.push(leaves < 0 ? [] : [leaves]);
    this.#takes.push(finds < 0 ? [] : [finds]);
    return action;
  }
}
