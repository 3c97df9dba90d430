import { classify, type OutcomeClass } from '../base/classify.ts';
import { type Duration, durationMs, positiveDurationMs, wholeNumber } from '../base/duration.ts';
import { ResilienceError } from '../base/error.ts';
import { Listeners } from '../base/listeners.ts';
import type { Outcome, OutcomePredicate } from '../base/outcome.ts';
import { retryAfterOf } from '../base/retry-after.ts';
import type { Call } from '../pipeline/call.ts';
import type { GiveUpReason } from '../pipeline/event.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, AGAIN, type Departure, PASSED, type Stage } from '../pipeline/stage.ts';
import { Turnstile } from '../pipeline/turnstile.ts';
import { systemRuntime } from '../runtime/system.ts';
import type { Growth, Jitter } from './backoff.ts';
import { RetryBudget } from './budget.ts';
import { RetryCore, type RetryProgress } from './retry-core.ts';

export interface RetryEvent {
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly outcome: Outcome<unknown>;
}

export interface RetryOptions extends PolicyOptions {
  /** Attempts after the first; 3 unless told. */
  readonly maxRetries?: number;
  /** The first wait, before jitter; 100 ms unless told. */
  readonly baseDelay?: Duration;
  /** The longest wait; 20 s unless told. */
  readonly maxDelay?: Duration;
  /** Exponential unless told. */
  readonly growth?: Growth;
  /** Full unless told: of all, it ends contention with the fewest calls. */
  readonly jitter?: Jitter;
  /** For all attempts and waits together: no wait goes past it. It stops no attempt; `timeout` does. */
  readonly deadline?: Duration;
  /** Shared among all that call the target; one of its own (a fifth of the calls) unless told; null for none. */
  readonly budget?: RetryBudget | null;
  /** What to try again. Unless told: every error but programming errors, aborts and client errors (4xx); no returned value. */
  readonly on?: OutcomePredicate;
  /** Doing the work twice does no harm. Without it, what may have been carried out is not tried again. */
  readonly idempotent?: boolean;
  /** Try again also what a retry policy further in gave up on. */
  readonly nested?: boolean;
  /** The longest Retry-After that is heeded; `maxDelay` unless told. */
  readonly maxRetryAfter?: Duration;
  readonly retryAfter?: (outcome: Outcome<unknown>) => number | undefined;
  readonly onRetry?: (event: RetryEvent) => void;
}

/** Errors that a retry policy has let stand, so that layers of retries do not multiply. */
const givenUp = new WeakSet<object>();

export class Retry extends Policy {
  readonly core: RetryCore;
  readonly options: RetryOptions;
  readonly #listeners = new Listeners<RetryEvent>();

  constructor(options: RetryOptions = {}) {
    super('retry', options.name, options.runtime ?? systemRuntime);
    const maxMs = durationMs(options.maxDelay ?? 20_000, 'maxDelay');
    this.options = options;
    this.core = new RetryCore({
      maxRetries: wholeNumber(options.maxRetries ?? 3, 'maxRetries', 0),
      backoff: {
        growth: options.growth ?? 'exponential',
        jitter: options.jitter ?? 'full',
        baseMs: Math.min(maxMs, durationMs(options.baseDelay ?? 100, 'baseDelay')),
        maxMs,
      },
      maxRetryAfterMs: options.maxRetryAfter === undefined ? maxMs : durationMs(options.maxRetryAfter, 'maxRetryAfter'),
      deadlineMs: options.deadline === undefined ? Infinity : positiveDurationMs(options.deadline, 'deadline'),
      budget: options.budget === undefined ? new RetryBudget() : options.budget,
    });
    if (options.onRetry !== undefined) this.#listeners.subscribe(options.onRetry);
  }

