/** A token bucket (Turner, 1986): `permits` per `perMs` in the long run, `burst` at once after quiet times. */
export class RateLimitCore {
  readonly permits: number;
  readonly perMs: number;
  readonly burst: number;
  /** Below 0 when calls wait for tokens to come. */
  #tokens: number;
  #filledMs: number | null = null;

  constructor(permits: number, perMs: number, burst: number) {
    this.permits = permits;
    this.perMs = perMs;
    this.burst = burst;
    this.#tokens = burst;
  }

  /** How long the call has to wait, having its token; -1 when that would be longer than `maxWaitMs`. */
  decide(now: number, maxWaitMs: number): number {
    this.#fill(now);
    const waitMs = this.waitMs(now);
    if (waitMs > maxWaitMs) return -1;
    this.#tokens--;
    return waitMs;
  }

  /** Until there would be a token. */
  waitMs(now: number): number {
    this.#fill(now);
    // Rounding may leave a bucket a hair short of a token.
    const missing = 1 - this.#tokens;
    return missing < 1e-9 ? 0 : (missing * this.perMs) / this.permits;
  }

  /** A call that waited for its token does not need it. */
  giveBack(): void {
    this.#tokens = Math.min(this.burst, this.#tokens + 1);
  }

  available(now: number): number {
    this.#fill(now);
    return Math.max(0, Math.floor(this.#tokens + 1e-9));
  }

  #fill(now: number): void {
    if (this.#filledMs !== null && now > this.#filledMs) {
      this.#tokens = Math.min(this.burst, this.#tokens + ((now - this.#filledMs) * this.permits) / this.perMs);
    }
    this.#filledMs = now;
  }
}
