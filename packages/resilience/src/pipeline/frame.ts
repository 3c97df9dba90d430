import type { Outcome } from '../base/outcome.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { Call, type CallOptions, type Work } from './call.ts';
import { Context } from './context.ts';
import type { Reporter } from './reporter.ts';
import { ADMITTED, AGAIN, type Departure, type LightLane, PASSED, REFUSED, type Stage } from './stage.ts';
import { Turnstile } from './turnstile.ts';

/** A policy that runs what is further in more than once at a time, or for several callers: it splits the pipeline there. */
export interface Branch {
  /** Never rejects. */
  execute(inner: Frame, work: Work<unknown>, call: Call, context: Context): Promise<Outcome<unknown>>;
}

/** What a frame is built of. */
export interface FrameParts {
  readonly runtime: Runtime;
  readonly reporter: Reporter;
  readonly stages: readonly Stage[];
  /** Whether a stage of this frame can cancel a call. */
  readonly cancels: boolean;
  /** Frames inside a branch do not count calls: their pipeline has counted them. */
  readonly outermost: boolean;
  /** What comes further in than the last stage, when it is not the work itself. */
  readonly within: { readonly branch: Branch; readonly inner: Frame } | null;
}

/**
 * The policies of a pipeline as one asynchronous function: calls go inward stage by stage, do the work and come outward again.
 * Nothing here waits unless a stage or the work makes it wait. Calls that nobody can cancel and that succeed at once, which is to
 * say most, take the light way: one frame with no Call. Any other way is `#travel`, which can begin anywhere.
 */
export class Frame implements LightLane {
  readonly #runtime: Runtime;
  readonly #reporter: Reporter;
  readonly #stages: readonly Stage[];
  readonly #cancels: boolean;
  readonly #light: boolean;
  /** By depth. */
  readonly #turnstiles: readonly Turnstile[];
  /** The outermost stage, when it runs light calls itself. */
  readonly #starter: Stage | null;
  /** The one turnstile whose permits differ; a light call remembers one permit only. */
  readonly #permitting: Turnstile | null;
  readonly #permitDepth: number;
  readonly #outermost: boolean;
  readonly #within: FrameParts['within'];

