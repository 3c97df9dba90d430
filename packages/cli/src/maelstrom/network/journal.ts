import { isClient, type Message } from '../protocol.ts';

export interface MessageCounts {
  readonly sent: number;
  readonly received: number;
}

/** `servers` are messages between nodes and to and from services; `clients` those that a client sends or receives. */
export interface JournalCounts {
  readonly all: MessageCounts;
  readonly clients: MessageCounts;
  readonly servers: MessageCounts;
  readonly lostToPartitions: number;
}

export type JournalEvent = 'send' | 'receive' | 'lose';

/** Counts every message, and hands each event to `record` for whoever keeps a file. */
export class Journal {
  readonly #record: (event: JournalEvent, message: Message) => void;
  readonly #clients = { sent: 0, received: 0 };
  readonly #servers = { sent: 0, received: 0 };
  #lost = 0;

  constructor(record: (event: JournalEvent, message: Message) => void = () => undefined) {
    this.#record = record;
  }

  sent(message: Message): void {
    this.#sideOf(message).sent++;
    this.#record('send', message);
  }

  received(message: Message): void {
    this.#sideOf(message).received++;
    this.#record('receive', message);
  }

  lost(message: Message): void {
    this.#lost++;
    this.#record('lose', message);
  }

  counts(): JournalCounts {
    const [clients, servers] = [{ ...this.#clients }, { ...this.#servers }];
    const all = { sent: clients.sent + servers.sent, received: clients.received + servers.received };
    return { all, clients, servers, lostToPartitions: this.#lost };
  }

  #sideOf(message: Message): { sent: number; received: number } {
    return involvesClient(message) ? this.#clients : this.#servers;
  }
}

export function involvesClient(message: Message): boolean {
  return isClient(message.src) || isClient(message.dest);
}
