import type { Machine } from './machine.ts';
import type { UnknownKinds } from './unknown-kinds.ts';

/** In place of an action: the operation must not be placed, since what it does hangs on an answer not known yet. */
export const AWAITED = -1;

/** By slot: the action of the operation under way there; `AWAITED` where there is none, too. */
export type SlotActions = readonly number[];

/**
 * Which operations are worth placing before one that returns: those that give what it takes, or what one takes that
 * cannot wait, directly or through others (`Model.gives`).
 */
export class Candidates {
  readonly slots: number[] = [];
  readonly kinds: number[] = [];
  /** By topic and by slot: the round in which it was last taken, or chosen. */
  readonly #taken: number[] = [];
  readonly #chosen: number[] = [];
  #round = 0;

  choose(target: number, machine: Machine, actions: SlotActions, kinds: UnknownKinds): void {
    this.slots.length = 0;
    this.kinds.length = 0;
    this.#round++;
    for (const kind of kinds.untold) this.kinds.push(kind);
    for (let slot = 0; slot < actions.length; slot++) {
      const action = actions[slot] as number;
      if (action === AWAITED) continue;
      const mustBeTried = slot !== target && (machine.gives(action) === null || !machine.canWait(action));
      if (mustBeTried && !machine.reads(action)) this.#choose(slot);
      if (mustBeTried || slot === target) this.#take(machine.takes(action), kinds);
    }
    let kindsFollowed = 0;
    for (let grew = true; grew; ) {
      grew = false;
      for (; kindsFollowed < this.kinds.length; kindsFollowed++) {
        this.#take(machine.takes(kinds.kind(this.kinds[kindsFollowed] as number).action), kinds);
      }
      for (let slot = 0; slot < actions.length; slot++) {
        const action = actions[slot] as number;
        if (action === AWAITED || slot === target || this.#chosen[slot] === this.#round) continue;
        if (!this.#givesWhatIsTaken(machine.gives(action))) continue;
        this.#choose(slot);
        const takes = machine.takes(action);
        if (takes.length > 0) grew = true;
        this.#take(takes, kinds);
      }
    }
  }

  #choose(slot: number): void {
    while (this.#chosen.length <= slot) this.#chosen.push(0);
    this.#chosen[slot] = this.#round;
    this.slots.push(slot);
  }

  #givesWhatIsTaken(topics: readonly number[] | null): boolean {
    if (topics === null) return false;
    for (const topic of topics) if (this.#taken[topic] === this.#round) return true;
    return false;
  }

  #take(topics: readonly number[], kinds: UnknownKinds): void {
    for (const topic of topics) {
      if (this.#taken[topic] === this.#round) continue;
      while (this.#taken.length <= topic) this.#taken.push(0);
      this.#taken[topic] = this.#round;
      if (kinds.size === 0) continue;
      for (const kind of kinds.giving(topic)) if (!this.kinds.includes(kind)) this.kinds.push(kind);
    }
  }
}
