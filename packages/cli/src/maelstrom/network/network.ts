import type { Message } from '../protocol.ts';
import { involvesClient, type Journal } from './journal.ts';
import type { Partition } from './partitions.ts';

export interface NetworkOptions {
  readonly journal: Journal;
  /** The delay of one message between servers, in milliseconds. */
  readonly latencyMs: () => number;
  /** Runs the action after the delay; a delay of 0 may run it at once. */
  readonly after: (delayMs: number, action: () => void) => void;
}

/**
 * Carries messages between nodes, clients and services. Clients have no latency, as if each sat beside its node: latency
 * there would hide anomalies. A partition loses messages when they would arrive, as Maelstrom's does.
 */
export class Network {
  readonly #options: NetworkOptions;
  readonly #receivers = new Map<string, (message: Message) => void>();
  #partition: Partition | null = null;
  #closed = false;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  attach(id: string, receive: (message: Message) => void): void {
    this.#receivers.set(id, receive);
  }

  detach(id: string): void {
    this.#receivers.delete(id);
  }

  has(id: string): boolean {
    return this.#receivers.has(id);
  }

  split(partition: Partition): void {
    this.#partition = partition;
  }

  heal(): void {
    this.#partition = null;
  }

  /** Nothing is delivered any more. */
  close(): void {
    this.#closed = true;
  }

  send(message: Message): void {
    if (this.#closed) return;
    this.#options.journal.sent(message);
    const delayMs = involvesClient(message) ? 0 : this.#options.latencyMs();
    if (delayMs <= 0) this.#deliver(message);
    else this.#options.after(delayMs, () => this.#deliver(message));
  }

  #deliver(message: Message): void {
    if (this.#closed) return;
    if (this.#partition?.blocks(message.src, message.dest) === true) {
      this.#options.journal.lost(message);
      return;
    }
    // A client that gave up is gone; its late answer ends here.
    const receive = this.#receivers.get(message.dest);
    if (receive === undefined) return;
    this.#options.journal.received(message);
    receive(message);
  }
}
