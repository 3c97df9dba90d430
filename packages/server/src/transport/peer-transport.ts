/** TCP between members: one outgoing connection per peer to send on, its mirror image to receive on. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { assert, MAX_FRAME_BYTES, type Network, PolderError, utf8 } from '@polder/core';
import { Connection } from './connection.ts';
import { newCounters, type PeerTraffic, type TransportCounters } from './counters.ts';
import {
  ANYONE,
  type Hello,
  MAX_CLUSTER_BYTES,
  REFUSAL_CHANNEL,
  type Refusal,
  wrongDirectory,
  wrongMember,
} from './handshake.ts';
import type { LinkDirection, LinkFault } from './link-faults.ts';
import type { TransportLogger } from './logger.ts';
import type { MemberContext } from './member-context.ts';
import { type Address, type ConnectionHandlers, Peer } from './peer.ts';

const MAX_QUEUE_BYTES = 16 * 1024 * 1024;
const MAX_STRANGERS = 64;
/** Members of this cluster that are not known here: too new, or left out. */
const MAX_GUESTS = 32;

export interface PeerAddress extends Address {
  readonly id: number;
  /** Where it may be found as well. */
  readonly others?: readonly Address[];
}

export interface PeerTransportOptions {
  readonly cluster: string;
  readonly member: number;
  readonly directory: number;
  readonly host: string;
  /** 0: any free one, see `port`. */
  readonly port: number;
  /** What this process says of itself besides. */
  readonly about: Pick<MemberContext, 'name' | 'clientHost' | 'clientPort'>;
  /** This process is to be added to a cluster that runs. */
  readonly joins?: boolean;
  readonly peers: readonly PeerAddress[];
  readonly logger: TransportLogger;
  /** Runs in the socket's event; `channel` is 0 unless the sender said otherwise. */
  readonly onFrame: (from: number, directory: number, frame: Uint8Array, channel: number) => void;
  /** The directory by which the cluster knows a member (PITFALLS R26); 0: not known yet. */
  readonly directoryOf?: (member: number) => number;
  /** The link to send on came up or went down. */
  readonly onLink?: (peer: number, up: boolean) => void;
  /** A number in [0, 1): jitter and lossy links. */
  readonly random?: () => number;
  /** Bytes that may wait for a slow peer before frames are dropped. */
  readonly maxQueueBytes?: number;
}

/**
 * A member that is not known here is let in as a **guest**, if it is of the same cluster: it may be newer than what this
 * one has heard of, and lead; or have been left out, and not know. Whether it is believed is the replica's to say.
 */
export class PeerTransport implements Network {
  readonly counters: Readonly<TransportCounters>;
  readonly #counters: TransportCounters;
  readonly #options: PeerTransportOptions;
  readonly #peers = new Map<number, Peer>();
  readonly #random: () => number;
  readonly #server: Server;
  readonly #inbound = new Set<Connection>();
  #strangers = 0;
  #state: 'new' | 'listening' | 'closed' = 'new';

