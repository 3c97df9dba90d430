import type { GiveUpReason } from '../pipeline/event.ts';
import { type Backoff, backoffMs } from './backoff.ts';
import type { RetryBudget } from './budget.ts';

export interface RetryRules {
  readonly maxRetries: number;
  readonly backoff: Backoff;
  /** The longest Retry-After that is heeded. */
  readonly maxRetryAfterMs: number;
  /** For the call as a whole, from its first attempt; Infinity without. */
  readonly deadlineMs: number;
  readonly budget: RetryBudget | null;
}

/** One call's retries so far. */
export interface RetryProgress {
  /** Attempts that failed. */
  failures: number;
  previousDelayMs: number;
}

/** What is known of the failure at hand. */
export interface FailedAttempt {
  readonly retryable: boolean;
  /** May have been carried out. */
  readonly ambiguous: boolean;
  readonly idempotent: boolean;
  /** A retry policy further in has tried and given up. */
  readonly retriedWithin: boolean;
  readonly retryAfterMs: number | undefined;
  /** When the call's time ends; Infinity without. */
  readonly deadline: number;
}

export type RetryDecision =
  | { readonly type: 'retry'; readonly delayMs: number }
  | { readonly type: 'give-up'; readonly reason: GiveUpReason };

/** Whether and when a failed call is tried again. */
export class RetryCore {
  readonly rules: RetryRules;

  constructor(rules: RetryRules) {
    this.rules = rules;
  }

  /** A call begins; `repeats` when it is itself part of somebody's retry, which has paid for it. */
  begin(repeats: boolean): void {
    if (!repeats) this.rules.budget?.deposit();
  }

  /** After a failed attempt at `now`. Counts the failure in `progress`, and takes the retry out of the budget. */
  decide(now: number, progress: RetryProgress, failed: FailedAttempt, random: () => number): RetryDecision {
    const { rules } = this;
    progress.failures++;
    if (!failed.retryable) return giveUp('not-retryable');
    if (failed.ambiguous && !failed.idempotent) return giveUp('not-idempotent');
    if (failed.retriedWithin) return giveUp('retried-within');
    if (progress.failures > rules.maxRetries) return giveUp('attempts');
    const backoff = backoffMs(rules.backoff, progress.failures, progress.previousDelayMs, random);
    progress.previousDelayMs = backoff;
    const delayMs = Math.max(backoff, Math.min(failed.retryAfterMs ?? 0, rules.maxRetryAfterMs));
    // Waking up at the deadline would leave no time for the work.
    if (now + delayMs >= failed.deadline) return giveUp('deadline');
    if (rules.budget !== null && !rules.budget.tryWithdraw()) return giveUp('budget');
    return { type: 'retry', delayMs };
  }
}

function giveUp(reason: GiveUpReason): RetryDecision {
  return { type: 'give-up', reason };
}
