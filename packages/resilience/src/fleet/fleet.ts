import { BreakerCore, NO_PERMIT } from '../breaker/breaker-core.ts';
import { TimeWindow } from '../breaker/window.ts';
import { GradientLimit, type LimitAlgorithm } from '../limits/limit-algorithm.ts';
import { ThrottleCore } from '../limits/throttle-core.ts';
import type { Jitter } from '../retry/backoff.ts';
import { RetryBudget } from '../retry/budget.ts';
import { RetryCore } from '../retry/retry-core.ts';
import { VirtualPlatform } from '../testing/virtual-platform.ts';
import { Agenda } from './agenda.ts';
import { Backend, type BackendOptions } from './backend.ts';

/** What every client of the fleet puts around its calls. */
export interface FleetPolicies {
  /** Retries of a call; 0 for none. */
  readonly maxRetries: number;
  readonly jitter: Jitter;
  /** Null for none. */
  readonly budgetRatio: number | null;
  readonly breaker: boolean;
  readonly adaptiveLimit: boolean;
  readonly throttle: boolean;
}

export interface FleetOptions {
  readonly clients: number;
  /** Calls per second, of all clients together. */
  readonly callsPerSecond: number;
  readonly timeoutMs: number;
  readonly backend: BackendOptions;
  /** From, to and with how many workers the backend is browned out. */
  readonly brownout: { readonly fromMs: number; readonly toMs: number; readonly workers: number };
  readonly untilMs: number;
  readonly sampleMs: number;
  readonly policies: FleetPolicies;
  readonly seed: number;
}

/** Per sample, in the order of time; rates are per second. */
export interface FleetSample {
  readonly atMs: number;
  /** New calls. */
  readonly offered: number;
  /** Attempts that reached the backend's door. */
  readonly load: number;
  /** Calls that succeeded in time. */
  readonly goodput: number;
  /** Calls and attempts that a policy refused at the client. */
  readonly refused: number;
}

const BACKOFF = { growth: 'exponential', baseMs: 100, maxMs: 2_000 } as const;

/** The standard scene: a backend for 1,000 calls per second gets 800, and has 30 % of its workers for ten seconds. */
export const BROWNOUT: Omit<FleetOptions, 'policies'> = {
  clients: 100,
  callsPerSecond: 800,
  timeoutMs: 1_000,
  backend: { workers: 50, serviceMs: 50, queue: 2_000 },
  brownout: { fromMs: 10_000, toMs: 20_000, workers: 15 },
  untilMs: 60_000,
  sampleMs: 500,
  seed: 1,
};

/** Runs a fleet through a brown-out, with the very cores that serve. The same options give the same samples, anywhere. */
export function simulateFleet(options: FleetOptions): FleetSample[] {
  const agenda = new Agenda();
  const chance = new VirtualPlatform(options.seed);
  const random = (): number => chance.random();
  const backend = new Backend(agenda, options.backend, random);
  const tally = new Tally(agenda, options.sampleMs, options.untilMs);
  agenda.after(options.brownout.fromMs, () => backend.setWorkers(options.brownout.workers));
  agenda.after(options.brownout.toMs, () => backend.setWorkers(options.backend.workers));
  const gapMs = (options.clients * 1_000) / options.callsPerSecond;
  for (let index = 0; index < options.clients; index++) {
    const client = new Client(agenda, backend, tally, options, random);
    const next = (): void => {
      client.call();
      agenda.after(gapMs * (0.5 + random()), next);
    };
    agenda.after(gapMs * random(), next);
  }
  agenda.run(options.untilMs);
  return tally.samples();
}

class Tally {
  readonly #agenda: Agenda;
  readonly #sampleMs: number;
  readonly #counts: { offered: number; load: number; goodput: number; refused: number }[];

  constructor(agenda: Agenda, sampleMs: number, untilMs: number) {
    this.#agenda = agenda;
    this.#sampleMs = sampleMs;
    const samples = Math.ceil(untilMs / sampleMs);
    this.#counts = Array.from({ length: samples }, () => ({ offered: 0, load: 0, goodput: 0, refused: 0 }));
  }

  add(what: 'offered' | 'load' | 'goodput' | 'refused'): void {
    const sample = this.#counts[Math.floor(this.#agenda.now / this.#sampleMs)];
    if (sample !== undefined) sample[what]++;
  }

