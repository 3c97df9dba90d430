/** The policies' synchronous cores, for simulations and for loops of one's own: they are told the time and ask for nothing. */
export { BreakerCore, type BreakerRules, NO_PERMIT, type Verdict } from './breaker/breaker-core.ts';
export { CountWindow, TimeWindow, type Window } from './breaker/window.ts';
export { BulkheadCore, type BulkheadDecision, type Waiting } from './bulkhead/bulkhead-core.ts';
export { AimdLimit, GradientLimit, type LimitAlgorithm, type LimitSample } from './limits/limit-algorithm.ts';
export { RateLimitCore } from './limits/rate-limit-core.ts';
export { ThrottleCore } from './limits/throttle-core.ts';
export { type Backoff, backoffMs } from './retry/backoff.ts';
export { RetryBudget } from './retry/budget.ts';
export {
  type FailedAttempt,
  RetryCore,
  type RetryDecision,
  type RetryProgress,
  type RetryRules,
} from './retry/retry-core.ts';
