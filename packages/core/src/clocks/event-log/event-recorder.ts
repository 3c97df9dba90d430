import { PolderError } from '../../base/error.ts';
import { isMemberId } from '../member-id.ts';
import { VectorClock } from '../vector-clock.ts';
import type { EventKind, LoggedEvent } from './event.ts';

export interface EventRecorderOptions {
  /**
   * The name under which this process counts its events, without white space. A restarted process has forgotten its
   * count and needs a new name, such as `orders#2`.
   */
  readonly process: string;
  /** Gets each event before anything else can happen: what is not written down must not be heard of either. */
  readonly sink: (event: LoggedEvent) => void;
}

export interface EventDetails {
  /** What the event touched: concurrent events on one key are races. */
  readonly key?: string;
}

/** One process's side of an event log: it keeps the process's vector clock and records what the process does. */
export class EventRecorder {
  readonly process: string;
  readonly #sink: (event: LoggedEvent) => void;
  #clock: VectorClock = VectorClock.empty;

  /** Throws `InvalidProcessName`. */
  constructor(options: EventRecorderOptions) {
    checkProcessName(options.process);
    this.process = options.process;
    this.#sink = options.sink;
  }

  /** Of its last event. */
  get clock(): VectorClock {
    return this.#clock;
  }

  local(text: string, details: EventDetails = {}): LoggedEvent {
    return this.#record('local', this.#clock, text, details);
  }

  /** The clock of the event that this gives back is what the message carries: `injectClock` it. */
  send(text: string, details: EventDetails = {}): LoggedEvent {
    return this.#record('send', this.#clock, text, details);
  }

  /**
   * `sent` is what `extractClock` found in the message; null when it carries no clock. Throws `ForgottenPast` when the sender
   * knows events of this process that it has not recorded, and `ClockLimit`; nothing is recorded then.
   */
  receive(sent: VectorClock | null, text: string, details: EventDetails = {}): LoggedEvent {
    if (sent === null) return this.#record('receive', this.#clock, text, details);
    const [claimed, own] = [sent.get(this.process), this.#clock.get(this.process)];
    if (claimed > own) {
      throw new PolderError(
        'ForgottenPast',
        `a message knows event ${claimed} of ${this.process}, which has recorded ${own}: start it under a new name`,
      );
    }
    return this.#record('receive', this.#clock.merge(sent), text, details);
  }

  #record(kind: EventKind, before: VectorClock, text: string, details: EventDetails): LoggedEvent {
    const clock = before.tick(this.process);
    const event: LoggedEvent = { process: this.process, clock, kind, key: details.key ?? null, text };
    this.#sink(event);
    this.#clock = clock;
    return event;
  }
}

/** Log files separate the name from the rest of its line with a space. Throws `InvalidProcessName`. */
export function checkProcessName(process: string): void {
  if (isMemberId(process) && !/\s/.test(process)) return;
  throw new PolderError(
    'InvalidProcessName',
    `${JSON.stringify(process.slice(0, 40))} cannot name a process in a log: use 1 to 255 bytes without white space`,
  );
}
