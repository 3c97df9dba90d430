import { Turnstile } from '../pipeline/turnstile.ts';

/** Someone in a queue. */
export interface Waiting {
  readonly priority: number;
  /** Has its slot now. */
  admitted(): void;
  /** Made room for someone of higher priority. */
  displaced(): void;
}

export type BulkheadDecision = 'admitted' | 'queued' | 'refused';

/** Slots and a bounded queue: higher priority first, then first come first served. */
export class BulkheadCore {
  /** Holds the count of running calls and the limit. */
  readonly turnstile = new Turnstile();
  readonly #queueSize: number;
  readonly #queue: Waiting[] = [];

  constructor(limit: number, queueSize: number) {
    this.turnstile.limit = limit;
    this.#queueSize = queueSize;
  }

  get limit(): number {
    return this.turnstile.limit;
  }

  get running(): number {
    return this.turnstile.running;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes a slot when one is free; nobody waits while one is. */
  tryAcquire(): boolean {
    if (this.turnstile.running >= this.turnstile.limit) return false;
    this.turnstile.running++;
    return true;
  }

  /** After tryAcquire said no. A full queue puts out its last of lower priority rather than a newcomer of higher. */
  enqueue(waiting: Waiting): BulkheadDecision {
    if (this.#queue.length >= this.#queueSize) {
      const last = this.#queue.at(-1);
      if (last === undefined || last.priority >= waiting.priority) return 'refused';
      this.#queue.pop();
      last.displaced();
    }
    let place = this.#queue.length;
    while (place > 0 && (this.#queue[place - 1] as Waiting).priority < waiting.priority) place--;
    this.#queue.splice(place, 0, waiting);
    this.turnstile.heedsSuccess = true;
    return 'queued';
  }

  /** False when it is not in the queue any more. */
  leaveQueue(waiting: Waiting): boolean {
    const place = this.#queue.indexOf(waiting);
    if (place === -1) return false;
    this.#queue.splice(place, 1);
    return true;
  }

  release(): void {
    this.turnstile.running--;
    this.fill();
  }

  /** Adaptive limits move it; calls under way above a lower limit just end. */
  setLimit(limit: number): void {
    this.turnstile.limit = limit;
    this.fill();
  }

  /** After a slot was given back through the turnstile. */
  fill(): void {
    while (this.#queue.length > 0 && this.turnstile.running < this.turnstile.limit) {
      this.turnstile.running++;
      this.#queue.shift()?.admitted();
    }
    this.turnstile.heedsSuccess = this.#queue.length > 0;
  }
}
