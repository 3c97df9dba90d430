import type { RetryBudget } from '../retry/budget.ts';

/**
 * What of a policy's state lets an ordinary call through without asking the policy. All policies keep it in this one shape, so
 * that a frame reads it with a few loads where a method call on any of a dozen classes costs several nanoseconds.
 */
export class Turnstile {
  /** What a call takes with it; below 0 while the policy has to look at every call itself. */
  permit = 0;
  running = 0;
  limit = Infinity;
  /** Gets its share of every call. */
  budget: RetryBudget | null = null;
  /** Whether the policy has to be told of a success. */
  heedsSuccess = false;
}
