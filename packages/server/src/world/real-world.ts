/** The world as it is: monotonic time, TCP, files. Events only queue; one turn then handles everything that came. */
import { randomInt } from 'node:crypto';
import {
  assert,
  type Clock,
  type Disk,
  type DiskResult,
  draw,
  type Network,
  type Random,
  scaled,
  type World,
} from '@polder/core';

/** What a timer of Node can hold. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** A driver, as the world sees it: the first three only queue. */
export interface EventSink {
  onFrame(from: number, frame: Uint8Array, directory: number): void;
  onDisk(token: number, result: DiskResult): void;
  onWake(): void;
  onUnreachable(peer: number): void;
  /** Handles everything queued as one batch. */
  turn(): void;
}

export class RealClock implements Clock {
  readonly #wake: () => void;
  #wantedUs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #timerUs = Number.POSITIVE_INFINITY;

  constructor(wake: () => void) {
    this.#wake = wake;
  }

  monotonicUs(): number {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1_000_000 + Math.floor(nanoseconds / 1_000);
  }

  wallMs(): number {
    return Date.now();
  }

  wakeAt(monotonicUs: number): void {
    this.#wantedUs = monotonicUs;
    if (monotonicUs === Number.POSITIVE_INFINITY) return this.#cancel();
    // An earlier timer is left to run and looks again then: a deadline that only moves away costs no timer.
    if (this.#timer !== null && this.#timerUs <= monotonicUs) return;
    this.#cancel();
    this.#arm();
  }

  #arm(): void {
    const delayMs = Math.ceil((this.#wantedUs - this.monotonicUs()) / 1_000);
    this.#timerUs = this.#wantedUs;
    this.#timer = setTimeout(() => this.#onTimer(), Math.min(Math.max(delayMs, 0), MAX_TIMEOUT_MS));
  }

  #cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #onTimer(): void {
    this.#timer = null;
    if (this.monotonicUs() < this.#wantedUs) return this.#arm();
    this.#wantedUs = Number.POSITIVE_INFINITY;
    this.#wake();
  }
}

/** Seeded from the system; counter-based like the simulator's, so that concerns do not disturb one another. */
export class RealRandom implements Random {
  readonly #seed: number;
  readonly #drawn = new Map<number, number>();

  constructor(seed: number = randomInt(2 ** 32)) {
    this.#seed = seed;
  }

  below(concern: number, bound: number): number {
    assert(bound > 0, 'a draw has a bound');
    const n = this.#drawn.get(concern) ?? 0;
    this.#drawn.set(concern, n + 1);
    return scaled(draw(this.#seed, concern, 0, n), bound);
  }
}

export interface RealWorldOptions {
  readonly network: Network;
  readonly disk: Disk & { onComplete(deliver: (token: number, result: DiskResult) => void): void };
  readonly random?: Random;
  /** A turn threw: a bug. The world has stopped, and the member must. */
  readonly onFailure: (error: unknown) => void;
}

export class RealWorld implements World {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly random: Random;
  readonly #onFailure: (error: unknown) => void;
  #sink: EventSink | null = null;
  #scheduled = false;
  #stopped = false;

  constructor(options: RealWorldOptions) {
    this.network = options.network;
    this.disk = options.disk;
    this.random = options.random ?? new RealRandom();
    this.#onFailure = options.onFailure;
    this.clock = new RealClock(() => this.run((sink) => sink.onWake()));
    options.disk.onComplete((token, result) => this.run((sink) => sink.onDisk(token, result)));
  }

  /** The driver needs the world to be made, so it comes second. */
  attach(sink: EventSink): void {
    assert(this.#sink === null, 'a world has one driver');
    this.#sink = sink;
  }

  /** For `PeerTransport`'s `onFrame`. Frames that come before the driver are lost, as on any network. */
  onFrame(from: number, directory: number, frame: Uint8Array): void {
    if (this.#sink !== null) this.run((sink) => sink.onFrame(from, frame, directory));
  }

  /** For `PeerTransport`'s `onLink`: the connection to a peer broke. */
  onUnreachable(peer: number): void {
    if (this.#sink !== null) this.run((sink) => sink.onUnreachable(peer));
  }

  /** Queues something at the driver (a client's proposal, the start) and sees to a turn soon. Does nothing once stopped. */
  run(queue: (sink: EventSink) => void): void {
    if (this.#stopped) return;
    assert(this.#sink !== null, 'a driver is attached');
    try {
      queue(this.#sink);
    } catch (error) {
      return this.#fail(error);
    }
    this.schedule();
  }

  /** A turn soon, one for all events that come until then. */
  schedule(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  /** No event reaches the driver any more. */
  stop(): void {
    this.#stopped = true;
    this.clock.wakeAt(Number.POSITIVE_INFINITY);
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    assert(this.#sink !== null, 'a driver is attached');
    try {
      this.#sink.turn();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.stop();
    this.#onFailure(error);
  }
}