  /** @internal */
  override at(depth: number): Part {
    const stage = new RetryStage(this.core, this.options, this.#listeners, depth);
    return { type: 'stage', stage, cancels: false, gate: false };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    const { budget, maxRetries } = this.core.rules;
    return { maxRetries, budgetAvailable: budget?.available ?? null, budgetRefused: budget?.refused ?? 0 };
  }
}

/** Tries failed work again: waits that grow and are spread, within a budget, and only where that can help. */
export function retry(options?: RetryOptions): Retry {
  return new Retry(options);
}

interface RetryNote extends RetryProgress {
  /** By this policy's own deadline; Infinity without. */
  readonly deadline: number;
}

class RetryStage implements Stage {
  readonly turnstile: Turnstile | null;
  readonly #core: RetryCore;
  readonly #options: RetryOptions;
  readonly #listeners: Listeners<RetryEvent>;
  readonly #depth: number;

  constructor(core: RetryCore, options: RetryOptions, listeners: Listeners<RetryEvent>, depth: number) {
    this.#core = core;
    this.#options = options;
    this.#listeners = listeners;
    this.#depth = depth;
    const light = core.rules.deadlineMs === Infinity && options.on === undefined;
    this.turnstile = light ? new Turnstile() : null;
    if (this.turnstile !== null) this.turnstile.budget = core.rules.budget;
  }

  enter(call: Call): Admission {
    const { deadlineMs } = this.#core.rules;
    this.#core.begin(call.repeats);
    if (deadlineMs !== Infinity) call.notes[this.#depth] = note(call.runtime.now() + deadlineMs);
    return ADMITTED;
  }

  leave(call: Call): Departure {
    if (call.ok && this.#options.on === undefined) return PASSED;
    // Whoever cancelled the call has decided.
    if (call.interrupted) return this.#pass(call);
    const outcome = call.outcome();
    const kind = classify(outcome);
    const retryable = this.#options.on === undefined ? retryableByDefault(kind) : this.#options.on(outcome);
    if (outcome.ok && !retryable) return this.#pass(call);
    return this.#decide(call, outcome, kind, retryable);
  }

  #decide(call: Call, outcome: Outcome<unknown>, kind: OutcomeClass, retryable: boolean): Departure {
    const progress = this.#progress(call);
    const failed = {
      retryable: retryable && kind !== 'aborted' && kind !== 'final',
      ambiguous: kind === 'unknown',
      idempotent: call.options?.idempotent ?? this.#options.idempotent ?? false,
      retriedWithin: this.#options.nested !== true && !outcome.ok && isGivenUp(outcome.error),
      retryAfterMs: (this.#options.retryAfter ?? retryAfterOf)(outcome),
      deadline: Math.min(call.deadline, progress.deadline),
    };
    const decision = this.#core.decide(call.runtime.now(), progress, failed, call.runtime.random);
    const attempt = progress.failures;
    if (decision.type === 'retry') {
      call.delayMs = decision.delayMs;
      call.reporter.retry(attempt, decision.delayMs, outcome);
      if (this.#listeners.any) this.#listeners.emit({ attempt, delayMs: decision.delayMs, outcome });
      return AGAIN;
    }
    call.reporter.gaveUp(attempt, decision.reason, outcome);
    if (!outcome.ok) this.#fail(call, outcome.error, decision.reason);
    return this.#pass(call);
  }

  #fail(call: Call, error: unknown, reason: GiveUpReason): void {
    if (reason === 'attempts' || reason === 'deadline') markGivenUp(error);
    if (reason !== 'budget') return;
    const message = 'the call failed (see cause), and the retry budget allows no other attempt: let the target recover';
    call.fail(new ResilienceError('BUDGET_EXHAUSTED', message, undefined, { cause: error }));
  }

  #progress(call: Call): RetryNote {
    const known = call.notes[this.#depth] as RetryNote | undefined;
    if (known !== undefined) return known;
    const fresh = note(Infinity);
    call.notes[this.#depth] = fresh;
    return fresh;
  }

  /** A policy further out may send the call in again: that would be a call of its own. */
  #pass(call: Call): Departure {
    call.notes[this.#depth] = undefined;
    return PASSED;
  }
}

function note(deadline: number): RetryNote {
  return { failures: 0, previousDelayMs: 0, deadline };
}

function retryableByDefault(kind: OutcomeClass): boolean {
  return kind === 'refused' || kind === 'unknown' || kind === 'failed';
}

function isGivenUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && givenUp.has(error);
}

function markGivenUp(error: unknown): void {
  if (typeof error === 'object' && error !== null) givenUp.add(error);
}