  constructor(parts: FrameParts) {
    this.#runtime = parts.runtime;
    this.#reporter = parts.reporter;
    this.#stages = parts.stages;
    this.#cancels = parts.cancels;
    const permitting = parts.stages.filter((stage) => stage.givesPermits === true);
    const [outer] = parts.stages;
    this.#starter = outer?.startLight === undefined ? null : outer;
    this.#turnstiles = parts.stages.map((stage) => stage.turnstile ?? new Turnstile());
    this.#permitting = permitting[0]?.turnstile ?? null;
    this.#permitDepth = permitting[0] === undefined ? -1 : parts.stages.indexOf(permitting[0]);
    const heavy = parts.stages.filter((stage) => stage.turnstile === null && stage !== this.#starter);
    const allLight = heavy.length === 0 && permitting.length <= 1;
    this.#light = allLight && parts.within === null && parts.outermost;
    this.#outermost = parts.outermost;
    this.#within = parts.within;
  }

  /** Settles with the value, or rejects, when it `throws`; else settles with an Outcome. */
  run(work: Work<unknown>, options: CallOptions | undefined, throws: boolean): Promise<unknown> {
    if (this.#outermost) this.#reporter.calls++;
    if (options === undefined && this.#light) return this.#enterLight(work, throws);
    const call = new Call(this.#runtime, this.#reporter, options, throws);
    const opened = call.open();
    return this.#travel(call, work, 0, opened);
  }

  #enterLight(work: Work<unknown>, throws: boolean): Promise<unknown> {
    const turnstiles = this.#turnstiles;
    const permit = this.#permitting === null ? 0 : this.#permitting.permit;
    for (let depth = 0; depth < turnstiles.length; depth++) {
      const turnstile = turnstiles[depth] as Turnstile;
      if (turnstile.permit < 0 || turnstile.running >= turnstile.limit) {
        const call = this.#callWith(permit, throws);
        this.#starter?.enter(call);
        return this.#travel(call, work, depth, true);
      }
      turnstile.running++;
      turnstile.budget?.deposit();
    }
    const starter = this.#starter;
    if (starter?.startLight !== undefined) return starter.startLight(this, work, permit, throws);
    return this.#runLight(work, permit, throws);
  }

  async #runLight(work: Work<unknown>, permit: number, throws: boolean): Promise<unknown> {
    const context = new Context(this.#runtime, 1, Infinity, false);
    try {
      const value = await work(context);
      this.leaveLight(permit);
      return throws ? value : { ok: true, value };
    } catch (error) {
      const call = this.callAfterLight(context, permit, throws);
      call.fail(error);
      return this.travelOutward(call, work);
    }
  }

  get reporter(): Reporter {
    return this.#reporter;
  }

  contextUntil(deadline: number): Context {
    return new Context(this.#runtime, 1, deadline, false);
  }

  leaveLight(permit: number): void {
    const turnstiles = this.#turnstiles;
    for (let depth = turnstiles.length - 1; depth >= 0; depth--) {
      const turnstile = turnstiles[depth] as Turnstile;
      turnstile.running--;
      if (turnstile.heedsSuccess || turnstile.permit < 0) this.#stages[depth]?.leaveLight?.(permit);
    }
    this.#reporter.succeeded++;
  }

  callAfterLight(context: Context, permit: number, throws: boolean): Call {
    const call = this.#callWith(permit, throws);
    call.context = context;
    call.begun = true;
    return call;
  }

  travelOutward(call: Call, work: Work<unknown>): Promise<unknown> {
    return this.#travel(call, work, this.#stages.length, false);
  }

  async #travel(call: Call, work: Work<unknown>, from: number, startsInward: boolean): Promise<unknown> {
    const stages = this.#stages;
    const innermost = stages.length;
    let depth = from;
    let inward = startsInward;
    for (;;) {
      for (; inward && depth < innermost; depth++) {
        const admission = (stages[depth] as Stage).enter(call);
        if (admission !== ADMITTED && (admission === REFUSED || !(await call.queued()))) break;
      }
      if (inward && depth === innermost && call.begin()) {
        try {
          const result = this.#start(work, call);
          if ((this.#cancels || call.watched) && isPromiseLike(result)) await call.race(result, call.context);
          else call.succeed(await result);
        } catch (error) {
          call.failWith(error);
        }
        call.end(this.#within !== null);
      }
      inward = false;
      while (depth > 0 && !inward) {
        const departure = leave(stages[--depth] as Stage, call);
        if (departure === PASSED) continue;
        if (departure === AGAIN) inward = call.delayMs === 0 || (await call.sleep());
        else await call.race(call.pending as PromiseLike<unknown>, null);
      }
      if (!inward) break;
      call.repeat();
      depth++;
    }
    call.close();
    if (this.#outermost) call.count();
    if (!call.throws) return call.outcome();
    if (call.ok) return call.value;
    throw call.error;
  }

  /** Takes a call from the light way over. */
  #callWith(permit: number, throws: boolean): Call {
    const call = new Call(this.#runtime, this.#reporter, undefined, throws);
    if (this.#permitDepth >= 0) call.notes[this.#permitDepth] = permit;
    return call;
  }

  #start(work: Work<unknown>, call: Call): unknown {
    const within = this.#within;
    const context = call.context as Context;
    return within === null ? work(context) : within.branch.execute(within.inner, work, call, context);
  }
}

/** Predicates and caches are the user's code: what they throw is the outcome, and the stages further out are left all the same. */
function leave(stage: Stage, call: Call): Departure {
  try {
    return stage.leave(call);
  } catch (error) {
    call.fail(error);
    return PASSED;
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
