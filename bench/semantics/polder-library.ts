import { type Breaker, breaker, bulkhead, isResilienceError, isTransient, retry, timeout } from '@polder/resilience';
import type { BreakerGuard, Library, Work } from './library.ts';

function guard(policy: Breaker): BreakerGuard {
  return {
    run: (work, signal) => policy.run((context) => work(context.signal), { signal }),
    isOpen: () => policy.state.state !== 'closed',
    isRefusal: (error) => isResilienceError(error) && error.code === 'CIRCUIT_OPEN',
    onEvent: (listener) => void policy.subscribe(listener),
  };
}

const runs = (policy: {
  run(work: (context: { signal: AbortSignal }) => Promise<unknown>, options: object): Promise<unknown>;
}) => ({
  run: (work: Work, signal?: AbortSignal) => policy.run((context) => work(context.signal), { signal }),
});

export const library: Library = {
  name: 'polder',
  consecutive: (threshold, openForMs) => guard(breaker({ consecutiveFailures: threshold, openFor: openForMs })),
  sampling: (windowMs, openForMs) => guard(breaker({ failureRate: 0.5, window: windowMs, openFor: openForMs })),
  nervous: (openForMs) => guard(breaker({ consecutiveFailures: 1, openFor: openForMs })),
  retry: (retries, baseMs, onRetry = () => {}) => runs(retry({ maxRetries: retries, baseDelay: baseMs, onRetry })),
  judging: (openForMs) => guard(breaker({ consecutiveFailures: 1, openFor: openForMs, on: isTransient })),
  limit: (running, queued) => runs(bulkhead({ limit: running, queue: queued })),
  timeout: (afterMs) => runs(timeout(afterMs)),
  fleet: (size, openForMs) =>
    Array.from({ length: size }, () => guard(breaker({ consecutiveFailures: 1, openFor: openForMs }))),
};
