import { type Duration, durationMs, numberWithin, wholeNumber } from '../base/duration.ts';
import type { Outcome } from '../base/outcome.ts';
import type { Call, Work } from '../pipeline/call.ts';
import type { Context } from '../pipeline/context.ts';
import type { Branch, Frame } from '../pipeline/frame.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { RetryBudget } from '../retry/budget.ts';
import type { Alarm } from '../runtime/runtime.ts';
import { systemRuntime } from '../runtime/system.ts';
import { Latencies } from './latencies.ts';

export interface HedgeOptions extends PolicyOptions {
  /** How long to wait before the work is started once more: fixed, or as long as this share of the calls takes at most. */
  readonly after:
    | Duration
    | { readonly percentile: number /** Until enough calls were seen. */; readonly initial: Duration };
  /** The work will be done twice: say that this does no harm. */
  readonly idempotent: true;
  /** Started again at most so often; once unless told. */
  readonly maxHedges?: number;
  /** One of its own (a tenth of the calls) unless told. */
  readonly budget?: RetryBudget | null;
}

/** Latencies seen before a percentile means something. */
const ENOUGH = 20;

export class Hedge extends Policy {
  readonly #percentile: number | null;
  readonly #initialMs: number;
  readonly #maxHedges: number;
  readonly #budget: RetryBudget | null;
  readonly #latencies = new Latencies(256);

  constructor(options: HedgeOptions) {
    super('hedge', options.name, options.runtime ?? systemRuntime);
    const { after } = options;
    this.#percentile = typeof after === 'object' ? numberWithin(after.percentile, 'after.percentile', 0, 1) : null;
    this.#initialMs = durationMs(typeof after === 'object' ? after.initial : after, 'after');
    this.#maxHedges = wholeNumber(options.maxHedges ?? 1, 'maxHedges', 1);
    this.#budget = options.budget === undefined ? new RetryBudget({ ratio: 0.1 }) : options.budget;
  }

  /** @internal */
  override at(): Part {
    const branch: Branch = {
      execute: (inner, work, call, context) => {
        if (!context.repeats) this.#budget?.deposit();
        // A call may say that it is not to be done twice.
        const maxHedges = call.options?.idempotent === false ? 0 : this.#maxHedges;
        const race = new HedgeRace(this, inner, work, call, context, maxHedges);
        return race.run();
      },
    };
    return { type: 'branch', branch };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return { delayMs: this.delayMs(), budgetAvailable: this.#budget?.available ?? null };
  }

  delayMs(): number {
    if (this.#percentile === null || this.#latencies.count < ENOUGH) return this.#initialMs;
    return this.#latencies.quantile(this.#percentile);
  }

  /** @internal */
  record(durationMs: number): void {
    if (this.#percentile !== null) this.#latencies.record(durationMs);
  }

  /** @internal */
  mayHedge(): boolean {
    return this.#budget === null || this.#budget.tryWithdraw();
  }
}

/** Starts slow work once more, takes whichever succeeds first, and cancels the other. Dean and Barroso, The Tail at Scale, 2013. */
export function hedge(options: HedgeOptions): Hedge {
  return new Hedge(options);
}

/** One call's starts of the work. */
class HedgeRace {
  readonly #hedge: Hedge;
  readonly #inner: Frame;
  readonly #work: Work<unknown>;
  readonly #call: Call;
  readonly #context: Context;
  readonly #maxHedges: number;
  readonly #controllers: AbortController[] = [];
  #running = 0;
  #alarm: Alarm | null = null;
  #firstFailure: Outcome<unknown> | null = null;
  #resolve: (outcome: Outcome<unknown>) => void = () => {};

  constructor(owner: Hedge, inner: Frame, work: Work<unknown>, call: Call, context: Context, maxHedges: number) {
    this.#hedge = owner;
    this.#inner = inner;
    this.#work = work;
    this.#call = call;
    this.#context = context;
    this.#maxHedges = maxHedges;
  }

  run(): Promise<Outcome<unknown>> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#context.signal.addEventListener('abort', this);
      this.#start();
      this.#await();
    });
  }

  /** The call was cancelled. */
  handleEvent(): void {
    this.#cancel(this.#context.signal.reason);
  }

  #await(): void {
    if (this.#controllers.length > this.#maxHedges) return;
    this.#alarm = this.#call.runtime.platform.schedule(this.#hedge.delayMs(), () => this.#onSlow());
  }

  #onSlow(): void {
    if (!this.#hedge.mayHedge()) return;
    this.#call.reporter.hedged(this.#context.attempt);
    this.#start();
    this.#await();
  }

  #start(): void {
    const controller = new AbortController();
    const attempt = this.#context.attempt + this.#controllers.length;
    this.#controllers.push(controller);
    this.#running++;
    const options = { ...this.#call.options, parent: this.#context, signal: controller.signal, attempt };
    const startedMs = this.#call.runtime.now();
    void this.#inner.run(this.#work, options, false).then((outcome) => {
      this.#onEnd(outcome as Outcome<unknown>, this.#call.runtime.now() - startedMs);
    });
  }

  #onEnd(outcome: Outcome<unknown>, durationMs: number): void {
    this.#running--;
    if (outcome.ok) {
      this.#hedge.record(durationMs);
      this.#finish(outcome);
      return;
    }
    this.#firstFailure ??= outcome;
    // What failed before it was slow is a retry policy's business.
    if (this.#running === 0) this.#finish(this.#firstFailure);
  }

  #finish(outcome: Outcome<unknown>): void {
    this.#context.signal.removeEventListener('abort', this);
    this.#cancel(new Error('another start of this work has answered'));
    this.#resolve(outcome);
  }

  #cancel(reason: unknown): void {
    this.#alarm?.cancel();
    for (const controller of this.#controllers) controller.abort(reason);
  }
}
