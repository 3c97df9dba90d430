import { classify } from '../base/classify.ts';
import { type Duration, positiveDurationMs, wholeNumber } from '../base/duration.ts';
import type { Call } from '../pipeline/call.ts';
import { HeavyStage } from '../pipeline/heavy-stage.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { ADMITTED, type Admission, type Departure, PASSED } from '../pipeline/stage.ts';
import { systemRuntime } from '../runtime/system.ts';

export interface StaleCacheOptions extends PolicyOptions {
  /** How old an answer may be; an hour unless told. */
  readonly maxAge?: Duration;
  /** The least recently stored goes first; 1,000 unless told. */
  readonly maxEntries?: number;
}

interface Entry {
  readonly value: unknown;
  readonly storedMs: number;
}

export class StaleCache extends Policy<never, 'key'> {
  readonly #maxAgeMs: number;
  readonly #maxEntries: number;
  /** In the order in which they were stored. */
  readonly #entries = new Map<string, Entry>();
  #used = 0;

  constructor(options: StaleCacheOptions = {}) {
    super('stale-cache', options.name, options.runtime ?? systemRuntime);
    this.#maxAgeMs = positiveDurationMs(options.maxAge ?? '1h', 'maxAge');
    this.#maxEntries = wholeNumber(options.maxEntries ?? 1_000, 'maxEntries', 1);
  }

  /** @internal */
  override at(depth: number): Part {
    return { type: 'stage', stage: new StaleCacheStage(this, depth), cancels: false, gate: false };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return { entries: this.#entries.size, used: this.#used };
  }

  /** @internal */
  store(key: string, value: unknown): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, storedMs: this.runtime.now() });
    if (this.#entries.size <= this.#maxEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** @internal */
  find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.runtime.now() - entry.storedMs > this.#maxAgeMs) {
      this.#entries.delete(key);
      return undefined;
    }
    this.#used++;
    return entry;
  }
}

/**
 * Answers a call that failed with the last good answer under its key, if that is not too old. It is no cache otherwise: every
 * call goes to the target. The outcome says `degraded: 'stale'`.
 */
export function staleCache(options?: StaleCacheOptions): StaleCache {
  return new StaleCache(options);
}

class StaleCacheStage extends HeavyStage {
  readonly #cache: StaleCache;
  readonly #depth: number;

  constructor(cache: StaleCache, depth: number) {
    super();
    this.#cache = cache;
    this.#depth = depth;
  }

  override enter(): Admission {
    return ADMITTED;
  }

  override leave(call: Call): Departure {
    const key = call.options?.key;
    if (key === undefined || call.cancelledOutside(this.#depth)) return PASSED;
    if (call.ok) {
      // What was degraded further in is not the target's answer.
      if (call.degraded === undefined) this.#cache.store(key, call.value);
      return PASSED;
    }
    const kind = classify(call.outcome());
    if (kind === 'bug' || kind === 'client' || kind === 'aborted') return PASSED;
    const entry = this.#cache.find(key);
    if (entry === undefined) return PASSED;
    call.succeed(entry.value);
    call.degraded = 'stale';
    call.reporter.degraded('stale');
    return PASSED;
  }
}
