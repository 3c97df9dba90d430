import { describe, expect, test } from 'vitest';
import { breaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { failure, VirtualPlatform } from '../testing/support.test-support.ts';
import { registry } from './registry.ts';

describe('a registry', () => {
  test('shows what each pipeline is doing now, as plain data', async () => {
    const { runtime } = new VirtualPlatform();
    const all = registry();
    const users = all.pipeline(
      'users',
      breaker({ consecutiveFailures: 1, runtime, jitter: 0 }),
      bulkhead({ limit: 5, runtime }),
    );
    all.pipeline('orders', bulkhead({ limit: 2, runtime }));
    void users.run(() => new Promise(() => {}));
    await users.tryRun(() => Promise.reject(failure()));
    const [first, second] = JSON.parse(JSON.stringify(all.inspect()));
    expect(first).toMatchObject({
      name: 'users',
      isolated: false,
      inFlight: 1,
      counters: { calls: 2, failed: 1 },
      policies: [
        { kind: 'breaker', state: { state: 'open', retryAfterMs: 30_000 } },
        { kind: 'bulkhead', state: { limit: 5, running: 1, waiting: 0 } },
      ],
    });
    expect(second).toMatchObject({ name: 'orders', inFlight: 0 });
  });

  test('gives a pipeline by its name, once per name', () => {
    const { runtime } = new VirtualPlatform();
    const all = registry();
    const users = all.pipeline('users', bulkhead({ limit: 5, runtime }));
    expect(all.get('users')).toBe(users);
    expect(() => all.pipeline('users', bulkhead({ limit: 5, runtime }))).toThrow(
      expect.objectContaining({ code: 'MISCONFIGURED' }),
    );
    expect(all.remove('users')).toBe(true);
    expect(all.get('users')).toBeUndefined();
  });
});
