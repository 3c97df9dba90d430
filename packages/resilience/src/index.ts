export { isTargetFailure, isTransient } from './base/classify.ts';
export type { Duration } from './base/duration.ts';
export { isResilienceError, type ResilienceCode, ResilienceError } from './base/error.ts';
export type { Hold } from './base/listeners.ts';
export type { Degradation, Failure, Outcome, OutcomePredicate, Success } from './base/outcome.ts';
export { retryAfterOf } from './base/retry-after.ts';
export {
  type Breaker,
  type BreakerInspection,
  type BreakerOptions,
  breaker,
  type SlowCalls,
} from './breaker/breaker.ts';
export type { BreakerChange, BreakerMode, BreakerSnapshot, BreakerState } from './breaker/breaker-core.ts';
export {
  type BreakerVote,
  type BreakerVotes,
  type SharedBreaker,
  type SharedBreakerOptions,
  sharedBreaker,
} from './breaker/shared-breaker.ts';
export { type Bulkhead, type BulkheadOptions, bulkhead } from './bulkhead/bulkhead.ts';
export { type Coalesce, coalesce } from './coalesce/coalesce.ts';
export { type Fallback, type FallbackOptions, fallback } from './degrade/fallback.ts';
export { type StaleCache, type StaleCacheOptions, staleCache } from './degrade/stale-cache.ts';
export { type Hedge, type HedgeOptions, hedge } from './hedge/hedge.ts';
export { type AdaptiveLimit, type AdaptiveLimitOptions, adaptiveLimit } from './limits/adaptive-limit.ts';
export { type RateLimit, type RateLimitOptions, rateLimit } from './limits/rate-limit.ts';
export { type Throttle, type ThrottleOptions, throttle } from './limits/throttle.ts';
export type { RunOptions, Work } from './pipeline/call.ts';
export type { Context } from './pipeline/context.ts';
export type { GiveUpReason, PipelineEvent } from './pipeline/event.ts';
export { type Pipeline, type PipelineInspection, pipeline } from './pipeline/pipeline.ts';
export type { AnyPolicy, Policy, PolicyOptions } from './pipeline/policy.ts';
export type { PipelineCounters } from './pipeline/reporter.ts';
export type { RefusedSlot, Slot, SlotResult } from './pipeline/slot.ts';
export { Registry, registry } from './registry/registry.ts';
export type { Growth, Jitter } from './retry/backoff.ts';
export { type RetryBudget, type RetryBudgetOptions, retryBudget } from './retry/budget.ts';
export { type Retry, type RetryEvent, type RetryOptions, retry } from './retry/retry.ts';
export { type Alarm, type Platform, Runtime } from './runtime/runtime.ts';
export { systemRuntime } from './runtime/system.ts';
export { type Timeout, type TimeoutOptions, timeout } from './timeout/timeout.ts';
