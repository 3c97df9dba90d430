/** One call's end, for an algorithm that finds out how many calls at a time do good. */
export interface LimitSample {
  readonly durationMs: number;
  /** Calls that ran when it began, itself included. */
  readonly running: number;
  /** It timed out, or the target turned it away. */
  readonly dropped: boolean;
}

export interface LimitAlgorithm {
  readonly limit: number;
  onSample(sample: LimitSample): void;
}

export interface LimitBounds {
  readonly initial: number;
  readonly least: number;
  readonly most: number;
}

/** Additive increase, multiplicative decrease (Chiu and Jain, 1989): one more per round of calls, a tenth less per drop. */
export class AimdLimit implements LimitAlgorithm {
  readonly #bounds: LimitBounds;
  #limit: number;

  constructor(bounds: LimitBounds) {
    this.#bounds = bounds;
    this.#limit = bounds.initial;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  onSample(sample: LimitSample): void {
    if (sample.dropped) this.#limit = Math.max(this.#bounds.least, this.#limit * 0.9);
    // A limit that is not used says nothing about whether a higher one would do good.
    else if (sample.running * 2 >= this.#limit) {
      this.#limit = Math.min(this.#bounds.most, this.#limit + 1 / this.#limit);
    }
  }
}

/** Latency may rise to this many times the unloaded one before the limit falls. */
const TOLERANCE = 1.5;
/** The share of a new estimate that is taken over at once. */
const SMOOTHING = 0.5;
/** Calls that make up a measurement of the unloaded latency. */
const BASELINE_CALLS = 20;
/** Rounds after which it is measured anew. */
const ROUNDS = 25;
/** The first measurement is made at whatever limit it began with, which may have been too high. */
const FIRST_ROUNDS = 5;

/**
 * Follows the ratio of the unloaded latency to the present one: a target's queue shows as latency before anything fails. A round is
 * as many calls as the limit; room for a queue of the limit's root lets it probe upwards (after Netflix's concurrency-limits).
 * A long average for the unloaded latency would drift up with the load and the limit after it, so now and then the limit falls to
 * a quarter for a few calls, which measure it (as Envoy's adaptive concurrency does).
 */
export class GradientLimit implements LimitAlgorithm {
  readonly #bounds: LimitBounds;
  #limit: number;
  #baselineMs = 0;
  readonly #baseline = new Mean();
  readonly #round = new Mean();
  /** Above 0: rounds until the next measurement; 0: measuring. */
  #roundsLeft = 0;
  #first = true;

  constructor(bounds: LimitBounds) {
    this.#bounds = bounds;
    this.#limit = bounds.initial;
  }

  get limit(): number {
    return this.#roundsLeft > 0 || this.#first ? Math.floor(this.#limit) : this.#quarter();
  }

  onSample(sample: LimitSample): void {
    if (sample.dropped) {
      this.#limit = Math.max(this.#bounds.least, this.#limit * 0.9);
      return;
    }
    if (this.#roundsLeft === 0) this.#measure(sample);
    else this.#follow(sample);
  }

  #quarter(): number {
    return Math.max(this.#bounds.least, Math.floor(this.#limit / 4));
  }

  #measure(sample: LimitSample): void {
    // Calls that began before the limit fell still carry the load's latency.
    if (!this.#first && sample.running > this.#quarter()) return;
    this.#baseline.add(sample.durationMs);
    if (this.#baseline.count < BASELINE_CALLS) return;
    this.#baselineMs = this.#baseline.take();
    this.#roundsLeft = this.#first ? FIRST_ROUNDS : ROUNDS;
    this.#first = false;
  }

  #follow(sample: LimitSample): void {
    // A limit that is not used says nothing about whether a higher one would do good.
    if (sample.running * 2 < this.#limit) return;
    this.#round.add(sample.durationMs);
    if (this.#round.count < this.#limit) return;
    const presentMs = Math.max(this.#round.take(), 0.001);
    const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.#baselineMs) / presentMs));
    const target = this.#limit * gradient + Math.sqrt(this.#limit);
    const next = this.#limit * (1 - SMOOTHING) + target * SMOOTHING;
    this.#limit = Math.max(this.#bounds.least, Math.min(this.#bounds.most, next));
    this.#roundsLeft--;
  }
}

class Mean {
  count = 0;
  #sum = 0;

  add(value: number): void {
    this.count++;
    this.#sum += value;
  }

  /** The mean so far; begins anew. */
  take(): number {
    const mean = this.#sum / this.count;
    this.count = 0;
    this.#sum = 0;
    return mean;
  }
}
