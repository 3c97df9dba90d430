/** Runs in the page: a pipeline around real fetches, and a simulation whose samples Node computes as well. */

import { BROWNOUT, simulateFleet } from '../../packages/resilience/src/fleet/index.ts';
import {
  breaker,
  bulkhead,
  isResilienceError,
  isTransient,
  pipeline,
  retry,
  timeout,
} from '../../packages/resilience/src/index.ts';

export interface PageReport {
  readonly retried: { readonly status: number; readonly attempts: number };
  readonly hung: { readonly code: unknown; readonly signalAborted: boolean };
  readonly open: unknown;
  readonly aborted: unknown;
  readonly slotTaken: boolean;
  readonly samples: string;
}

export function fleetSamples(): string {
  const policies = {
    maxRetries: 3,
    jitter: 'full',
    budgetRatio: 0.1,
    breaker: true,
    adaptiveLimit: true,
    throttle: true,
  } as const;
  return JSON.stringify(simulateFleet({ ...BROWNOUT, untilMs: 25_000, policies }));
}

export async function runInPage(): Promise<PageReport> {
  const users = pipeline('users', timeout('5s'), retry({ on: isTransient, baseDelay: 10 }), bulkhead(5));
  let attempts = 0;
  const response = await users.run((context) => {
    attempts = context.attempt;
    return fetch('/flaky', { signal: context.signal });
  });
  let signal: AbortSignal | undefined;
  const hung = await timeout(100).tryRun((context) => {
    signal = context.signal;
    return fetch('/hang', { signal: context.signal });
  });
  const guard = breaker({ consecutiveFailures: 1, on: isTransient });
  await guard.run(() => fetch('/down'));
  const open = await guard.tryRun(() => fetch('/down'));
  const controller = new AbortController();
  const leaving = users.tryRun((context) => fetch('/hang', { signal: context.signal }), { signal: controller.signal });
  controller.abort('the user left');
  const aborted = await leaving;
  const slot = users.tryAcquire();
  if (slot.ok) slot.release();
  return {
    retried: { status: response.status, attempts },
    hung: {
      code: !hung.ok && isResilienceError(hung.error) ? hung.error.code : null,
      signalAborted: signal?.aborted ?? false,
    },
    open: !open.ok && isResilienceError(open.error) ? open.error.code : null,
    aborted: aborted.ok ? null : aborted.error,
    slotTaken: slot.ok,
    samples: fleetSamples(),
  };
}
