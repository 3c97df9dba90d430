import { retry as again, breaker, isResilienceError, timeout as limit, pipeline } from '@polder/resilience';
import {
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  isBrokenCircuitError,
  isTaskCancelledError,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import { fetchPrice, type PriceClient } from './prices.ts';

export function before(url: string): PriceClient {
  const prices = wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff({ initialDelay: 20 }) }),
    circuitBreaker(handleAll, { halfOpenAfter: 300, breaker: new ConsecutiveBreaker(5) }),
    timeout(200, TimeoutStrategy.Aggressive),
  );
  return {
    async price(symbol) {
      try {
        await prices.execute(({ signal }) => fetchPrice(url, symbol, signal));
        return 'ok';
      } catch (error) {
        if (isBrokenCircuitError(error)) return 'refused';
        return isTaskCancelledError(error) ? 'timed out' : 'failed';
      }
    },
  };
}

export function after(url: string): PriceClient {
  const prices = pipeline(
    'prices',
    again({ maxRetries: 2, baseDelay: 20, idempotent: true }),
    breaker({ consecutiveFailures: 5, openFor: 300 }),
    limit(200),
  );
  return {
    async price(symbol) {
      const out = await prices.tryRun(({ signal }) => fetchPrice(url, symbol, signal));
      if (out.ok) return 'ok';
      if (!isResilienceError(out.error)) return 'failed';
      if (out.error.code === 'CIRCUIT_OPEN') return 'refused';
      return out.error.code === 'TIMEOUT' ? 'timed out' : 'failed';
    },
  };
}
