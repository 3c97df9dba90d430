import { isTargetFailure } from '../base/classify.ts';
import {
  type Duration,
  durationMs,
  misconfigured,
  numberWithin,
  positiveDurationMs,
  wholeNumber,
} from '../base/duration.ts';
import { isResilienceError } from '../base/error.ts';
import { type Hold, hold, Listeners } from '../base/listeners.ts';
import type { OutcomePredicate } from '../base/outcome.ts';
import type { Call } from '../pipeline/call.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, type Departure, PASSED, type Stage } from '../pipeline/stage.ts';
import type { Turnstile } from '../pipeline/turnstile.ts';
import { systemRuntime } from '../runtime/system.ts';
import {
  type BreakerChange,
  BreakerCore,
  type BreakerMode,
  type BreakerRules,
  type BreakerSnapshot,
  type BreakerState,
  NO_PERMIT,
  type Verdict,
} from './breaker-core.ts';
import { CountWindow, TimeWindow, type Window } from './window.ts';

/** When a breaker opens: exactly one of failures in a row, or rates in a window of time or of calls. */
export type BreakerTrigger =
  | { readonly consecutiveFailures: number; readonly failureRate?: never; readonly slow?: never }
  | ({ readonly consecutiveFailures?: never } & (
      | { readonly failureRate: number; readonly slow?: SlowCalls }
      | { readonly failureRate?: never; readonly slow: SlowCalls }
    ) &
      (
        | { /** 30 s unless told. */ readonly window?: Duration; readonly calls?: never }
        | { /** The last so many calls. */ readonly calls: number; readonly window?: never }
      ) & {
        /** Rates of fewer calls mean nothing; 10 unless told. */
        readonly minimumCalls?: number;
      });

export interface SlowCalls {
  /** From how long on a call is slow. */
  readonly after: Duration;
  /** Opens when this share of the calls is slow. */
  readonly rate: number;
}

export type BreakerOptions = PolicyOptions &
  BreakerTrigger & {
    /** How long it stays open at least, the first time; 30 s unless told. Doubles with each failed probing. */
    readonly openFor?: Duration;
    /** 10 times `openFor` unless told. */
    readonly maxOpenFor?: Duration;
    /** The time open is stretched by up to this share; 0.2 unless told. */
    readonly jitter?: number;
    /** Calls let through while half open; 1 unless told. */
    readonly probes?: number;
    /** How many of them must succeed; all of them unless told. */
    readonly successes?: number;
    /** After this, a probe that has not ended gives its place to another; `openFor` unless told. */
    readonly probeFor?: Duration;
    /** What counts against the target; unless told, `isTargetFailure` of errors, and no returned value. */
    readonly on?: OutcomePredicate;
    readonly mode?: BreakerMode;
    readonly onStateChange?: (change: BreakerChange) => void;
  };

export interface BreakerInspection extends Readonly<Record<string, unknown>> {
  readonly state: BreakerState | 'isolated';
  /** In a row, or in the window. */
  readonly failures: number;
  /** In a row, or as a share of the window's calls; null when only slow calls open it. */
  readonly threshold: number | null;
  readonly lastFailure: { readonly error: unknown; readonly agoMs: number } | null;
  readonly retryAfterMs: number;
  readonly refused: number;
}

export class Breaker extends Policy {
  readonly core: BreakerCore;
  readonly #on: OutcomePredicate | null;
  readonly #listeners = new Listeners<BreakerChange>();
  /** Made once: refusing is what has to be cheap. */
  readonly #refusal: string;
  #holds = 0;
  #lastFailure: unknown = undefined;

