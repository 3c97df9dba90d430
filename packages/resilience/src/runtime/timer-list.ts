import type { Alarm, Platform } from './runtime.ts';

/** Kept here rather than in the runtime, so that a page without time-outs does not carry them. */
const lists = new WeakMap<Platform, TimerList>();

/**
 * Timers of one duration end in the order in which they began, so a doubly linked list per duration needs one platform timer in
 * all. A call that ends in time only unlinks its entry, which costs a few stores where a timer of its own costs hundreds of
 * nanoseconds.
 */
export class TimerList {
  readonly #platform: Platform;
  readonly #queues = new Map<number, TimerQueue>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** The list that everybody on this platform shares. */
  static of(platform: Platform): TimerList {
    const known = lists.get(platform);
    if (known !== undefined) return known;
    const list = new TimerList(platform);
    lists.set(platform, list);
    return list;
  }

  /** The queue of one duration; ask once and keep it. */
  queue(delayMs: number): TimerQueue {
    const known = this.#queues.get(delayMs);
    if (known !== undefined) return known;
    const queue = new TimerQueue(this.#platform, delayMs);
    this.#queues.set(delayMs, queue);
    return queue;
  }
}

/** Extend it with what happens when time is up. */
export abstract class TimerEntry {
  dueMs = 0;
  /** Null while it waits in no queue. */
  previous: TimerEntry | null = null;
  next: TimerEntry | null = null;

  abstract expire(): void;
}

/** The fixed end of a queue's ring, which spares every link and unlink the question whether there is a neighbour. */
class Ring extends TimerEntry {
  expire(): void {}
}

export class TimerQueue {
  readonly #platform: Platform;
  readonly #delayMs: number;
  readonly #ring: TimerEntry = new Ring();
  #alarm: Alarm | null = null;
  #size = 0;

  constructor(platform: Platform, delayMs: number) {
    this.#platform = platform;
    this.#delayMs = delayMs;
    this.#ring.previous = this.#ring;
    this.#ring.next = this.#ring;
  }

  get size(): number {
    return this.#size;
  }

  /** `nowMs` is when the entry's time begins. */
  add(entry: TimerEntry, nowMs: number): void {
    const last = this.#ring.previous as TimerEntry;
    entry.dueMs = nowMs + this.#delayMs;
    entry.previous = last;
    entry.next = this.#ring;
    last.next = entry;
    this.#ring.previous = entry;
    if (this.#size++ > 0) return;
    if (this.#alarm === null) this.#arm(this.#delayMs);
    else this.#alarm.keepAlive?.(true);
  }

  /** Harmless for an entry that has ended. */
  remove(entry: TimerEntry): void {
    const { previous, next } = entry;
    if (previous === null || next === null) return;
    previous.next = next;
    next.previous = previous;
    entry.previous = null;
    entry.next = null;
    // The platform's timer stays for the next entry, but nobody's process has to wait for it.
    if (--this.#size === 0) this.#alarm?.keepAlive?.(false);
  }

  #arm(delayMs: number): void {
    this.#alarm = this.#platform.schedule(delayMs, () => this.#onAlarm());
  }

  #onAlarm(): void {
    this.#alarm = null;
    const nowMs = this.#platform.now();
    for (let head = this.#head(); head !== null && head.dueMs <= nowMs; head = this.#head()) {
      this.remove(head);
      head.expire();
    }
    const head = this.#head();
    // An expiring entry may have started new work and armed the timer itself.
    if (head !== null && this.#alarm === null) this.#arm(Math.max(0, head.dueMs - nowMs));
  }

  #head(): TimerEntry | null {
    const head = this.#ring.next as TimerEntry;
    return head === this.#ring ? null : head;
  }
}
