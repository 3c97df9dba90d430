/** Broken links on purpose, for breakable clusters: applied to frames, so that the sockets below stay as they are. */
import { assert } from '@polder/core';

export type LinkFault =
  | { readonly type: 'clear' }
  | { readonly type: 'block' }
  | { readonly type: 'delay'; readonly delayMs: number }
  /** `rate` of the frames, 0 to 1, is lost. */
  | { readonly type: 'drop'; readonly rate: number };

export type LinkDirection = 'in' | 'out' | 'both';

export const MAX_DELAY_MS = 60_000;
/** Delayed frames are memory: beyond this they are lost, as on a real link. */
const MAX_DELAYED_BYTES = 16 * 1024 * 1024;

/** One direction of one link. */
export class FaultyLink {
  #fault: LinkFault = { type: 'clear' };
  #delayedBytes = 0;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get fault(): LinkFault {
    return this.#fault;
  }

  set(fault: LinkFault): void {
    if (fault.type === 'delay') assert(fault.delayMs >= 0 && fault.delayMs <= MAX_DELAY_MS, 'the delay is bounded');
    if (fault.type === 'drop') assert(fault.rate >= 0 && fault.rate <= 1, 'a rate is between 0 and 1');
    this.#fault = fault;
    if (fault.type === 'block') this.close();
  }

  /** Passes a frame on now, later, or (false) never. */
  pass(sizeBytes: number, deliver: () => void): boolean {
    const fault = this.#fault;
    switch (fault.type) {
      case 'clear':
        deliver();
        return true;
      case 'block':
        return false;
      case 'drop':
        if (this.#random() < fault.rate) return false;
        deliver();
        return true;
      case 'delay':
        return this.#delay(fault.delayMs, sizeBytes, deliver);
    }
  }

  /** Forgets what is under way. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.#delayedBytes = 0;
  }

  #delay(delayMs: number, sizeBytes: number, deliver: () => void): boolean {
    if (this.#delayedBytes + sizeBytes > MAX_DELAYED_BYTES) return false;
    this.#delayedBytes += sizeBytes;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#delayedBytes -= sizeBytes;
      deliver();
    }, delayMs);
    this.#timers.add(timer);
    return true;
  }
}