  constructor(options: BreakerOptions) {
    super('breaker', options.name, options.runtime ?? systemRuntime);
    this.core = new BreakerCore(rulesOf(options), this.runtime.random, (change) => this.#listeners.emit(change));
    this.#on = options.on ?? null;
    this.#refusal = `"${this.name}" is open, or half open with its probes under way: try again after retryAfterMs`;
    if (options.onStateChange !== undefined) this.#listeners.subscribe(options.onStateChange);
  }

  /** Refuses every call with ISOLATED, in every pipeline, until each hold has been released. */
  isolate(): Hold {
    this.#holds++;
    this.core.setIsolated(true);
    return hold(() => {
      this.#holds--;
      this.core.setIsolated(this.#holds > 0);
    });
  }

  /** Now, without changing anything. */
  get state(): BreakerInspection {
    const now = this.runtime.now();
    const { core } = this;
    const { consecutiveFailures, failureRate } = core.rules;
    const threshold = consecutiveFailures === Infinity ? failureRate : consecutiveFailures;
    const failedMs = core.lastFailureMs;
    return {
      state: core.isolated ? 'isolated' : core.state,
      failures: core.failures(now),
      threshold: threshold === Infinity ? null : threshold,
      lastFailure: failedMs === null ? null : { error: this.#lastFailure, agoMs: now - failedMs },
      retryAfterMs: core.retryAfterMs(now),
      refused: core.refused,
    };
  }

  override inspect(): BreakerInspection {
    return this.state;
  }

  /** Closed, and everything forgotten. */
  reset(): void {
    this.core.reset();
  }

  snapshot(): BreakerSnapshot {
    return this.core.snapshot(this.runtime.now());
  }

  hydrate(snapshot: BreakerSnapshot): void {
    if (snapshot.version !== 1) throw misconfigured('this snapshot of a breaker is of another version: drop it');
    this.core.hydrate(this.runtime.now(), snapshot);
  }

  subscribe(listener: (change: BreakerChange) => void): Hold {
    return this.#listeners.subscribe(listener);
  }

  /** @internal */
  override at(depth: number): Part {
    const stage = new BreakerStage(this, depth);
    return { type: 'stage', stage, cancels: false, gate: true };
  }

  /** @internal */
  get judgesValues(): boolean {
    return this.#on !== null;
  }

  /** @internal */
  judge(call: Call, depth: number): Verdict {
    if (call.ok) {
      if (this.#on === null || !this.#on(call.outcome())) return 'success';
    } else if (call.cancelledOutside(depth)) {
      // A time-out further out, while the target was at work, says something about the target; nothing else does.
      const timedOut = isResilienceError(call.error) && call.error.code === 'TIMEOUT';
      if (!timedOut || !call.begun) return 'ignored';
    } else if (!(this.#on ?? isTargetFailure)(call.outcome())) {
      return 'ignored';
    }
    this.#lastFailure = call.ok ? call.value : call.error;
    return 'failure';
  }

  /** @internal */
  refuse(call: Call, now: number): Admission {
    if (this.core.isolated) return call.refuse('ISOLATED', `"${this.name}" is isolated: release the hold on it`);
    const after = this.core.retryAfterMs(now);
    return call.refuse('CIRCUIT_OPEN', this.#refusal, after);
  }
}

/** Stops calling what keeps failing, and finds out with few calls when it works again. */
export function breaker(options: BreakerOptions): Breaker {
  return new Breaker(options);
}

class BreakerStage implements Stage {
  /** Null when a predicate has to see each value, or each call has to be timed. */
  readonly turnstile: Turnstile | null;
  readonly givesPermits = true;
  readonly #breaker: Breaker;
  readonly #core: BreakerCore;
  readonly #depth: number;
  readonly #timesCalls: boolean;
  /** Reading the clock is dear beside all else here. */
  readonly #timesSuccesses: boolean;

  constructor(owner: Breaker, depth: number) {
    const { core } = owner;
    this.#breaker = owner;
    this.#core = core;
    this.#depth = depth;
    this.#timesCalls = core.rules.slowAfterMs !== Infinity;
    this.#timesSuccesses = this.#timesCalls || (core.rules.window?.timed ?? false);
    this.turnstile = this.#timesCalls || owner.judgesValues ? null : core.turnstile;
  }

  leaveLight(permit: number): void {
    this.#core.settle(this.#timesSuccesses ? this.#breaker.runtime.now() : 0, permit, 'success', 0);
  }

  enter(call: Call): Admission {
    const closed = this.#core.turnstile.permit;
    if (closed >= 0 && !this.#timesCalls) {
      call.notes[this.#depth] = closed;
      return ADMITTED;
    }
    const now = call.runtime.now();
    const permit = this.#core.decide(now);
    if (permit === NO_PERMIT) return this.#breaker.refuse(call, now);
    const note: number | TimedNote = this.#timesCalls ? { permit, startedMs: now } : permit;
    call.notes[this.#depth] = note;
    return ADMITTED;
  }

  leave(call: Call): Departure {
    const note = call.notes[this.#depth] as number | TimedNote;
    let verdict: Verdict = 'ignored';
    try {
      verdict = this.#breaker.judge(call, this.#depth);
    } finally {
      const now = verdict === 'success' && !this.#timesSuccesses ? 0 : call.runtime.now();
      if (typeof note === 'number') this.#core.settle(now, note, verdict, 0);
      else this.#core.settle(now, note.permit, verdict, now - note.startedMs);
    }
    return PASSED;
  }
}

interface TimedNote {
  readonly permit: number;
  readonly startedMs: number;
}

/** No rate reaches it. */
const NEVER = Infinity;

function rulesOf(options: BreakerOptions): BreakerRules {
  const openForMs = positiveDurationMs(options.openFor ?? '30s', 'openFor');
  const probes = wholeNumber(options.probes ?? 1, 'probes', 1);
  const successes = wholeNumber(options.successes ?? probes, 'successes', 1);
  if (successes > probes) throw misconfigured(`successes is ${successes} of ${probes} probes: it could never close`);
  const { consecutiveFailures, failureRate, slow } = options;
  if ((consecutiveFailures === undefined) === (failureRate === undefined && slow === undefined)) {
    throw misconfigured('a breaker needs either consecutiveFailures or a failureRate or slow calls');
  }
  return {
    consecutiveFailures:
      consecutiveFailures === undefined ? NEVER : wholeNumber(consecutiveFailures, 'consecutiveFailures', 1),
    window: windowOf(options),
    failureRate: failureRate === undefined ? NEVER : rate(failureRate, 'failureRate'),
    minimumCalls: wholeNumber(minimumOf(options), 'minimumCalls', 1),
    slowAfterMs: slow === undefined ? NEVER : positiveDurationMs(slow.after, 'slow.after'),
    slowRate: slow === undefined ? NEVER : rate(slow.rate, 'slow.rate'),
    openForMs,
    maxOpenForMs: options.maxOpenFor === undefined ? openForMs * 10 : durationMs(options.maxOpenFor, 'maxOpenFor'),
    jitter: numberWithin(options.jitter ?? 0.2, 'jitter', 0, 1),
    probes,
    successes,
    probeForMs: options.probeFor === undefined ? openForMs : positiveDurationMs(options.probeFor, 'probeFor'),
    mode: options.mode ?? 'enforcing',
  };
}

function windowOf(options: BreakerOptions): Window | null {
  if (options.consecutiveFailures !== undefined) return null;
  if (options.calls === undefined) return new TimeWindow(positiveDurationMs(options.window ?? '30s', 'window'));
  return new CountWindow(wholeNumber(options.calls, 'calls', 1));
}

function minimumOf(options: BreakerOptions): number {
  if (options.consecutiveFailures !== undefined) return 1;
  const minimum = options.minimumCalls ?? 10;
  if (options.calls === undefined || minimum <= options.calls) return minimum;
  if (options.minimumCalls === undefined) return options.calls;
  throw misconfigured(`minimumCalls is ${minimum} of the last ${options.calls} calls: it could never open`);
}

/** A share above 0, of which 0 would open the breaker at the first call. */
function rate(value: number, option: string): number {
  if (value > 0 && value <= 1) return value;
  throw misconfigured(`${option} is ${value}: give a share above 0, up to 1`);
}
