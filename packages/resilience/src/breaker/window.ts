/** What a breaker remembers of the calls while it is closed. Counts only: size and cost do not grow with traffic. */
export interface Window {
  /** Whether `record` needs the time. */
  readonly timed: boolean;
  record(now: number, failed: boolean, slow: boolean): void;
  /** Drops what is too old, before counts are read. */
  advance(now: number): void;
  clear(): void;
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** The last `size` calls. */
export class CountWindow implements Window {
  readonly timed = false;
  /** Bit 0: failed; bit 1: slow. */
  readonly #ring: Uint8Array;
  #at = 0;
  calls = 0;
  failures = 0;
  slow = 0;

  constructor(size: number) {
    this.#ring = new Uint8Array(size);
  }

  record(_now: number, failed: boolean, slow: boolean): void {
    const old = this.#ring[this.#at] ?? 0;
    const mark = (failed ? 1 : 0) | (slow ? 2 : 0);
    this.#ring[this.#at] = mark;
    this.#at = this.#at + 1 === this.#ring.length ? 0 : this.#at + 1;
    // Before the ring is full its old marks are zeros, which take nothing away.
    if (this.calls < this.#ring.length) this.calls++;
    this.failures += (mark & 1) - (old & 1);
    this.slow += (mark >> 1) - (old >> 1);
  }

  advance(): void {}

  clear(): void {
    this.#ring.fill(0);
    this.#at = 0;
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }
}

const BUCKETS = 10;

/** The calls of the last `durationMs`, by tenths of it. */
export class TimeWindow implements Window {
  readonly timed = true;
  readonly #bucketMs: number;
  readonly #calls = new Float64Array(BUCKETS);
  readonly #failures = new Float64Array(BUCKETS);
  readonly #slow = new Float64Array(BUCKETS);
  /** When the bucket in use ends. */
  #endMs = -Infinity;
  #at = 0;
  calls = 0;
  failures = 0;
  slow = 0;

  constructor(durationMs: number) {
    this.#bucketMs = durationMs / BUCKETS;
  }

  record(now: number, failed: boolean, slow: boolean): void {
    if (now >= this.#endMs) this.advance(now);
    this.#calls[this.#at] = (this.#calls[this.#at] ?? 0) + 1;
    this.calls++;
    if (failed) {
      this.#failures[this.#at] = (this.#failures[this.#at] ?? 0) + 1;
      this.failures++;
    }
    if (slow) {
      this.#slow[this.#at] = (this.#slow[this.#at] ?? 0) + 1;
      this.slow++;
    }
  }

  advance(now: number): void {
    if (now < this.#endMs) return;
    const passed = Math.floor((now - this.#endMs) / this.#bucketMs) + 1;
    if (!(passed < BUCKETS)) {
      this.clear();
      this.#endMs = now + this.#bucketMs;
      return;
    }
    for (let step = 0; step < passed; step++) this.#drop();
    this.#endMs += passed * this.#bucketMs;
  }

  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#slow.fill(0);
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }

  /** Moves on to the oldest bucket, and empties it. */
  #drop(): void {
    this.#at = (this.#at + 1) % BUCKETS;
    this.calls -= this.#calls[this.#at] ?? 0;
    this.failures -= this.#failures[this.#at] ?? 0;
    this.slow -= this.#slow[this.#at] ?? 0;
    this.#calls[this.#at] = 0;
    this.#failures[this.#at] = 0;
    this.#slow[this.#at] = 0;
  }
}
