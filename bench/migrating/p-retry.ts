import { retry } from '@polder/resilience';
import pRetry, { AbortError } from 'p-retry';
import { fetchPrice, type PriceClient } from './prices.ts';

const isClientError = (error: unknown): boolean => {
  const { status } = error as { status?: number };
  return status !== undefined && status >= 400 && status < 500;
};

export function before(url: string): PriceClient {
  const price = async (symbol: string): Promise<unknown> => {
    try {
      return await fetchPrice(url, symbol, AbortSignal.timeout(200));
    } catch (error) {
      if (isClientError(error)) throw new AbortError(error as Error);
      throw error;
    }
  };
  return {
    async price(symbol) {
      try {
        await pRetry(() => price(symbol), { retries: 2, minTimeout: 20, randomize: true });
        return 'ok';
      } catch (error) {
        return (error as Error).name === 'TimeoutError' ? 'timed out' : 'failed';
      }
    },
  };
}

const prices = retry({ maxRetries: 2, baseDelay: 20, idempotent: true });

export function after(url: string): PriceClient {
  return {
    async price(symbol) {
      const out = await prices.tryRun(() => fetchPrice(url, symbol, AbortSignal.timeout(200)));
      if (out.ok) return 'ok';
      return (out.error as Error).name === 'TimeoutError' ? 'timed out' : 'failed';
    },
  };
}
