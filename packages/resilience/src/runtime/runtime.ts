/** A timer that was asked for. */
export interface Alarm {
  cancel(): void;
  /** Whether the process stays alive for it; platforms without that notion leave it out. */
  keepAlive?(keep: boolean): void;
}

/** Time and chance, injected. Give your own for tests and simulations; times only have to be consistent with each other. */
export interface Platform {
  /** Milliseconds from any start, never going back: wall clocks jump, so do not give one. */
  now(): number;
  /** Calls back once, not before `delayMs` have passed. */
  schedule(delayMs: number, callback: () => void): Alarm;
  /** Uniform in [0, 1). */
  random(): number;
}

/** A platform as policies use it. Those that share a pipeline share a runtime. */
export class Runtime {
  readonly platform: Platform;

  constructor(platform: Platform) {
    this.platform = platform;
  }

  now(): number {
    return this.platform.now();
  }

  /** Bound, to be handed on. */
  readonly random = (): number => this.platform.random();
}
