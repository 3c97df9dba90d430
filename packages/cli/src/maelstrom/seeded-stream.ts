import { draw, scaled } from '@polder/core';

/** What a stream of draws decides; each has its own, so that more draws in one place move nothing elsewhere. */
export const Concern = {
  latency: 1,
  partitions: 2,
  operations: 3,
  pace: 4,
  sequential: 5,
  lastWriteWins: 6,
  workers: 7,
} as const;

/** A stream of draws from a seed. The run is in real time, so the seed fixes the choices but not their moments. */
export class SeededStream {
  readonly #seed: number;
  readonly #concern: number;
  #count = 0;

  constructor(seed: number, concern: (typeof Concern)[keyof typeof Concern]) {
    this.#seed = seed;
    this.#concern = concern;
  }

  /** An integer in [0, bound). */
  below(bound: number): number {
    return scaled(this.#next(), bound);
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.#next() / 0x100000000;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    const order: T[] = [];
    while (rest.length > 0) order.push(...rest.splice(this.below(rest.length), 1));
    return order;
  }

  #next(): number {
    return draw(this.#seed, this.#concern, 0, this.#count++);
  }
}
