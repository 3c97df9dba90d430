import { connect, type Socket } from 'node:net';
import { assert, wrapFrame } from '@polder/core';
import type { Connection } from './connection.ts';
import type { PeerTraffic, TransportCounters } from './counters.ts';
import type { Hello } from './handshake.ts';
import { FaultyLink } from './link-faults.ts';
import type { TransportLogger } from './logger.ts';

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionHandlers {
  readonly onOpen: (hello: Hello) => void;
  readonly onClose: (opened: boolean) => void;
}

export interface PeerOptions {
  readonly id: number;
  readonly counters: TransportCounters;
  readonly logger: TransportLogger;
  readonly random: () => number;
  readonly maxQueueBytes: number;
  /** Shakes hands over a socket that was just dialled. */
  readonly converse: (socket: Socket, handlers: ConnectionHandlers) => Connection;
  readonly onLink: (up: boolean) => void;
}

/** The two directions to and from one other member, and the dialling of the one to send on. */
export class Peer {
  readonly id: number;
  readonly inbound: FaultyLink;
  readonly outbound: FaultyLink;
  /** A member, as far as is known here; else one that came by itself, and is forgotten when it leaves. */
  known: boolean;
  /** We receive on it. */
  incoming: Connection | null = null;
  /** Of frames. */
  bytesReceived = 0;
  #bytesSent = 0;
  #sendFailures = 0;
  readonly #options: PeerOptions;
  /** We send on it. */
  #outgoing: Connection | null = null;
  /** Where it should be found, and where it said that it is: tried in turn, for the handshake tells who answers. */
  #addresses: readonly Address[] = [];
  #announced: Address | null = null;
  #dialled: Address | undefined;
  #dials = false;
  #failures = 0;
  #retry: NodeJS.Timeout | null = null;

  constructor(options: PeerOptions, known: boolean) {
    this.id = options.id;
    this.known = known;
    this.#options = options;
    this.inbound = new FaultyLink(options.random);
    this.outbound = new FaultyLink(options.random);
  }

  /** Both directions work now, as far as this side knows. */
  get reachable(): boolean {
    const blocked = this.inbound.fault.type === 'block' || this.outbound.fault.type === 'block';
    return this.#outgoing?.isOpen === true && this.incoming?.isOpen === true && !blocked;
  }

  get traffic(): PeerTraffic {
    const { id: peer, reachable, bytesReceived } = this;
    return { peer, reachable, bytesReceived, bytesSent: this.#bytesSent, sendFailures: this.#sendFailures };
  }

  /** Another first address than before is dialled at once, unless it is the one in use. */
  setAddresses(addresses: readonly Address[]): void {
    const [before, now] = [this.#addresses[0], addresses[0]];
    this.#addresses = addresses;
    if (isSame(before, now) || (this.#outgoing !== null && isSame(this.#dialled, now))) return;
    this.#failures = 0;
    if (this.#outgoing !== null) this.#outgoing.close();
    else if (this.#dials) this.#dial();
  }

  /** It is connected to us from a process that listens there. */
  onAnnounced(address: Address): void {
    this.#announced = address;
  }

  /** From now on, for as long as it is not closed. */
  startDialling(): void {
    if (this.#dials) return;
    this.#dials = true;
    this.#dial();
  }

  transmit(frame: Uint8Array, channel: number): void {
    const { counters, maxQueueBytes } = this.#options;
    const connection = this.#outgoing;
    if (connection === null || !connection.isOpen) {
      counters.droppedDisconnected++;
      this.#sendFailures++;
      return;
    }
    // The newest is dropped: what is queued is in order and may still be of use.
    if (connection.queuedBytes + frame.length > maxQueueBytes) {
      counters.droppedQueueFull++;
      this.#sendFailures++;
      return;
    }
    const bytes = wrapFrame(channel, frame);
    counters.framesSent++;
    counters.bytesSent += bytes.length;
    this.#bytesSent += bytes.length;
    connection.write(bytes);
  }

  /** What was sent still leaves; nothing is dialled any more. */
  close(): void {
    this.#dials = false;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#outgoing?.isOpen === true) this.#outgoing.finish();
    else this.#outgoing?.close();
    this.inbound.close();
    this.outbound.close();
  }

  #dial(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
    if (!this.#dials) return;
    assert(this.#outgoing === null, 'one outgoing connection per peer');
    const address = this.#nextAddress();
    if (address === undefined) return;
    this.#dialled = address;
    const { counters, logger, converse, onLink, id } = this.#options;
    this.#outgoing = converse(connect({ host: address.host, port: address.port }), {
      onOpen: () => {
        this.#failures = 0;
        counters.connectionsMade++;
        logger.info({ peer: id }, 'peer connected');
        onLink(true);
      },
      onClose: (opened) => this.#onClosed(opened),
    });
  }

  #nextAddress(): Address | undefined {
    const addresses = this.#announced === null ? this.#addresses : [...this.#addresses, this.#announced];
    return addresses[this.#failures % Math.max(1, addresses.length)];
  }

  #onClosed(opened: boolean): void {
    this.#outgoing = null;
    const { counters, logger, onLink, random, id } = this.#options;
    if (opened) {
      counters.connectionsLost++;
      logger.info({ peer: id }, 'peer connection lost');
      onLink(false);
    } else counters.connectionsFailed++;
    if (!this.#dials) return;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    // Half of it is jitter, so that a fleet does not return in step.
    const delayMs = Math.max(BACKOFF_MIN_MS, Math.floor(ceiling * (0.5 + random() / 2)));
    this.#retry = setTimeout(() => this.#dial(), delayMs);
  }
}

function isSame(one: Address | undefined, other: Address | undefined): boolean {
  return one?.host === other?.host && one?.port === other?.port;
}
