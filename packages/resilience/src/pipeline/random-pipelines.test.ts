/** Random pipelines around random work: whatever happens, calls settle, and nothing is left taken, armed or queued. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { breaker } from '../breaker/breaker.ts';
import { type Bulkhead, bulkhead } from '../bulkhead/bulkhead.ts';
import { coalesce } from '../coalesce/coalesce.ts';
import { fallback } from '../degrade/fallback.ts';
import { staleCache } from '../degrade/stale-cache.ts';
import { hedge } from '../hedge/hedge.ts';
import { type AdaptiveLimit, adaptiveLimit } from '../limits/adaptive-limit.ts';
import { rateLimit } from '../limits/rate-limit.ts';
import { throttle } from '../limits/throttle.ts';
import { retry } from '../retry/retry.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { failure, refused, status, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { timeout } from '../timeout/timeout.ts';
import type { Work } from './call.ts';
import { Pipeline } from './pipeline.ts';
import type { AnyPolicy } from './policy.ts';

const KINDS = [
  'retry',
  'breaker',
  'timed breaker',
  'bulkhead',
  'queue',
  'timeout',
  'cooperative',
  'rate',
  'adaptive',
  'throttle',
  'hedge',
  'fallback',
  'stale',
  'coalesce',
] as const;

function make(kind: (typeof KINDS)[number], runtime: Runtime): AnyPolicy {
  switch (kind) {
    case 'retry':
      return retry({ runtime, baseDelay: 10, idempotent: true }) as AnyPolicy;
    case 'breaker':
      return breaker({ runtime, consecutiveFailures: 2, openFor: 50 }) as AnyPolicy;
    case 'timed breaker':
      return breaker({ runtime, slow: { after: 30, rate: 0.5 }, minimumCalls: 2, openFor: 50 }) as AnyPolicy;
    case 'bulkhead':
      return bulkhead({ runtime, limit: 2 }) as AnyPolicy;
    case 'queue':
      return bulkhead({ runtime, limit: 1, queue: 2, queueFor: 40 }) as AnyPolicy;
    case 'timeout':
      return timeout({ runtime, after: 60 }) as AnyPolicy;
    case 'cooperative':
      return timeout({ runtime, after: 45, mode: 'cooperative' }) as AnyPolicy;
    case 'rate':
      return rateLimit({ runtime, permits: 2, per: 50, waitFor: 60 }) as AnyPolicy;
    case 'adaptive':
      return adaptiveLimit({ runtime, initial: 2, queue: 1 }) as AnyPolicy;
    case 'throttle':
      return throttle({ runtime, window: 100 }) as AnyPolicy;
    case 'hedge':
      return hedge({ runtime, after: 20, idempotent: true }) as AnyPolicy;
    case 'fallback':
      return fallback((outcome) => (outcome.ok ? 'never' : Promise.resolve('lesser')), { runtime }) as AnyPolicy;
    case 'stale':
      return staleCache({ runtime }) as AnyPolicy;
    case 'coalesce':
      return coalesce({ runtime }) as AnyPolicy;
  }
}

interface Plan {
  readonly atMs: number;
  readonly kind: 'value' | 'refused' | 'failure' | 'client' | 'throws' | 'deaf' | 'heeds';
  readonly takesMs: number;
  readonly abortAfterMs: number | null;
  readonly key: string;
  readonly priority: number;
  readonly value: boolean;
  /** Without any options calls may take the light way. */
  readonly bare: boolean;
}