  constructor(options: PeerTransportOptions) {
    assert(utf8(options.cluster).length <= MAX_CLUSTER_BYTES, 'the cluster id is short');
    this.#options = options;
    this.#counters = newCounters();
    this.counters = this.#counters;
    this.#random = options.random ?? Math.random;
    this.setPeers(options.peers);
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  /** The port listened on. */
  get port(): number {
    const address = this.#server.address();
    assert(address !== null && typeof address === 'object', 'the transport listens');
    return address.port;
  }

  /** Listens, then dials every peer for as long as it is open. Throws `PortInUse` or `ListenFailed`. */
  async listen(): Promise<void> {
    assert(this.#state === 'new', 'a transport listens once');
    const { host, port, logger } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
      this.#server.listen({ host, port }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', (error) => logger.warn({ error: error.message }, 'peer listener error'));
        resolve();
      });
    });
    this.#state = 'listening';
    for (const peer of this.#peers.values()) peer.startDialling();
  }

  // ── who the peers are ───────────────────────────────────────────────────────────────────────────────────────

  /** These are the others from now on, at these addresses. */
  setPeers(peers: readonly PeerAddress[]): void {
    const ids = new Set(peers.map(({ id }) => id));
    assert(ids.size === peers.length && !ids.has(this.#options.member), 'peers are distinct other members');
    for (const { id, host, port, others = [] } of peers) {
      const peer = this.#peers.get(id) ?? this.#addPeer(id, true);
      peer.known = true;
      peer.setAddresses([{ host, port }, ...others]);
      if (this.#state === 'listening') peer.startDialling();
    }
    for (const peer of this.#peers.values()) if (!ids.has(peer.id)) this.#forget(peer);
  }

  /** Asks who listens there. Throws `NotReachable`, or why it does not talk to us: the codes of a refusal. */
  ask(address: Address, timeoutMs: number): Promise<Hello> {
    return new Promise((resolve, reject) => {
      const where = `${address.host}:${address.port}`;
      const refuse = (code: string, why: string): void => reject(new PolderError(code, `${where}: ${why}`));
      const socket = connect({ host: address.host, port: address.port });
      const timer = setTimeout(() => socket.destroy(), timeoutMs);
      const connection = new Connection({
        ...this.#connectionOptions(socket, () => null),
        dialled: true,
        to: ANYONE,
        onOpen: (hello) => {
          resolve(hello);
          connection.close();
        },
        onRefused: ({ code, message }) => refuse(code, message),
        onClose: () => {
          clearTimeout(timer);
          refuse('NotReachable', 'no member of this cluster answers there');
        },
      });
    });
  }

  #addPeer(id: number, known: boolean): Peer {
    const { logger, maxQueueBytes = MAX_QUEUE_BYTES, onLink } = this.#options;
    const mayAnswer = ({ member }: Hello): Refusal | null =>
      member === id ? null : wrongMember(`looked for member ${id} and found ${member}: check the peer addresses`);
    const peer = new Peer(
      {
        id,
        logger,
        maxQueueBytes,
        counters: this.#counters,
        random: this.#random,
        converse: (socket, handlers) =>
          new Connection({ ...this.#connectionOptions(socket, mayAnswer), dialled: true, to: id, ...handlers }),
        onLink: (up) => onLink?.(id, up),
      },
      known,
    );
    this.#peers.set(id, peer);
    return peer;
  }

  /** It is no member any more, but may not know that: for as long as it stays connected it can be told. */
  #forget(peer: Peer): void {
    peer.known = false;
    if (peer.incoming !== null) return;
    this.#peers.delete(peer.id);
    peer.close();
  }

  // ── frames and links ────────────────────────────────────────────────────────────────────────────────────────

  /** Drops the frame, counted, when the peer is away or too slow: the protocol above repeats what matters. */
  send(to: number, frame: Uint8Array, channel = 0): void {
    assert(channel >= 0 && channel < REFUSAL_CHANNEL, 'the channel is free to use');
    assert(frame.length < MAX_FRAME_BYTES, 'the frame is within the limit');
    const peer = this.#peers.get(to);
    if (peer === undefined) {
      // Who has left may still be sent something in the turn in which it left.
      this.#counters.droppedDisconnected++;
      return;
    }
    const passed = peer.outbound.pass(frame.length, () => peer.transmit(frame, channel));
    if (!passed) this.#counters.droppedByFault++;
  }

  /** The members that can be sent to and heard now, as far as this side knows; blocked links count as down. */
  reachable(): number[] {
    return [...this.#peers.values()].filter(({ known, reachable }) => known && reachable).map(({ id }) => id);
  }

  /** Of each member, since it became known here. */
  traffic(): PeerTraffic[] {
    return [...this.#peers.values()].filter(({ known }) => known).map(({ traffic }) => traffic);
  }

  /** Breaks or mends one link, really: frames are blocked, delayed or lost from now on. */
  setLink(to: number, direction: LinkDirection, fault: LinkFault): void {
    const peer = this.#peer(to, 'links lead to peers');
    if (direction !== 'out') peer.inbound.set(fault);
    if (direction !== 'in') peer.outbound.set(fault);
    this.#options.logger.info({ peer: to, direction, fault }, 'link fault set');
  }

  /** The faults in force. */
  faults(): { peer: number; direction: 'in' | 'out'; fault: LinkFault }[] {
    const faults: { peer: number; direction: 'in' | 'out'; fault: LinkFault }[] = [];
    for (const { id, inbound, outbound } of this.#peers.values()) {
      if (inbound.fault.type !== 'clear') faults.push({ peer: id, direction: 'in', fault: inbound.fault });
      if (outbound.fault.type !== 'clear') faults.push({ peer: id, direction: 'out', fault: outbound.fault });
    }
    return faults;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const wasListening = this.#state === 'listening';
    this.#state = 'closed';
    for (const peer of this.#peers.values()) peer.close();
    for (const connection of this.#inbound) connection.close();
    if (wasListening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #peer(id: number, why: string): Peer {
    const peer = this.#peers.get(id);
    assert(peer !== undefined, why);
    return peer;
  }

  // ── who comes ───────────────────────────────────────────────────────────────────────────────────────────────

  #onConnection(socket: Socket): void {
    if (this.#state !== 'listening' && this.#state !== 'new') return void socket.destroy();
    if (this.#strangers >= MAX_STRANGERS) {
      this.#counters.tooManyStrangers++;
      socket.on('error', () => {});
      return void socket.destroy();
    }
    this.#strangers++;
    let peer: Peer | null = null;
    const handlers: ConnectionHandlers = {
      onOpen: (hello) => {
        this.#strangers--;
        // It has its answer.
        if (hello.to === ANYONE) return connection.finish();
        peer = this.#admit(hello, connection);
      },
      onClose: (opened) => {
        this.#inbound.delete(connection);
        if (!opened) this.#strangers--;
        if (peer?.incoming !== connection) return;
        peer.incoming = null;
        if (!peer.known) this.#forget(peer);
      },
    };
    const options = this.#connectionOptions(socket, (hello) => this.#refusal(hello));
    const connection: Connection = new Connection({ ...options, dialled: false, to: 0, ...handlers });
    this.#inbound.add(connection);
  }

  #refusal(hello: Hello): Refusal | null {
    const { member } = hello;
    if (member === this.#options.member) {
      return wrongMember(`member ${member} is this one: two processes have the same number`);
    }
    const peer = this.#peers.get(member);
    if (peer === undefined) {
      const guests = [...this.#peers.values()].filter(({ known }) => !known).length;
      return guests < MAX_GUESTS ? null : wrongMember('too many members that are not known come at once');
    }
    // One with a wrong directory is let in, to be told so by the replica, but never in the place of the right one.
    const directory = this.#options.directoryOf?.(member) ?? 0;
    const displaces = directory !== 0 && hello.directory !== directory && peer.incoming?.isOpen === true;
    return displaces ? wrongDirectory(hello, directory) : null;
  }

  #admit({ member, about }: Hello, connection: Connection): Peer {
    const peer = this.#peers.get(member) ?? this.#addPeer(member, false);
    // A restarted peer's new connection arrives before its old one is known to be dead.
    peer.incoming?.close();
    peer.incoming = connection;
    peer.onAnnounced({ host: about.peerHost, port: about.peerPort });
    peer.startDialling();
    return peer;
  }

  #connectionOptions(socket: Socket, refuses: (hello: Hello) => Refusal | null) {
    const { cluster, member, directory, host, about, joins = false, logger } = this.#options;
    const peerPort = this.#state === 'listening' ? this.port : this.#options.port;
    return {
      socket,
      ours: { cluster, member, directory, joins, about: { ...about, peerHost: host, peerPort } },
      expect: { cluster, member, refuses },
      counters: this.#counters,
      logger,
      onFrame: (hello: Hello, channel: number, payload: Uint8Array) => this.#onFrame(hello, channel, payload),
    };
  }

  #onFrame(hello: Hello, channel: number, payload: Uint8Array): void {
    const peer = this.#peers.get(hello.member);
    if (peer === undefined || hello.to === ANYONE) return;
    const passed = peer.inbound.pass(payload.length, () => {
      if (this.#state === 'closed') return;
      this.#counters.framesReceived++;
      peer.bytesReceived += payload.length;
      this.#options.onFrame(hello.member, hello.directory, payload, channel);
    });
    if (!passed) this.#counters.droppedByFault++;
  }
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): PolderError {
  if (cause.code === 'EADDRINUSE') {
    return new PolderError(
      'PortInUse',
      `peer address ${host}:${port} is in use: stop the process that listens there, or choose another port`,
      { cause },
    );
  }
  return new PolderError('ListenFailed', `cannot listen on peer address ${host}:${port}: ${cause.message}`, { cause });
}
