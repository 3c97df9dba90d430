import { classify } from '../base/classify.ts';
import type { Outcome, OutcomePredicate } from '../base/outcome.ts';
import type { Call } from '../pipeline/call.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, type Departure, PASSED, PENDING, type Stage } from '../pipeline/stage.ts';
import { Turnstile } from '../pipeline/turnstile.ts';
import { systemRuntime } from '../runtime/system.ts';

export interface FallbackOptions extends PolicyOptions {
  /** What to fall back on; unless told, any error but programming errors, client errors and aborts. */
  readonly on?: OutcomePredicate;
}

export class Fallback<T> extends Policy<T> {
  readonly #give: (outcome: Outcome<unknown>) => T | PromiseLike<T>;
  readonly #on: OutcomePredicate | undefined;
  #used = 0;

  constructor(give: (outcome: Outcome<unknown>) => T | PromiseLike<T>, options: FallbackOptions = {}) {
    super('fallback', options.name, options.runtime ?? systemRuntime);
    this.#give = give;
    this.#on = options.on;
  }

  /** @internal */
  override at(depth: number): Part {
    const stage = new FallbackStage((outcome) => this.#degrade(outcome), this.#on, depth);
    return { type: 'stage', stage, cancels: false, gate: false };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return { used: this.#used };
  }

  #degrade(outcome: Outcome<unknown>): unknown {
    this.#used++;
    return this.#give(outcome);
  }
}

/** Answers with something lesser rather than with an error. The outcome says `degraded: 'fallback'`. */
export function fallback<T>(
  give: (outcome: Outcome<unknown>) => T | PromiseLike<T>,
  options?: FallbackOptions,
): Fallback<T> {
  return new Fallback(give, options);
}

class FallbackStage implements Stage {
  readonly turnstile: Turnstile | null;
  readonly #give: (outcome: Outcome<unknown>) => unknown;
  readonly #on: OutcomePredicate | undefined;
  readonly #depth: number;

  constructor(give: (outcome: Outcome<unknown>) => unknown, on: OutcomePredicate | undefined, depth: number) {
    this.#give = give;
    this.#on = on;
    this.#depth = depth;
    this.turnstile = on === undefined ? new Turnstile() : null;
  }

  enter(): Admission {
    return ADMITTED;
  }

  leave(call: Call): Departure {
    if ((call.ok && this.#on === undefined) || call.cancelledOutside(this.#depth)) return PASSED;
    const outcome = call.outcome();
    if (!(this.#on ?? isWorthHiding)(outcome)) return PASSED;
    const given = this.#give(outcome);
    call.reporter.degraded('fallback');
    call.degraded = 'fallback';
    if (!isPromiseLike(given)) {
      call.succeed(given);
      return PASSED;
    }
    call.pending = given;
    return PENDING;
  }
}

function isWorthHiding(outcome: Outcome<unknown>): boolean {
  if (outcome.ok) return false;
  const kind = classify(outcome);
  return kind !== 'bug' && kind !== 'client' && kind !== 'aborted';
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
