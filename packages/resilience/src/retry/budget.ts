import { numberWithin } from '../base/duration.ts';

export interface RetryBudgetOptions {
  /** Retries per call, in the long run; 0.2 unless told: load stays within 1.2 times the calls. */
  readonly ratio?: number;
  /** Retries that may come at once after quiet times; 10 unless told. */
  readonly burst?: number;
}

/**
 * Bounds retries by a share of the calls, whatever fails. Every first attempt puts `ratio` tokens in, every retry takes one out.
 * Share one among all that call one target. (A bucket that only successes fill would forbid the retries that end an outage.)
 */
export class RetryBudget {
  readonly ratio: number;
  readonly burst: number;
  #tokens: number;
  #refused = 0;

  constructor(options: RetryBudgetOptions = {}) {
    this.ratio = numberWithin(options.ratio ?? 0.2, 'ratio', 0, 10);
    this.burst = numberWithin(options.burst ?? 10, 'burst', 0, 1_000_000);
    this.#tokens = this.burst;
  }

  /** A call that repeats nothing. */
  deposit(): void {
    const tokens = this.#tokens + this.ratio;
    this.#tokens = tokens < this.burst ? tokens : Math.max(this.burst, this.#tokens);
  }

  /** Whether one more attempt fits. */
  tryWithdraw(): boolean {
    // A little less than 1, because five fifths need not add up to one.
    if (this.#tokens < 0.999_999) {
      this.#refused++;
      return false;
    }
    this.#tokens = Math.max(0, this.#tokens - 1);
    return true;
  }

  /** Retries that could be made right now. */
  get available(): number {
    return Math.floor(this.#tokens + 0.000_001);
  }

  get refused(): number {
    return this.#refused;
  }
}

export function retryBudget(options?: RetryBudgetOptions): RetryBudget {
  return new RetryBudget(options);
}
