import CircuitBreaker from 'opossum';
import type { BreakerGuard, Library, Work } from './library.ts';

type Options = ConstructorParameters<typeof CircuitBreaker>[1];

const call = (work: Work): Promise<unknown> => work(undefined);

function guard(options: Options): BreakerGuard {
  const breaker = new CircuitBreaker(call, { timeout: false, ...options });
  return {
    run: (work) => breaker.fire(work),
    isOpen: () => breaker.opened || breaker.halfOpen,
    isRefusal: (error) => (error as { code?: unknown }).code === 'EOPENBREAKER',
    onEvent: (listener) => {
      for (const event of ['success', 'failure', 'open']) breaker.on(event, listener);
    },
  };
}

const nervous = (openForMs: number): BreakerGuard => guard({ errorThresholdPercentage: 1, resetTimeout: openForMs });

export const library: Library = {
  name: 'opossum',
  consecutive: () => null,
  sampling: (windowMs, openForMs) =>
    guard({ errorThresholdPercentage: 50, rollingCountTimeout: windowMs, resetTimeout: openForMs }),
  nervous,
  retry: () => null,
  judging: () => null,
  limit: () => null,
  timeout: (afterMs) => {
    // The one place to get a signal from: a controller handed in, for every call of the breaker.
    const abortController = new AbortController();
    const work = (inner: Work): Promise<unknown> => inner(abortController.signal);
    const breaker = new CircuitBreaker(work, { timeout: afterMs, abortController } as Options);
    return { run: (inner) => breaker.fire(inner) };
  },
  fleet: (size, openForMs) => Array.from({ length: size }, () => nervous(openForMs)),
};
