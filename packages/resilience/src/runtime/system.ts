import { type Alarm, type Platform, Runtime } from './runtime.ts';

/** The only file that touches the real clock, real timers and real chance. */
const platform: Platform = {
  now: () => performance.now(),
  random: () => Math.random(),
  schedule: (delayMs, callback) => new SystemAlarm(delayMs, callback),
};

class SystemAlarm implements Alarm {
  readonly #timer: unknown;

  constructor(delayMs: number, callback: () => void) {
    this.#timer = setTimeout(callback, delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timer as Parameters<typeof clearTimeout>[0]);
  }

  keepAlive(keep: boolean): void {
    const timer = this.#timer as { ref?: () => void; unref?: () => void };
    if (keep) timer.ref?.();
    else timer.unref?.();
  }
}

export const systemRuntime: Runtime = /* @__PURE__ */ new Runtime(platform);
