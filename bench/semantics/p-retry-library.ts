import pRetry from 'p-retry';
import type { Guard, Library, Work } from './library.ts';

function again(retries: number, baseMs: number, onRetry?: () => void): Guard {
  return {
    run: (work: Work, signal?: AbortSignal) =>
      pRetry(() => work(signal), {
        retries,
        minTimeout: baseMs,
        ...(signal === undefined ? {} : { signal }),
        ...(onRetry === undefined ? {} : { onFailedAttempt: onRetry }),
      }),
  };
}

export const library: Library = {
  name: 'p-retry',
  consecutive: () => null,
  sampling: () => null,
  nervous: () => null,
  retry: again,
  judging: () => null,
  limit: () => null,
  timeout: () => null,
  fleet: () => null,
};
