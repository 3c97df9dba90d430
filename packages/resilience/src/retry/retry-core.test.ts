/** The retry policy explored exhaustively at small scope, beside a model in four lines. */
import { expect, test } from 'vitest';
import { broken, failure, refused, status, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { retryBudget } from './budget.ts';
import { retry } from './retry.ts';

const ENDS = {
  ok: () => 'fine',
  refused: () => Promise.reject(refused()),
  broken: () => Promise.reject(broken()),
  failed: () => Promise.reject(failure()),
  client: () => Promise.reject(status(400)),
  bug: () => Promise.reject(new TypeError('bug')),
} as const;

type End = keyof typeof ENDS;

/** How many attempts a call takes whose attempts would end so. */
function expectedAttempts(ends: readonly End[], maxRetries: number, tokens: number, idempotent: boolean): number {
  const again = (end: End) => end === 'refused' || end === 'failed' || (end === 'broken' && idempotent);
  const stop = ends.findIndex((end) => !again(end));
  return Math.min(stop === -1 ? ends.length : stop + 1, maxRetries + 1, tokens + 1);
}

function sequences(length: number): End[][] {
  if (length === 0) return [[]];
  return sequences(length - 1).flatMap((head) => (Object.keys(ENDS) as End[]).map((end) => [...head, end]));
}

test('P16, P17: makes exactly the attempts that the rules allow, for every sequence of four ends', async () => {
  let calls = 0;
  for (const ends of sequences(4)) {
    for (const [maxRetries, tokens, idempotent] of [
      [3, 9, false],
      [3, 9, true],
      [1, 9, true],
      [3, 1, true],
      [0, 9, true],
    ] as const) {
      const clock = new VirtualPlatform();
      const budget = retryBudget({ burst: tokens, ratio: 0 });
      const policy = retry({ runtime: clock.runtime, maxRetries, budget, idempotent, baseDelay: 0 });
      let attempts = 0;
      const call = watch(policy.run(() => ENDS[ends[attempts++] as End]()));
      await clock.settle();
      const expected = expectedAttempts(ends, maxRetries, tokens, idempotent);
      expect(attempts, `${ends.join()} ${maxRetries} ${tokens} ${idempotent}`).toBe(expected);
      expect(call.state).toBe(ends[expected - 1] === 'ok' ? 'ok' : 'failed');
      expect(budget.available).toBe(tokens - (expected - 1));
      calls++;
    }
  }
  expect(calls).toBe(6 ** 4 * 5);
});
