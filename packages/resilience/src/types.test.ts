/** Misuse does not compile: each expected error below is one that the compiler must find, or `tsc -b` fails. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  breaker,
  bulkhead,
  coalesce,
  fallback,
  hedge,
  isResilienceError,
  type Outcome,
  pipeline,
  rateLimit,
  retry,
  staleCache,
  timeout,
} from './index.ts';

const users = pipeline('users', timeout('5s'), retry(), breaker({ failureRate: 0.5 }), bulkhead(50));

/** Compiled, never run. */
const unused = (...calls: readonly (() => unknown)[]): number => calls.length;

describe('types', () => {
  test('the value comes through', async () => {
    expectTypeOf(await users.run(async () => 7)).toEqualTypeOf<number>();
    expectTypeOf(await users.run(() => 'x')).toEqualTypeOf<string>();
    expectTypeOf(await users.tryRun(() => 7)).toEqualTypeOf<Outcome<number>>();
    expect(true).toBe(true);
  });

  test('a fallback adds what it gives, through any number of policies', async () => {
    const policies = [timeout(1), timeout(2), timeout(3), timeout(4), timeout(5), timeout(6), timeout(7)] as const;
    const long = pipeline(
      'long',
      ...policies,
      fallback(() => null),
      retry(),
      fallback(async () => 'none' as const),
    );
    expectTypeOf(await long.run(() => 7)).toEqualTypeOf<number | 'none' | null>();
  });

  test('a key is asked for where a policy needs one', () => {
    const cached = pipeline('cached', coalesce(), staleCache(), retry());
    unused(() => cached.run(() => 1, { key: 'a' }));
    // @ts-expect-error: without a key a cache has nothing to keep
    unused(() => cached.run(() => 1));
    // @ts-expect-error: an undefined key is none
    unused(() => cached.run(() => 1, { key: undefined }));
    // @ts-expect-error: alone, too
    unused(() => staleCache().run(() => 1));
    unused(() => users.run(() => 1));
  });

  test('a breaker has one kind of trigger', () => {
    unused(
      () => breaker({ consecutiveFailures: 5 }),
      () => breaker({ failureRate: 0.5, window: '10s' }),
      () => breaker({ failureRate: 0.5, calls: 100, slow: { after: '1s', rate: 0.5 } }),
      () => breaker({ slow: { after: '1s', rate: 0.5 } }),
      // @ts-expect-error: it would never open
      () => breaker({}),
      // @ts-expect-error: two triggers
      () => breaker({ consecutiveFailures: 5, failureRate: 0.5 }),
      // @ts-expect-error: a window of time or of calls
      () => breaker({ failureRate: 0.5, calls: 100, window: '10s' }),
      // @ts-expect-error: failures in a row need no window
      () => breaker({ consecutiveFailures: 5, window: '10s' }),
    );
  });

  test('durations have units that exist', () => {
    unused(
      () => timeout('1.5m'),
      () => timeout(250),
      // @ts-expect-error: no such unit
      () => timeout('5 parsecs'),
      // @ts-expect-error: no unit
      () => timeout('5'),
    );
  });

  test('other misuse', () => {
    unused(
      // @ts-expect-error: a pipeline needs policies
      () => pipeline('empty'),
      // @ts-expect-error: functions are not policies
      () => pipeline('wrong', () => 1),
      // @ts-expect-error: the policies need a name for what they guard
      () => pipeline(retry()),
      // @ts-expect-error: hedging does work twice; say that this does no harm
      () => hedge({ after: '50ms' }),
      // @ts-expect-error: no limit
      () => bulkhead(),
      // @ts-expect-error: no such option
      () => retry({ attempts: 3 }),
      // @ts-expect-error: no such jitter
      () => retry({ jitter: 'gaussian' }),
      // @ts-expect-error: so many calls, in words of the option
      () => rateLimit({ perSecond: 5 }),
      // @ts-expect-error: work is a function
      () => users.run(Promise.resolve(1)),
    );
  });

  test('errors are told apart by code', () => {
    const explain = (error: unknown): string => {
      if (!isResilienceError(error)) return 'the work failed';
      switch (error.code) {
        case 'CIRCUIT_OPEN':
        case 'RATE_LIMITED':
          return `again in ${error.retryAfterMs} ms`;
        case 'ISOLATED':
        case 'TIMEOUT':
        case 'REJECTED':
        case 'THROTTLED':
        case 'BUDGET_EXHAUSTED':
        case 'MISCONFIGURED':
          return error.message;
      }
    };
    expect(explain(new Error('x'))).toBe('the work failed');
  });
});
