/** How waits grow with the attempts. */
export type Growth = 'constant' | 'linear' | 'exponential';

/**
 * How waits are spread, so that clients that failed together do not come back together: `full` draws from [0, wait], `equal` from
 * [wait/2, wait], `decorrelated` from [base, 3 times the last draw], each capped. Brooker, Exponential Backoff and Jitter, 2015.
 */
export type Jitter = 'full' | 'equal' | 'decorrelated' | 'none';

export interface Backoff {
  readonly growth: Growth;
  readonly jitter: Jitter;
  readonly baseMs: number;
  readonly maxMs: number;
}

/** The wait in ms after the `failures`-th failure, from 1; `previousMs` is the wait before it, 0 at first. */
export function backoffMs(backoff: Backoff, failures: number, previousMs: number, random: () => number): number {
  const { baseMs, maxMs } = backoff;
  const fullMs = Math.min(maxMs, baseMs * multiplier(backoff.growth, failures));
  switch (backoff.jitter) {
    case 'none':
      return fullMs;
    case 'full':
      return random() * fullMs;
    case 'equal':
      return fullMs / 2 + (random() * fullMs) / 2;
    case 'decorrelated': {
      const lastMs = Math.max(baseMs, previousMs);
      return Math.min(maxMs, baseMs + random() * (lastMs * 3 - baseMs));
    }
  }
}

function multiplier(growth: Growth, failures: number): number {
  switch (growth) {
    case 'constant':
      return 1;
    case 'linear':
      return failures;
    case 'exponential': {
      let doubled = 1;
      for (let step = 1; step < failures && doubled < Number.MAX_SAFE_INTEGER; step++) doubled *= 2;
      return doubled;
    }
  }
}
