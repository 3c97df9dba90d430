import { TimeWindow } from '../breaker/window.ts';

/**
 * Client-side throttling (Beyer and others, Site Reliability Engineering, 2016, chapter 21): refuse a call here with probability
 * max(0, (requests - ratio * accepts) / (requests + 1)), counting what is refused here among the requests.
 */
export class ThrottleCore {
  readonly ratio: number;
  readonly #window: TimeWindow;
  #refused = 0;

  constructor(ratio: number, windowMs: number) {
    this.ratio = ratio;
    this.#window = new TimeWindow(windowMs);
  }

  /** Whether the call may go; `draw` is uniform in [0, 1). */
  decide(now: number, draw: number): boolean {
    if (draw >= this.refuseProbability(now)) return true;
    this.#window.record(now, true, false);
    this.#refused++;
    return false;
  }

  settle(now: number, accepted: boolean): void {
    this.#window.record(now, !accepted, false);
  }

  refuseProbability(now: number): number {
    const window = this.#window;
    window.advance(now);
    const accepts = window.calls - window.failures;
    return Math.max(0, (window.calls - this.ratio * accepts) / (window.calls + 1));
  }

  get refused(): number {
    return this.#refused;
  }
}
