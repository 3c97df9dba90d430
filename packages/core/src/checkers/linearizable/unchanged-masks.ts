import { AWAITED, type SlotActions } from './candidates.ts';
import type { Machine } from './machine.ts';

/** Which operations under way would change nothing in a state; many configurations share theirs. */
export class UnchangedMasks {
  masks = new Int32Array(64);
  #rounds = new Int32Array(64);
  #round = 0;
  #words = 1;

  /** The operations under way are others than before. */
  begin(words: number): void {
    this.#words = words;
    this.#round = (this.#round + 1) | 0;
  }

  /** Where in `masks` the words of a state begin. */
  at(state: number, machine: Machine, actions: SlotActions): number {
    const at = state * this.#words;
    if (state >= this.#rounds.length || at + this.#words > this.masks.length) this.#grow(state);
    if (this.#rounds[state] === this.#round) return at;
    this.#rounds[state] = this.#round;
    this.masks.fill(0, at, at + this.#words);
    for (let slot = 0; slot < actions.length; slot++) {
      const action = actions[slot] as number;
      if (action === AWAITED || machine.changes(action) || machine.step(state, action) !== state) continue;
      const word = at + (slot >>> 5);
      this.masks[word] = (this.masks[word] as number) | (1 << (slot & 31));
    }
    return at;
  }

  #grow(state: number): void {
    const rounds = new Int32Array(Math.max(this.#rounds.length, 2 * (state + 1)));
    rounds.set(this.#rounds);
    const masks = new Int32Array(rounds.length * this.#words);
    masks.set(this.masks);
    [this.#rounds, this.masks] = [rounds, masks];
  }
}
