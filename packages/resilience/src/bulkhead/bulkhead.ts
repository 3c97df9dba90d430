import { type Duration, positiveDurationMs, wholeNumber } from '../base/duration.ts';
import { refusal } from '../base/error.ts';
import type { Call } from '../pipeline/call.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import {
  ADMITTED,
  type Admission,
  type Departure,
  PASSED,
  QUEUED,
  type Stage,
  type Waiter,
} from '../pipeline/stage.ts';
import type { Turnstile } from '../pipeline/turnstile.ts';
import type { Alarm } from '../runtime/runtime.ts';
import { systemRuntime } from '../runtime/system.ts';
import { BulkheadCore, type Waiting } from './bulkhead-core.ts';

export interface BulkheadOptions extends PolicyOptions {
  /** Calls at a time. */
  readonly limit: number;
  /** Calls that may wait for a slot; none unless told. */
  readonly queue?: number;
  /** How long they may wait. */
  readonly queueFor?: Duration;
}

export class Bulkhead extends Policy {
  readonly core: BulkheadCore;
  readonly #queueForMs: number;

  constructor(options: BulkheadOptions) {
    super('bulkhead', options.name, options.runtime ?? systemRuntime);
    this.core = new BulkheadCore(wholeNumber(options.limit, 'limit', 1), wholeNumber(options.queue ?? 0, 'queue', 0));
    this.#queueForMs = options.queueFor === undefined ? Infinity : positiveDurationMs(options.queueFor, 'queueFor');
  }

  /** @internal */
  override at(): Part {
    const stage = new BulkheadStage(this.core, this.#queueForMs, this.name);
    return { type: 'stage', stage, cancels: false, gate: true };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    const { limit, running, waiting } = this.core;
    return { limit, running, waiting };
  }
}

/** At most so many calls at a time; a slot is held for as long as the work runs, also when its caller has given up on it. */
export function bulkhead(options: number | BulkheadOptions): Bulkhead {
  return new Bulkhead(typeof options === 'number' ? { limit: options } : options);
}

export class BulkheadStage implements Stage {
  readonly turnstile: Turnstile;
  readonly #core: BulkheadCore;
  readonly #queueForMs: number;
  readonly #name: string;

  constructor(core: BulkheadCore, queueForMs: number, name: string) {
    this.#core = core;
    this.#queueForMs = queueForMs;
    this.#name = name;
    this.turnstile = core.turnstile;
  }

  leaveLight(): void {
    this.#core.fill();
  }

  enter(call: Call): Admission {
    if (this.#core.tryAcquire()) return ADMITTED;
    if (!call.immediate) {
      const waiter = new QueuedCall(this.#core, call, this.#name);
      if (this.#core.enqueue(waiter) === 'queued') {
        waiter.startTimer(this.#queueForMs);
        call.waiter = waiter;
        return QUEUED;
      }
    }
    return call.refuse('REJECTED', `"${this.#name}" has no slot left: call less at a time, or give it a queue`);
  }

  leave(call: Call): Departure {
    if (call.abandoned) call.context?.whenSettled(() => this.#core.release());
    else this.#core.release();
    return PASSED;
  }
}

class QueuedCall implements Waiting, Waiter {
  readonly priority: number;
  readonly #core: BulkheadCore;
  readonly #call: Call;
  readonly #name: string;
  #alarm: Alarm | null = null;

  constructor(core: BulkheadCore, call: Call, name: string) {
    this.#core = core;
    this.#call = call;
    this.#name = name;
    this.priority = call.options?.priority ?? 0;
  }

  startTimer(queueForMs: number): void {
    if (queueForMs === Infinity) return;
    this.#alarm = this.#call.runtime.platform.schedule(queueForMs, () => {
      if (this.#core.leaveQueue(this)) this.#turnAway(`waited ${queueForMs} ms for a slot of "${this.#name}"`);
    });
  }

  admitted(): void {
    this.#alarm?.cancel();
    this.#call.admit();
  }

  displaced(): void {
    this.#turnAway(`a call of higher priority took its place in the queue of "${this.#name}"`);
  }

  cancel(): void {
    this.#alarm?.cancel();
    this.#core.leaveQueue(this);
  }

  #turnAway(message: string): void {
    this.#alarm?.cancel();
    this.#call.reporter.refused('REJECTED');
    this.#call.turnAway(refusal('REJECTED', message, undefined, this.#call.throws));
  }
}
