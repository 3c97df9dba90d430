import type { Runtime } from '../runtime/runtime.ts';
import { Call } from './call.ts';
import type { Reporter } from './reporter.ts';
import { ADMITTED, type Stage } from './stage.ts';

/** Both ways of ending are disposable, so that `using slot = pipeline.tryAcquire()` is all one needs. */
export type SlotResult = Slot | RefusedSlot;

export interface RefusedSlot extends Disposable {
  readonly ok: false;
  readonly error: unknown;
}

/** A place in a pipeline that somebody else's loop occupies. It ends once; later words are ignored. */
export class Slot implements Disposable {
  readonly ok = true;
  readonly #stages: readonly Stage[];
  readonly #call: Call;
  #ended = false;

  constructor(stages: readonly Stage[], call: Call) {
    this.#stages = stages;
    this.#call = call;
  }

  /** The work went well. */
  succeed(value?: unknown): void {
    if (this.#ended) return;
    this.#call.succeed(value);
    this.#end();
  }

  /** The work failed. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#call.fail(error);
    this.#end();
  }

  /** Gives the place back; without an earlier word, as work whose end says nothing. */
  release(): void {
    if (this.#ended) return;
    this.#call.handleEvent();
    this.#end();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #end(): void {
    this.#ended = true;
    leave(this.#stages, this.#stages.length, this.#call);
  }
}

/** Goes through the gates outer to inner, and back again where one refuses. */
export function acquire(gates: readonly Stage[], runtime: Runtime, reporter: Reporter): SlotResult {
  const call = new Call(runtime, reporter, undefined, false);
  call.immediate = true;
  reporter.calls++;
  for (const [depth, gate] of gates.entries()) {
    if (gate.enter(call) === ADMITTED) continue;
    const error = call.error;
    leave(gates, depth, call);
    return { ok: false, error, [Symbol.dispose]() {} };
  }
  call.begin();
  return new Slot(gates, call);
}

function leave(gates: readonly Stage[], from: number, call: Call): void {
  for (let depth = from; depth > 0; depth--) gates[depth - 1]?.leave(call);
  call.count();
}
