import type { ResilienceCode } from '../base/error.ts';
import { Listeners } from '../base/listeners.ts';
import type { Degradation, Outcome } from '../base/outcome.ts';
import type { GiveUpReason, PipelineEvent } from './event.ts';

/** Totals since the pipeline was made. */
export interface PipelineCounters {
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly retries: number;
  readonly timeouts: number;
  readonly hedges: number;
  readonly coalesced: number;
  readonly degraded: number;
  readonly refused: Readonly<Partial<Record<ResilienceCode, number>>>;
  /** How often a listener threw. */
  readonly listenersThrown: number;
}

/** Counts, and tells listeners. Numbers only: what it costs does not grow with traffic. */
export class Reporter {
  readonly pipeline: string;
  readonly listeners = new Listeners<PipelineEvent>();
  calls = 0;
  succeeded = 0;
  failed = 0;
  #retries = 0;
  #timeouts = 0;
  #hedges = 0;
  #coalesced = 0;
  #degraded = 0;
  readonly #refused: Record<ResilienceCode, number> = {
    CIRCUIT_OPEN: 0,
    ISOLATED: 0,
    TIMEOUT: 0,
    REJECTED: 0,
    RATE_LIMITED: 0,
    THROTTLED: 0,
    BUDGET_EXHAUSTED: 0,
    MISCONFIGURED: 0,
  };

  constructor(pipeline: string) {
    this.pipeline = pipeline;
  }

  retry(attempt: number, delayMs: number, outcome: Outcome<unknown>): void {
    this.#retries++;
    this.listeners.emit({ type: 'retry', pipeline: this.pipeline, attempt, delayMs, outcome });
  }

  gaveUp(attempt: number, reason: GiveUpReason, outcome: Outcome<unknown>): void {
    this.listeners.emit({ type: 'gave-up', pipeline: this.pipeline, attempt, reason, outcome });
  }

  refused(code: ResilienceCode): void {
    this.#refused[code]++;
    if (this.listeners.any) this.listeners.emit({ type: 'refused', pipeline: this.pipeline, code });
  }

  timedOut(timeoutMs: number): void {
    this.#timeouts++;
    this.listeners.emit({ type: 'timed-out', pipeline: this.pipeline, timeoutMs });
  }

  hedged(attempt: number): void {
    this.#hedges++;
    this.listeners.emit({ type: 'hedged', pipeline: this.pipeline, attempt });
  }

  coalesced(key: string): void {
    this.#coalesced++;
    this.listeners.emit({ type: 'coalesced', pipeline: this.pipeline, key });
  }

  degraded(how: Degradation): void {
    this.#degraded++;
    this.listeners.emit({ type: 'degraded', pipeline: this.pipeline, how });
  }

  counters(): PipelineCounters {
    return {
      calls: this.calls,
      succeeded: this.succeeded,
      failed: this.failed,
      retries: this.#retries,
      timeouts: this.#timeouts,
      hedges: this.#hedges,
      coalesced: this.#coalesced,
      degraded: this.#degraded,
      refused: Object.fromEntries(Object.entries(this.#refused).filter(([, count]) => count > 0)),
      listenersThrown: this.listeners.thrown,
    };
  }
}
