import { breaker, fallback, isResilienceError, pipeline, timeout } from '@polder/resilience';
import CircuitBreaker from 'opossum';
import { fetchPrice, type Price, type PriceClient } from './prices.ts';

const UNKNOWN: Price = { symbol: '?', cents: 0 };

export function before(url: string): PriceClient {
  const prices = new CircuitBreaker((symbol: string) => fetchPrice(url, symbol), {
    timeout: 200,
    errorThresholdPercentage: 50,
    volumeThreshold: 5,
    resetTimeout: 300,
  });
  prices.fallback(() => UNKNOWN);
  return {
    async price(symbol) {
      return (await prices.fire(symbol)) === UNKNOWN ? 'fallback' : 'ok';
    },
  };
}

export function after(url: string): PriceClient {
  const prices = pipeline(
    'prices',
    fallback(() => UNKNOWN),
    breaker({ failureRate: 0.5, window: '10s', minimumCalls: 5, openFor: 300 }),
    timeout(200),
  );
  return {
    async price(symbol) {
      const out = await prices.tryRun(({ signal }) => fetchPrice(url, symbol, signal));
      if (out.ok) return out.degraded === undefined ? 'ok' : 'fallback';
      return isResilienceError(out.error) ? 'refused' : 'failed';
    },
  };
}
