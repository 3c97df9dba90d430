import * as cockatiel from 'cockatiel';
import type { BreakerGuard, Guard, Library } from './library.ts';

function guard(policy: cockatiel.CircuitBreakerPolicy): BreakerGuard {
  return {
    run: (work, signal) => policy.execute((context) => work(context.signal), signal),
    isOpen: () => policy.state !== cockatiel.CircuitState.Closed,
    isRefusal: (error) => cockatiel.isBrokenCircuitError(error),
    onEvent: (listener) => {
      policy.onSuccess(listener);
      policy.onFailure(listener);
      policy.onBreak(listener);
    },
  };
}

function runs(policy: cockatiel.IPolicy): Guard {
  return { run: (work, signal) => policy.execute((context) => work(context.signal), signal) };
}

function consecutive(
  threshold: number,
  halfOpenAfter: number | cockatiel.IBackoffFactory<cockatiel.IHalfOpenAfterBackoffContext>,
) {
  const breaker = new cockatiel.ConsecutiveBreaker(threshold);
  return guard(cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter, breaker }));
}

function again(retries: number, baseMs: number): cockatiel.RetryPolicy {
  const backoff = new cockatiel.ExponentialBackoff({ initialDelay: baseMs });
  return cockatiel.retry(cockatiel.handleAll, { maxAttempts: retries, backoff });
}

export const library: Library = {
  name: 'cockatiel',
  consecutive,
  sampling: (windowMs, openForMs) => {
    const breaker = new cockatiel.SamplingBreaker({ threshold: 0.5, duration: windowMs });
    return guard(cockatiel.circuitBreaker(cockatiel.handleAll, { halfOpenAfter: openForMs, breaker }));
  },
  nervous: (openForMs) => consecutive(1, openForMs),
  retry: (retries, baseMs, onRetry) => {
    const policy = again(retries, baseMs);
    if (onRetry !== undefined) policy.onRetry(onRetry);
    return runs(policy);
  },
  judging: (openForMs) => {
    const handle = cockatiel.handleAll.orWhenResult((value) => (value as { status?: number }).status === 503);
    const breaker = new cockatiel.ConsecutiveBreaker(1);
    return guard(cockatiel.circuitBreaker(handle, { halfOpenAfter: openForMs, breaker }));
  },
  limit: (running, queued) => runs(cockatiel.bulkhead(running, queued)),
  timeout: (afterMs) => runs(cockatiel.timeout(afterMs, cockatiel.TimeoutStrategy.Aggressive)),
  fleet: (size, openForMs) =>
    Array.from({ length: size }, () =>
      consecutive(1, new cockatiel.ExponentialBackoff({ initialDelay: openForMs, maxDelay: openForMs * 4 })),
    ),
};
