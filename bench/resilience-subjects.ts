/** What is measured: each subject makes a function that does one guarded call. Subjects of one group do the same job. */
import * as polder from '@polder/resilience';
import * as cockatiel from 'cockatiel';
import CircuitBreaker from 'opossum';
import pLimit from 'p-limit';
import PQueue from 'p-queue';
import pRetry from 'p-retry';

export type Subject = () => (() => unknown) | Promise<() => unknown>;

const work = async (): Promise<number> => 1;
const failing = async (): Promise<number> => {
  throw new Error('down');
};

/** An empty asynchronous wrapper: what any guarding at all costs. */
export async function wrapper(): Promise<number> {
  return await work();
}

const all = cockatiel.handleAll;
const consecutive = () => ({ halfOpenAfter: 1e6, breaker: new cockatiel.ConsecutiveBreaker(5) });
const cockatielThree = () =>
  [
    cockatiel.retry(all, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() }),
    cockatiel.circuitBreaker(all, consecutive()),
    cockatiel.bulkhead(50),
  ] as const;
const polderThree = () => [polder.retry(), polder.breaker({ consecutiveFailures: 5 }), polder.bulkhead(50)] as const;

async function openPolder(): Promise<polder.Breaker> {
  const guard = polder.breaker({ consecutiveFailures: 1, openFor: '1h' });
  await guard.tryRun(failing);
  return guard;
}

const swallow = (promise: Promise<unknown>): Promise<unknown> => promise.catch(() => undefined);

/** opossum and the breakers of others with `calls` failed calls behind them; each closed, so that the work runs. */
const failedBefore = (calls: number): Record<string, Subject> => ({
  polder: async () => {
    const guard = polder.breaker({ failureRate: 1, minimumCalls: 1e9 });
    for (let call = 0; call < calls; call++) await guard.tryRun(failing);
    return () => guard.tryRun(failing);
  },
  cockatiel: async () => {
    const breaker = new cockatiel.SamplingBreaker({ threshold: 0.99, duration: 30_000, minimumRps: 1e9 });
    const guard = cockatiel.circuitBreaker(all, { halfOpenAfter: 1e6, breaker });
    for (let call = 0; call < calls; call++) await swallow(guard.execute(failing));
    return () => swallow(guard.execute(failing));
  },
  opossum: async () => {
    const guard = new CircuitBreaker(failing, { timeout: false, volumeThreshold: 1e9 });
    for (let call = 0; call < calls; call++) await swallow(guard.fire());
    return () => swallow(guard.fire());
  },
});

export const GROUPS: Readonly<Record<string, Readonly<Record<string, Subject>>>> = {
  'retry + breaker + bulkhead': {
    polder: () => {
      const users = polder.pipeline('users', ...polderThree());
      return () => users.run(work);
    },
    cockatiel: () => {
      const users = cockatiel.wrap(...cockatielThree());
      return () => users.execute(work);
    },
  },
  'the same with a rate in a window of time': {
    polder: () => {
      const users = polder.pipeline('users', polder.retry(), polder.breaker({ failureRate: 0.5 }), polder.bulkhead(50));
      return () => users.run(work);
    },
    cockatiel: () => {
      const [again, , limit] = cockatielThree();
      const breaker = new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 30_000 });
      const users = cockatiel.wrap(again, cockatiel.circuitBreaker(all, { halfOpenAfter: 1e6, breaker }), limit);
      return () => users.execute(work);
    },
  },
  'time-out + retry + breaker + bulkhead': {
    polder: () => {
      const users = polder.pipeline('users', polder.timeout('5s'), ...polderThree());
      return () => users.run(work);
    },
    cockatiel: () => {
      const timeout = cockatiel.timeout(5_000, cockatiel.TimeoutStrategy.Aggressive);
      const users = cockatiel.wrap(timeout, ...cockatielThree());
      return () => users.execute(work);
    },
  },
  breaker: {
    polder: () => {
      const guard = polder.breaker({ consecutiveFailures: 5 });
      return () => guard.run(work);
    },
    cockatiel: () => {
      const guard = cockatiel.circuitBreaker(all, consecutive());
      return () => guard.execute(work);
    },
    opossum: () => {
      const guard = new CircuitBreaker(work, { timeout: false });
      return () => guard.fire();
    },
  },
  retry: {
    polder: () => {
      const again = polder.retry();
      return () => again.run(work);
    },
    cockatiel: () => {
      const again = cockatiel.retry(all, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() });
      return () => again.execute(work);
    },
    'p-retry': () => () => pRetry(work, { retries: 3 }),
  },
  bulkhead: {
    polder: () => {
      const limit = polder.bulkhead(50);
      return () => limit.run(work);
    },
    cockatiel: () => {
      const limit = cockatiel.bulkhead(50);
      return () => limit.execute(work);
    },
    'p-limit': () => {
      const limit = pLimit(50);
      return () => limit(work);
    },
    'p-queue': () => {
      const queue = new PQueue({ concurrency: 50 });
      return () => queue.add(work);
    },
  },
  'open breaker, refusal as a value': {
    polder: async () => {
      const guard = await openPolder();
      return () => guard.tryRun(work);
    },
  },
  'open breaker, refusal thrown': {
    polder: async () => {
      const guard = await openPolder();
      return () => swallow(guard.run(work));
    },
    cockatiel: async () => {
      const breaker = new cockatiel.ConsecutiveBreaker(1);
      const guard = cockatiel.circuitBreaker(all, { halfOpenAfter: 1e9, breaker });
      await swallow(guard.execute(failing));
      return () => swallow(guard.execute(work));
    },
    opossum: () => {
      const guard = new CircuitBreaker(work, { timeout: false, resetTimeout: 1e9 });
      guard.open();
      return () => swallow(guard.fire());
    },
  },
  'a failing call, after 1,000 failed calls': failedBefore(1_000),
  'a failing call, after 30,000 failed calls': failedBefore(30_000),
};
