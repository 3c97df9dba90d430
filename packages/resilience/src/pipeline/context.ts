import type { Runtime } from '../runtime/runtime.ts';

/** What a pipeline tells the work it runs; one per attempt. Pass it on as `parent` to a pipeline that is called from within. */
export class Context {
  /** 1 for the first try. */
  readonly attempt: number;
  /** When the call's time ends, in the runtime's milliseconds; Infinity without a time-out. */
  readonly deadline: number;
  /** Whether this repeats earlier work, or was called by what does: its load is already in somebody's budget. */
  readonly repeats: boolean;
  readonly #runtime: Runtime;
  /** Most attempts end without anybody having asked for a signal, cancelled or abandoned them. */
  #ending: Ending | null = null;

  constructor(runtime: Runtime, attempt: number, deadline: number, repeats: boolean) {
    this.#runtime = runtime;
    this.attempt = attempt;
    this.deadline = deadline;
    this.repeats = repeats;
  }

  /** Aborted when this attempt is to stop: a time-out, the caller's abort, a hedge that won. Made when first asked for. */
  get signal(): AbortSignal {
    return this.#end().signal();
  }

  /** Milliseconds left, never less than 0; Infinity without a time-out. */
  remainingMs(): number {
    return this.deadline === Infinity ? Infinity : Math.max(0, this.deadline - this.#runtime.now());
  }

  /** @internal */
  cancel(reason: unknown): void {
    this.#end().cancel(reason);
  }

  /** @internal The work has ended, perhaps long after the call that wanted it. */
  settle(): void {
    this.#ending?.settle();
  }

  /** @internal For work that was cancelled: at its end, or now when it has ended already. */
  whenSettled(callback: () => void): void {
    this.#end().whenSettled(callback);
  }

  #end(): Ending {
    this.#ending ??= new Ending();
    return this.#ending;
  }
}

class Ending {
  readonly #callbacks: (() => void)[] = [];
  #settled = false;
  #controller: AbortController | null = null;
  #cancelled = false;
  #reason: unknown;

  signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  settle(): void {
    this.#settled = true;
    for (const callback of this.#callbacks.splice(0)) callback();
  }

  whenSettled(callback: () => void): void {
    if (this.#settled) callback();
    else this.#callbacks.push(callback);
  }
}
