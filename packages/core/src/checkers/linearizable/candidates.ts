import type { Machine } from './machine.ts';
import type { UnknownKinds } from './unknown-kinds.ts';

/** In place of an action: the operation must not be placed, since what it does hangs on an answer not known yet. */
export const AWAITED = -1;

/** By slot: the action of the operation under way there; `AWAITED` where there is none, too. */
export type SlotActions = readonly number[];

/**
 * Which operations are worth placing before one that returns. Where the model says that operations can wait
 * (`Model.deferrable`), these are the ones that give what another one under way takes, directly or through others.
 */
export class Candidates {
  readonly slots: number[] = [];
  readonly kinds: number[] = [];
  #stamps: number[] = [];
  #stamp = 0;

  choose(machine: Machine, actions: SlotActions, kinds: UnknownKinds): void {
    this.slots.length = 0;
    this.kinds.length = 0;
    if (machine.deferrable) return this.#chooseGiving(machine, actions, kinds);
    for (let slot = 0; slot < actions.length; slot++) {
      const action = actions[slot] as number;
      if (action !== AWAITED && !machine.reads(action)) this.slots.push(slot);
    }
    for (let kind = 0; kind < kinds.size; kind++) this.kinds.push(kind);
  }

  #chooseGiving(machine: Machine, actions: SlotActions, kinds: UnknownKinds): void {
    this.#stamp++;
    for (const kind of kinds.untold) this.kinds.push(kind);
    for (let slot = 0; slot < actions.length; slot++) {
      const action = actions[slot] as number;
      if (action !== AWAITED) this.#take(machine.takes(action), kinds);
    }
    for (let i = 0; i < this.kinds.length; i++) {
      this.#take(machine.takes(kinds.kind(this.kinds[i] as number).action), kinds);
    }
    for (let slot = 0; slot < actions.length; slot++) {
      const action = actions[slot] as number;
      if (action === AWAITED || machine.reads(action)) continue;
      const topic = machine.gives(action);
      const wanted = topic < 0 || this.#stamps[topic] === this.#stamp;
      // What must find something, such as a swap, may find it only now: it cannot wait, whoever needs it.
      if (wanted || machine.takes(action).length > 0) this.slots.push(slot);
    }
  }

  #take(topics: readonly number[], kinds: UnknownKinds): void {
    for (const topic of topics) {
      if (this.#stamps[topic] === this.#stamp) continue;
      while (this.#stamps.length <= topic) this.#stamps.push(0);
      this.#stamps[topic] = this.#stamp;
      if (kinds.size > 0) for (const kind of kinds.giving(topic)) this.kinds.push(kind);
    }
  }
}
