/** What the scenarios ask of a library, so that all of them are put the same questions. */

export type Work = (signal: AbortSignal | undefined) => Promise<unknown>;

export interface Guard {
  run(work: Work, signal?: AbortSignal): Promise<unknown>;
}

export interface BreakerGuard extends Guard {
  isOpen(): boolean;
  /** Whether the error says that the breaker let nothing through. */
  isRefusal(error: unknown): boolean;
  onEvent(listener: () => void): void;
}

/** Null: the library does not offer it. Each is set up as its documentation shows, with the figures given. */
export interface Library {
  readonly name: string;
  consecutive(threshold: number, openForMs: number): BreakerGuard | null;
  /** Half of the calls in a window, with the library's own minimum. */
  sampling(windowMs: number, openForMs: number): BreakerGuard | null;
  /** As consecutive or as sampling, whichever there is, to open at the first failure. */
  nervous(openForMs: number): BreakerGuard | null;
  retry(retries: number, baseMs: number, onRetry?: () => void): Guard | null;
  /** Counts a returned 503 as a failure. */
  judging(openForMs: number): BreakerGuard | null;
  limit(running: number, queued: number): Guard | null;
  timeout(afterMs: number): Guard | null;
  /** Breakers of a fleet, with the time open spread as far as the library can. */
  fleet(size: number, openForMs: number): BreakerGuard[] | null;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** What has become of a promise by now. */
export function watch(promise: Promise<unknown>): { state: 'pending' | 'ok' | 'failed'; error?: unknown } {
  const seen: { state: 'pending' | 'ok' | 'failed'; error?: unknown } = { state: 'pending' };
  promise.then(
    () => {
      seen.state = 'ok';
    },
    (error: unknown) => {
      seen.state = 'failed';
      seen.error = error;
    },
  );
  return seen;
}

export const down = (): Promise<never> => Promise.reject(new Error('down'));
export const hang = (): Promise<never> => new Promise(() => {});
export const good = (): Promise<string> => Promise.resolve('good');
export const swallow = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => undefined);