const plans: fc.Arbitrary<Plan[]> = fc.array(
  fc.record({
    atMs: fc.integer({ min: 0, max: 200 }),
    kind: fc.constantFrom('value', 'refused', 'failure', 'client', 'throws', 'deaf', 'heeds'),
    takesMs: fc.integer({ min: 0, max: 120 }),
    abortAfterMs: fc.option(fc.integer({ min: 0, max: 150 })),
    key: fc.constantFrom('a', 'b'),
    priority: fc.integer({ min: 0, max: 2 }),
    value: fc.boolean(),
    bare: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/** Work to a plan. `running` counts what has begun and not ended. */
function workOf(plan: Plan, clock: VirtualPlatform, running: { count: number }): Work<unknown> {
  return (context) => {
    const { kind } = plan;
    if (kind === 'throws') throw failure();
    running.count++;
    return new Promise<unknown>((resolve, reject) => {
      const end = (settle: () => void) => () => {
        running.count--;
        settle();
      };
      if (kind === 'heeds') {
        context.signal.addEventListener(
          'abort',
          end(() => reject(context.signal.reason)),
        );
        return;
      }
      const settle: Record<Exclude<Plan['kind'], 'throws' | 'heeds'>, () => void> = {
        value: () => resolve(context.attempt),
        deaf: () => resolve('late'),
        refused: () => reject(refused()),
        failure: () => reject(failure()),
        client: () => reject(status(404)),
      };
      clock.schedule(kind === 'deaf' ? 2_000 : plan.takesMs, end(settle[kind]));
    });
  };
}

async function play(kinds: readonly (typeof KINDS)[number][], all: readonly Plan[]) {
  const clock = new VirtualPlatform();
  const policies = kinds.map((kind) => make(kind, clock.runtime));
  const first = policies[0] as AnyPolicy;
  const users = new Pipeline('random', [first, ...policies.slice(1)]);
  const running = { count: 0 };
  const calls = [...all]
    .sort((left, right) => left.atMs - right.atMs)
    .map((plan) => {
      const controller = new AbortController();
      const seen: { call?: ReturnType<typeof watch>; reason: Error; plan: Plan; afterAbort?: string | undefined } = {
        reason: new Error('left'),
        plan,
      };
      clock.schedule(plan.atMs, () => {
        const options = { signal: controller.signal, key: plan.key, priority: plan.priority };
        // A call with no signal takes other ways through the frame.
        const { signal: _, ...silent } = options;
        const given = (plan.abortAfterMs !== null ? options : plan.bare ? undefined : silent) as never;
        const work = workOf(plan, clock, running);
        seen.call = watch<unknown>(plan.value ? users.tryRun(work, given) : users.run(work, given));
      });
      if (plan.abortAfterMs !== null) {
        const abortMs = plan.atMs + plan.abortAfterMs;
        clock.schedule(abortMs, () => controller.abort(seen.reason));
        // The next alarm of that time: what follows from the abort without time passing has followed.
        clock.schedule(abortMs, () => {
          seen.afterAbort = seen.call?.state;
        });
      }
      return seen;
    });
  await clock.advance(20_000);
  return { clock, users, policies, calls, running };
}

describe('random pipelines', () => {
  test('settle every call that can settle, and leave nothing taken, armed or queued', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 5 }),
        plans,
        async (kinds, all) => {
          const { clock, users, policies, calls, running } = await play(kinds, all);
          const waitsForEver = (plan: Plan) => plan.kind === 'heeds';
          for (const { call, plan } of calls) {
            // Work that waits for its signal for ever may hold up others behind it; all else has had its time.
            if (!all.some(waitsForEver)) expect(call?.state, JSON.stringify(plan)).not.toBe('pending');
          }
          const counters = users.counters();
          const pending = calls.filter(({ call }) => call?.state === 'pending').length;
          expect(counters.calls).toBe(all.length);
          expect(counters.succeeded + counters.failed).toBe(all.length - pending);
          if (running.count > 0 || pending > 0) return;
          expect(clock.pending, 'alarms').toBe(0);
          for (const policy of policies) {
            if (policy.kind === 'bulkhead') expect((policy as unknown as Bulkhead).core.running).toBe(0);
            if (policy.kind === 'bulkhead') expect((policy as unknown as Bulkhead).core.waiting).toBe(0);
            if (policy.kind === 'adaptive-limit') expect((policy as unknown as AdaptiveLimit).slots.running).toBe(0);
            if (policy.kind === 'coalesce') expect(policy.inspect()).toMatchObject({ flights: 0 });
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('P14: whoever aborts hears the reason at once, unless the call had ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...KINDS), { minLength: 1, maxLength: 4 }),
        plans,
        async (kinds, all) => {
          const { calls } = await play(
            kinds,
            all.map((plan) => ({ ...plan, abortAfterMs: plan.abortAfterMs ?? 40, value: false })),
          );
          for (const { call, reason, plan } of calls) {
            expect(call?.state, JSON.stringify(plan)).not.toBe('pending');
            if (call?.error === reason) expect(call.state).toBe('failed');
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
