/** The rules of docs/PITFALLS.md (P) as questions that any library can be asked, on real timers of some milliseconds. */
import { type BreakerGuard, down, type Guard, good, hang, type Library, sleep, swallow, watch } from './library.ts';

/** Whether the rule held, and what was seen. Null: the library does not offer what the rule is about. */
export type Answer = { readonly holds: boolean; readonly seen: string } | null;

export interface Scenario {
  readonly id: string;
  readonly rule: string;
  ask(library: Library): Promise<Answer>;
}

const answer = (holds: boolean, seen: string): Answer => ({ holds, seen });

async function withBreaker(guard: BreakerGuard | null, ask: (guard: BreakerGuard) => Promise<Answer>): Promise<Answer> {
  return guard === null ? null : await ask(guard);
}

async function withGuard(guard: Guard | null, ask: (guard: Guard) => Promise<Answer>): Promise<Answer> {
  return guard === null ? null : await ask(guard);
}

/** Opens a breaker that opens at the first failure, and waits until it would let a probe through. */
async function halfOpen(guard: BreakerGuard, openForMs: number): Promise<void> {
  await swallow(guard.run(down));
  await sleep(openForMs * 1.3 + 10);
}

async function attemptsOf(guard: Guard, error: () => unknown, waitMs: number): Promise<number> {
  let attempts = 0;
  watch(
    guard.run(() => {
      attempts++;
      return Promise.reject(error());
    }),
  );
  await sleep(waitMs);
  return attempts;
}

