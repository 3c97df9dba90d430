import { type Alarm, type Platform, Runtime } from '../runtime/runtime.ts';

/** Microtasks that may follow from one alarm; a chain of promises longer than this is none of ours. */
const TURNS = 64;

class VirtualAlarm implements Alarm {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled = false;

  constructor(dueMs: number, order: number, callback: () => void) {
    this.dueMs = dueMs;
    this.order = order;
    this.callback = callback;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/** Time that passes only when told to, and chance that repeats: for tests of code that uses policies. */
export class VirtualPlatform implements Platform {
  readonly runtime: Runtime;
  #nowMs = 0;
  #order = 0;
  #seed: number;
  #alarms: VirtualAlarm[] = [];

  constructor(seed = 1) {
    this.#seed = seed >>> 0;
    this.runtime = new Runtime(this);
  }

  now(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): Alarm {
    const alarm = new VirtualAlarm(this.#nowMs + delayMs, this.#order++, callback);
    this.#alarms.push(alarm);
    return alarm;
  }

  /** Uniform in [0, 1), by mixing a counter (Steele and others, SplitMix, 2014, at 32 bits). */
  random(): number {
    this.#seed = (this.#seed + 0x9e3779b9) >>> 0;
    let mixed = this.#seed;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
  }

  /** Alarms that have not rung. */
  get pending(): number {
    this.#alarms = this.#alarms.filter((alarm) => !alarm.cancelled);
    return this.#alarms.length;
  }

  /** Lets time pass: every alarm rings at its time, and what follows from it happens before the next. */
  async advance(forMs: number): Promise<void> {
    const untilMs = this.#nowMs + forMs;
    await this.settle();
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#alarms.splice(this.#alarms.indexOf(next), 1);
      next.callback();
      await this.settle();
    }
    this.#nowMs = untilMs;
  }

  /** As advance, for code without promises: nothing is awaited. */
  advanceSynchronously(forMs: number): void {
    const untilMs = this.#nowMs + forMs;
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#alarms.splice(this.#alarms.indexOf(next), 1);
      next.callback();
    }
    this.#nowMs = untilMs;
  }

  /** Lets happen what can happen without time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
  }

  #next(untilMs: number): VirtualAlarm | null {
    let next: VirtualAlarm | null = null;
    for (const alarm of this.#alarms) {
      if (alarm.cancelled || alarm.dueMs > untilMs) continue;
      if (next === null || alarm.dueMs < next.dueMs || (alarm.dueMs === next.dueMs && alarm.order < next.order)) {
        next = alarm;
      }
    }
    return next;
  }
}
