/** How many steps of a watermark are remembered. */
const CAPACITY = 8192;
/** Steps closer together than this are one: they happened in one turn. */
const MERGED_US = 20;

/**
 * When a position was reached, of something that moves on: one record for each time it moved, however many requests
 * moved it, so that knowing the times of all of them costs next to nothing until one is asked for.
 */
export class Watermark {
  readonly #positions = new Float64Array(CAPACITY);
  readonly #timesUs = new Float64Array(CAPACITY);
  /** Records are numbered from 0; those in [oldest, next) are remembered. */
  #oldest = 0;
  #next = 0;

  get position(): number {
    return this.#next === this.#oldest ? 0 : (this.#positions[(this.#next - 1) % CAPACITY] as number);
  }

  reach(position: number, nowUs: number): void {
    if (this.#next > this.#oldest) {
      const last = (this.#next - 1) % CAPACITY;
      if (position <= (this.#positions[last] as number)) return;
      if (nowUs - (this.#timesUs[last] as number) < MERGED_US) {
        this.#positions[last] = position;
        return;
      }
    }
    this.#positions[this.#next % CAPACITY] = position;
    this.#timesUs[this.#next % CAPACITY] = nowUs;
    this.#next++;
    if (this.#next - this.#oldest > CAPACITY) this.#oldest++;
  }

  /** Positions above are taken back, to be reached again. */
  rewind(position: number): void {
    while (this.#next > this.#oldest && this.position > position) {
      const before = this.#next - 1 > this.#oldest ? (this.#positions[(this.#next - 2) % CAPACITY] as number) : 0;
      if (before < position) this.#positions[(this.#next - 1) % CAPACITY] = position;
      else this.#next--;
    }
  }

  /** null: not reached, or so long ago that it is forgotten. */
  timeOf(position: number): number | null {
    if (position > this.position) return null;
    let [low, high] = [this.#oldest, this.#next - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#positions[middle % CAPACITY] as number) >= position) high = middle;
      else low = middle + 1;
    }
    if (low === this.#oldest && this.#oldest > 0) return null;
    return this.#timesUs[low % CAPACITY] as number;
  }
}