  samples(): FleetSample[] {
    const perSecond = 1_000 / this.#sampleMs;
    return this.#counts.map(({ offered, load, goodput, refused }, index) => ({
      atMs: index * this.#sampleMs,
      offered: offered * perSecond,
      load: load * perSecond,
      goodput: goodput * perSecond,
      refused: refused * perSecond,
    }));
  }
}

/** One process that calls the backend. */
class Client {
  readonly #agenda: Agenda;
  readonly #backend: Backend;
  readonly #tally: Tally;
  readonly #timeoutMs: number;
  readonly #random: () => number;
  readonly #retry: RetryCore;
  readonly #breaker: BreakerCore | null;
  readonly #limit: LimitAlgorithm | null;
  readonly #throttle: ThrottleCore | null;
  #running = 0;

  constructor(agenda: Agenda, backend: Backend, tally: Tally, options: FleetOptions, random: () => number) {
    const { policies } = options;
    this.#agenda = agenda;
    this.#backend = backend;
    this.#tally = tally;
    this.#timeoutMs = options.timeoutMs;
    this.#random = random;
    this.#retry = new RetryCore({
      maxRetries: policies.maxRetries,
      backoff: { ...BACKOFF, jitter: policies.jitter },
      maxRetryAfterMs: 0,
      deadlineMs: Infinity,
      budget: policies.budgetRatio === null ? null : new RetryBudget({ ratio: policies.budgetRatio, burst: 3 }),
    });
    this.#breaker = policies.breaker ? breakerOf(random) : null;
    this.#limit = policies.adaptiveLimit ? new GradientLimit({ initial: 4, least: 1, most: 50 }) : null;
    this.#throttle = policies.throttle ? new ThrottleCore(2, 10_000) : null;
  }

  call(): void {
    this.#tally.add('offered');
    this.#retry.begin(false);
    this.#attempt({ failures: 0, previousDelayMs: 0 });
  }

  #attempt(progress: { failures: number; previousDelayMs: number }): void {
    const startedMs = this.#agenda.now;
    const permit = this.#admit();
    if (permit === null) {
      this.#tally.add('refused');
      return;
    }
    this.#running++;
    this.#tally.add('load');
    const running = this.#running;
    let ended = false;
    const end = (served: boolean): void => {
      if (ended) return;
      ended = true;
      this.#running--;
      const now = this.#agenda.now;
      this.#breaker?.settle(now, permit, served ? 'success' : 'failure', now - startedMs);
      this.#throttle?.settle(now, served);
      this.#limit?.onSample({ durationMs: now - startedMs, running, dropped: !served });
      if (served) this.#tally.add('goodput');
      else this.#onFailure(progress);
    };
    this.#agenda.after(this.#timeoutMs, () => end(false));
    this.#backend.request(end);
  }

  /** A permit of the breaker, or null when some policy refuses. */
  #admit(): number | null {
    const now = this.#agenda.now;
    if (this.#throttle?.decide(now, this.#random()) === false) return null;
    if (this.#limit !== null && this.#running >= this.#limit.limit) return null;
    const permit = this.#breaker?.decide(now) ?? 0;
    return permit === NO_PERMIT ? null : permit;
  }

  #onFailure(progress: { failures: number; previousDelayMs: number }): void {
    const failed = {
      retryable: true,
      ambiguous: true,
      idempotent: true,
      retriedWithin: false,
      retryAfterMs: undefined,
      deadline: Infinity,
    };
    const decision = this.#retry.decide(this.#agenda.now, progress, failed, this.#random);
    if (decision.type === 'retry') this.#agenda.after(decision.delayMs, () => this.#attempt(progress));
  }
}

function breakerOf(random: () => number): BreakerCore {
  const rules = {
    consecutiveFailures: Infinity,
    window: new TimeWindow(5_000),
    failureRate: 0.5,
    minimumCalls: 10,
    slowAfterMs: Infinity,
    slowRate: Infinity,
    openForMs: 1_000,
    maxOpenForMs: 4_000,
    jitter: 0.5,
    probes: 2,
    successes: 2,
    probeForMs: 1_000,
    mode: 'enforcing',
  } as const;
  return new BreakerCore(rules, random, () => {});
}
