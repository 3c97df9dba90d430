/** Which seeds are to be run, are being run, and are done. */

/** From the first to the last, both included. */
export type SeedRange = readonly [first: number, last: number];

export class SeedLedger {
  readonly #last: number;
  #done: SeedRange[];
  #next: number;
  #left: number;

  /** `seeds` from `from` on, Infinity: without end; those already done are left out. */
  constructor(from: number, seeds: number, done: readonly SeedRange[] = []) {
    this.#next = from;
    this.#last = from + seeds - 1;
    this.#done = merged(done);
    const within = this.#done.map(([first, last]) => Math.min(last, this.#last) - Math.max(first, from) + 1);
    this.#left = seeds - within.reduce((sum, count) => sum + Math.max(0, count), 0);
  }

  /** Neither done nor handed out. */
  get left(): number {
    return this.#left;
  }

  /** In order, without overlap. */
  get done(): readonly SeedRange[] {
    return this.#done;
  }

  /** The next seeds, at most so many, in one piece; null: there are no more. */
  take(most: number): { readonly from: number; readonly seeds: number } | null {
    const inside = this.#done.find(([first, last]) => first <= this.#next && this.#next <= last);
    if (inside !== undefined) this.#next = inside[1] + 1;
    const from = this.#next;
    const ahead = this.#done.find(([first]) => first > from)?.[0] ?? Number.POSITIVE_INFINITY;
    const seeds = Math.min(Math.max(1, most), this.#last - from + 1, ahead - from);
    if (seeds <= 0) return null;
    this.#next = from + seeds;
    this.#left -= seeds;
    return { from, seeds };
  }

  finish(from: number, seeds: number): void {
    if (seeds > 0) this.#done = merged([...this.#done, [from, from + seeds - 1]]);
  }
}

function merged(ranges: readonly SeedRange[]): SeedRange[] {
  const result: SeedRange[] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = result.at(-1);
    if (before !== undefined && first <= before[1] + 1)
      result[result.length - 1] = [before[0], Math.max(before[1], last)];
    else result.push([first, last]);
  }
  return result;
}
