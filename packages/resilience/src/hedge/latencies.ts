/** The quantile of the last latencies: bounded memory, and sorted only now and then. */
export class Latencies {
  readonly #recent: Float64Array;
  #count = 0;
  #sorted: Float64Array | null = null;

  constructor(size: number) {
    this.#recent = new Float64Array(size);
  }

  get count(): number {
    return Math.min(this.#count, this.#recent.length);
  }

  record(durationMs: number): void {
    this.#recent[this.#count % this.#recent.length] = durationMs;
    this.#count++;
    // An estimate from a few calls ago is as good.
    if (this.#count % 16 === 0) this.#sorted = null;
  }

  quantile(share: number): number {
    this.#sorted ??= this.#recent.slice(0, this.count).sort();
    return this.#sorted[Math.min(this.#sorted.length - 1, Math.floor(this.#sorted.length * share))] ?? 0;
  }
}
