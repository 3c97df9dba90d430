import type { Outcome } from '../base/outcome.ts';
import type { Call, Work } from '../pipeline/call.ts';
import type { Context } from '../pipeline/context.ts';
import type { Branch, Frame } from '../pipeline/frame.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { systemRuntime } from '../runtime/system.ts';

/** Work under way for everybody who asked for the same key meanwhile. */
interface Flight {
  readonly outcome: Promise<Outcome<unknown>>;
  readonly controller: AbortController;
  callers: number;
}

export class Coalesce extends Policy<never, 'key'> {
  readonly #flights = new Map<string, Flight>();
  #joined = 0;

  constructor(options: PolicyOptions = {}) {
    super('coalesce', options.name, options.runtime ?? systemRuntime);
  }

  /** @internal */
  override at(): Part {
    const branch: Branch = { execute: (inner, work, call, context) => this.#execute(inner, work, call, context) };
    return { type: 'branch', branch };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return { flights: this.#flights.size, joined: this.#joined };
  }

  async #execute(inner: Frame, work: Work<unknown>, call: Call, context: Context): Promise<Outcome<unknown>> {
    const key = call.options?.key;
    if (key === undefined) {
      const alone = { ...call.options, parent: context, signal: context.signal, attempt: context.attempt };
      return (await inner.run(work, alone, false)) as Outcome<unknown>;
    }
    const flight = this.#flights.get(key) ?? this.#take(key, inner, work, call, context);
    if (flight.callers++ > 0) {
      this.#joined++;
      call.reporter.coalesced(key);
    }
    const leave = { handleEvent: () => this.#leave(key, flight, context.signal.reason) };
    context.signal.addEventListener('abort', leave);
    const outcome = await flight.outcome;
    context.signal.removeEventListener('abort', leave);
    return outcome;
  }

  /** The flight has a signal of its own: the caller who happened to be first may leave, and the others still want the answer. */
  #take(key: string, inner: Frame, work: Work<unknown>, call: Call, context: Context): Flight {
    const controller = new AbortController();
    const { idempotent, priority } = call.options ?? {};
    const options = { key, idempotent, priority, signal: controller.signal, attempt: context.attempt };
    const outcome = inner.run(work, options, false).then((settled) => {
      this.#land(key, flight);
      return settled as Outcome<unknown>;
    });
    const flight: Flight = { outcome, controller, callers: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  #leave(key: string, flight: Flight, reason: unknown): void {
    if (--flight.callers > 0) return;
    // Whoever asks now must not get the outcome of work that is being stopped.
    this.#land(key, flight);
    flight.controller.abort(reason);
  }

  #land(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

/** Callers who ask for the same key at the same time share one call. It is stopped when all of them have left. */
export function coalesce(options?: PolicyOptions): Coalesce {
  return new Coalesce(options);
}