export const scenarios: readonly Scenario[] = [
  {
    id: 'P1',
    rule: '100 parallel calls take as long as one',
    ask: (library) =>
      withGuard(library.nervous(50) ?? library.retry(1, 1), async (guard) => {
        const started = performance.now();
        await Promise.all(Array.from({ length: 100 }, () => guard.run(() => sleep(30))));
        const tookMs = performance.now() - started;
        return answer(tookMs < 300, `${tookMs < 300 ? 'parallel' : 'one after the other'}`);
      }),
  },
  {
    id: 'P4',
    rule: 'of five in a row, four failures, a success, a failure: closed',
    ask: (library) =>
      withBreaker(library.consecutive(5, 1_000), async (guard) => {
        for (const work of [down, down, down, down, good, down]) await swallow(guard.run(work));
        return answer(!guard.isOpen(), guard.isOpen() ? 'open' : 'closed');
      }),
  },
  {
    id: 'P5',
    rule: 'single failures, each in a window of its own, do not open',
    ask: (library) =>
      withBreaker(library.sampling(1_500, 60_000), async (guard) => {
        let failures = 0;
        for (; failures < 3 && !guard.isOpen(); failures++) {
          await swallow(guard.run(down));
          await sleep(1_600);
        }
        return answer(!guard.isOpen(), guard.isOpen() ? `open after ${failures}` : 'closed');
      }),
  },
  {
    id: 'P6',
    rule: "the caller's abort is no failure",
    ask: (library) =>
      withBreaker(library.nervous(10_000), async (guard) => {
        const controller = new AbortController();
        const call = swallow(
          guard.run(
            () =>
              new Promise((_, reject) => {
                controller.signal.addEventListener('abort', () => reject(controller.signal.reason as Error));
              }),
            controller.signal,
          ),
        );
        controller.abort();
        await call;
        return answer(!guard.isOpen(), guard.isOpen() ? 'counted as one' : 'ignored');
      }),
  },
  {
    id: 'P7',
    rule: 'a returned 503 can be a failure',
    ask: (library) =>
      withBreaker(library.judging(1_000), async (guard) => {
        await guard.run(async () => ({ status: 503 }));
        return answer(guard.isOpen(), guard.isOpen() ? 'counted' : 'not counted');
      }),
  },
  {
    id: 'P8',
    rule: 'half open, 1,000 callers: one passes, the others are refused at once',
    ask: (library) =>
      withBreaker(library.nervous(200), async (guard) => {
        await halfOpen(guard, 200);
        let reached = 0;
        const calls = Array.from({ length: 1_000 }, () =>
          watch(
            guard.run(() => {
              reached++;
              return sleep(60);
            }),
          ),
        );
        await sleep(20);
        const refused = calls.filter((call) => call.state === 'failed').length;
        const seen = reached === 1 && refused === 999 ? 'one passed' : `${1_000 - refused - reached} are kept waiting`;
        return answer(reached === 1 && refused === 999, seen);
      }),
  },
  {
    id: 'P8',
    rule: 'a refusal says when to come back',
    ask: (library) =>
      withBreaker(library.nervous(1_000), async (guard) => {
        await swallow(guard.run(down));
        const call = watch(guard.run(good));
        await sleep(1);
        const { retryAfterMs } = (call.error ?? {}) as { retryAfterMs?: unknown };
        return answer(typeof retryAfterMs === 'number', typeof retryAfterMs === 'number' ? 'it does' : 'it does not');
      }),
  },
  {
    id: 'P9',
    rule: 'a probe that hangs gives its place back in the end',
    ask: (library) =>
      withBreaker(library.nervous(30), async (guard) => {
        await halfOpen(guard, 30);
        watch(guard.run(hang));
        await sleep(200);
        const next = watch(guard.run(good));
        await sleep(100);
        const seen = { ok: 'it does', pending: 'everybody waits for ever', failed: 'everybody is refused for ever' };
        return answer(next.state === 'ok', seen[next.state]);
      }),
  },
  {
    id: 'P11',
    rule: 'a late result from before it opened changes nothing',
    ask: (library) =>
      withBreaker(library.nervous(30), async (guard) => {
        const late = swallow(guard.run(() => sleep(120).then(down)));
        await halfOpen(guard, 30);
        await guard.run(good);
        await late;
        return answer(!guard.isOpen(), guard.isOpen() ? 'a late failure opened it again' : 'nothing');
      }),
  },
  {
    id: 'P12',
    rule: 'a wall clock set back by an hour changes nothing',
    ask: (library) =>
      withBreaker(library.nervous(30), async (guard) => {
        await swallow(guard.run(down));
        const real = Date.now;
        Date.now = () => real() - 3_600_000;
        try {
          await sleep(80);
          const call = watch(guard.run(good));
          await sleep(5);
          return answer(call.state === 'ok', call.state === 'ok' ? 'nothing' : 'open for an hour more');
        } finally {
          Date.now = real;
        }
      }),
  },
  {
    id: 'P13',
    rule: 'breakers that open together do not probe together',
    ask: async (library) => {
      const fleet = library.fleet(40, 60);
      if (fleet === null) return null;
      for (const guard of fleet) await swallow(guard.run(down));
      const began = performance.now();
      const probedMs: number[] = [];
      const waiting = new Set(fleet);
      while (waiting.size > 0 && performance.now() - began < 1_500) {
        await sleep(1);
        for (const guard of waiting) {
          await swallow(
            guard.run(async () => {
              probedMs.push(performance.now() - began);
              waiting.delete(guard);
            }),
          );
        }
      }
      const spreadMs = Math.max(...probedMs) - Math.min(...probedMs);
      return answer(spreadMs > 8, spreadMs > 8 ? 'spread' : 'all in the same moment');
    },
  },
  {
    id: 'P14',
    rule: 'an abort during backoff settles at once',
    ask: (library) =>
      withGuard(library.retry(3, 300), async (guard) => {
        const controller = new AbortController();
        const call = watch(guard.run(down, controller.signal));
        await sleep(20);
        controller.abort(new Error('left'));
        await sleep(20);
        const reason = call.state === 'failed' && (call.error as Error).message === 'left';
        return answer(
          reason,
          call.state === 'pending' ? 'waits on' : reason ? 'with the reason' : 'with another error',
        );
      }),
  },
  {
    id: 'P15',
    rule: 'a signal aborted beforehand: no call',
    ask: (library) =>
      withGuard(library.retry(3, 1), async (guard) => {
        let calls = 0;
        await swallow(guard.run(async () => calls++, AbortSignal.abort()));
        return answer(calls === 0, calls === 0 ? 'none' : 'it calls');
      }),
  },
  {
    id: 'P16',
    rule: 'programming errors are not tried again',
    ask: (library) =>
      withGuard(library.retry(3, 1), async (guard) => {
        const attempts = [
          await attemptsOf(guard, () => new TypeError('x is not a function'), 60),
          await attemptsOf(guard, () => new ReferenceError('x is not defined'), 60),
        ];
        const worst = Math.max(...attempts);
        return answer(worst === 1, worst === 1 ? 'they are not' : `${worst} attempts`);
      }),
  },
  {
    id: 'P16',
    rule: 'an open circuit is not tried again',
    ask: async (library) => {
      const inner = library.nervous(10_000);
      const outer = inner === null ? null : library.retry(3, 1);
      if (inner === null || outer === null) return null;
      await swallow(inner.run(down));
      let attempts = 0;
      await swallow(
        outer.run(() => {
          attempts++;
          return inner.run(good);
        }),
      );
      return answer(attempts === 1, attempts === 1 ? 'it is not' : `${attempts} attempts`);
    },
  },
  {
    id: 'P17',
    rule: 'three nested layers of four attempts do not become 64',
    ask: async (library) => {
      const layers = [1, 2, 3].map(() => library.retry(3, 1));
      if (layers.some((layer) => layer === null)) return null;
      const [outer, middle, inner] = layers as [Guard, Guard, Guard];
      let attempts = 0;
      const work = (): Promise<never> => {
        attempts++;
        return down();
      };
      watch(outer.run((signal) => middle.run(() => inner.run(work, signal), signal)));
      await sleep(900);
      return answer(attempts <= 8, `${attempts} attempts`);
    },
  },
  {
    id: 'P17',
    rule: 'in an outage, 300 calls make at most 1.2 times as many attempts, and a burst',
    ask: (library) =>
      withGuard(library.retry(3, 1), async (guard) => {
        let attempts = 0;
        const work = (): Promise<never> => {
          attempts++;
          return down();
        };
        await Promise.all(Array.from({ length: 300 }, () => swallow(guard.run(work))));
        return answer(attempts <= 300 * 1.2 + 10, `${(attempts / 300).toFixed(2)} times`);
      }),
  },
  {
    id: 'P18',
    rule: 'Retry-After is heeded',
    ask: (library) =>
      withGuard(library.retry(1, 1), async (guard) => {
        const atMs: number[] = [];
        const error = Object.assign(new Error('HTTP 503'), { status: 503, retryAfterMs: 80, headers: new Headers() });
        error.headers.set('retry-after', '1');
        watch(
          guard.run(() => {
            atMs.push(performance.now());
            return Promise.reject(error);
          }),
        );
        await sleep(200);
        const gapMs = (atMs[1] ?? Infinity) - (atMs[0] ?? 0);
        return answer(gapMs >= 79, gapMs >= 79 ? 'it is' : 'it is not');
      }),
  },
  {
    id: 'P19',
    rule: '100 failures at once come back spread out, without further options',
    ask: (library) =>
      withGuard(library.retry(1, 200), async (guard) => {
        const began = performance.now();
        const secondMs: number[] = [];
        const calls = Array.from({ length: 100 }, () => {
          let attempts = 0;
          return swallow(
            guard.run(() => {
              if (++attempts > 1) secondMs.push(performance.now() - began);
              return down();
            }),
          );
        });
        await Promise.all(calls);
        const spreadMs = Math.max(...secondMs) - Math.min(...secondMs);
        return answer(spreadMs > 50, spreadMs > 50 ? 'spread' : 'all in the same moment');
      }),
  },
  {
    id: 'P20',
    rule: 'a listener that throws does not replace the result',
    ask: (library) =>
      withBreaker(library.nervous(1_000), async (guard) => {
        guard.onEvent(() => {
          throw new Error('a broken listener');
        });
        const call = watch(guard.run(good));
        await sleep(10);
        return answer(call.state === 'ok', call.state === 'ok' ? 'it does not' : 'it does');
      }),
  },
  {
    id: 'P21',
    rule: 'a queued call that is aborted rejects and frees its place at once',
    ask: (library) =>
      withGuard(library.limit(1, 1), async (guard) => {
        const running = watch(guard.run(() => sleep(100)));
        const controller = new AbortController();
        const queued = watch(guard.run(good, controller.signal));
        await sleep(5);
        controller.abort();
        await sleep(5);
        const next = watch(guard.run(good));
        await sleep(5);
        const freed = queued.state === 'failed' && next.state === 'pending' && running.state === 'pending';
        const seen = queued.state === 'pending' ? 'stays in the queue' : freed ? 'it does' : 'its place stays taken';
        return answer(freed, seen);
      }),
  },
  {
    id: 'P22',
    rule: 'a time-out for one call aborts that call only',
    ask: (library) =>
      withGuard(library.timeout(40), async (guard) => {
        const slow = swallow(guard.run(hang));
        await sleep(20);
        let aborted = false;
        const other = swallow(
          guard.run(async (signal) => {
            const note = (): void => {
              aborted = true;
            };
            signal?.addEventListener('abort', note);
            await sleep(30);
            signal?.removeEventListener('abort', note);
          }),
        );
        await Promise.all([slow, other]);
        return answer(!aborted, aborted ? 'it aborts the others too' : 'that one only');
      }),
  },
];
