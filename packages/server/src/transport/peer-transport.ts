/** TCP between members: one outgoing connection per peer to send on, its mirror image to receive on. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { assert, MAX_FRAME_BYTES, type Network, PolderError, utf8, wrapFrame } from '@polder/core';
import { Connection } from './connection.ts';
import { newCounters, type PeerTraffic, type TransportCounters } from './counters.ts';
import { type Hello, MAX_CLUSTER_BYTES, REFUSAL_CHANNEL } from './handshake.ts';
import { FaultyLink, type LinkDirection, type LinkFault } from './link-faults.ts';
import type { TransportLogger } from './logger.ts';

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 1_000;
const MAX_QUEUE_BYTES = 16 * 1024 * 1024;
const MAX_STRANGERS = 64;

export interface PeerAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface PeerTransportOptions {
  readonly cluster: string;
  readonly member: number;
  readonly directory: number;
  readonly host: string;
  /** 0: any free one, see `port`. */
  readonly port: number;
  readonly peers: readonly PeerAddress[];
  readonly logger: TransportLogger;
  /** Runs in the socket's event; `channel` is 0 unless the sender said otherwise. */
  readonly onFrame: (from: number, directory: number, frame: Uint8Array, channel: number) => void;
  /** The directory by which the cluster knows a member (PITFALLS R26); undefined: not known yet. */
  readonly expectedDirectory?: (member: number) => number | undefined;
  /** The link to send on came up or went down. */
  readonly onLink?: (peer: number, up: boolean) => void;
  /** A number in [0, 1): jitter and lossy links. */
  readonly random?: () => number;
  /** Bytes that may wait for a slow peer before frames are dropped. */
  readonly maxQueueBytes?: number;
}

interface Peer {
  readonly id: number;
  host: string;
  port: number;
  readonly inbound: FaultyLink;
  readonly outbound: FaultyLink;
  /** We send on it. */
  outgoing: Connection | null;
  /** We receive on it. */
  incoming: Connection | null;
  failures: number;
  bytesSent: number;
  bytesReceived: number;
  sendFailures: number;
  retry: NodeJS.Timeout | null;
}

export class PeerTransport implements Network {
  readonly counters: Readonly<TransportCounters>;
  readonly #counters: TransportCounters;
  readonly #options: PeerTransportOptions;
  readonly #peers = new Map<number, Peer>();
  readonly #peerIds: ReadonlySet<number>;
  readonly #random: () => number;
  readonly #maxQueueBytes: number;
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
    this.#maxQueueBytes = options.maxQueueBytes ?? MAX_QUEUE_BYTES;
    for (const { id, host, port } of options.peers) {
      assert(id !== options.member && !this.#peers.has(id), 'peers are distinct other members');
      const inbound = new FaultyLink(this.#random);
      const outbound = new FaultyLink(this.#random);
      this.#peers.set(id, {
        id,
        host,
        port,
        inbound,
        outbound,
        outgoing: null,
        incoming: null,
        failures: 0,
        bytesSent: 0,
        bytesReceived: 0,
        sendFailures: 0,
        retry: null,
      });
    }
    this.#peerIds = new Set(this.#peers.keys());
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
    for (const peer of this.#peers.values()) this.#dial(peer);
  }

  /** Drops the frame, counted, when the peer is away or too slow: the protocol above repeats what matters. */
  send(to: number, frame: Uint8Array, channel = 0): void {
    assert(channel >= 0 && channel < REFUSAL_CHANNEL, 'the channel is free to use');
    assert(frame.length < MAX_FRAME_BYTES, 'the frame is within the limit');
    const peer = this.#peer(to, 'frames go to peers');
    const passed = peer.outbound.pass(frame.length, () => this.#transmit(peer, frame, channel));
    if (!passed) this.#counters.droppedByFault++;
  }

  /** The peers that can be sent to and heard now, as far as this side knows; blocked links count as down. */
  reachable(): number[] {
    const ids: number[] = [];
    for (const peer of this.#peers.values()) {
      const blocked = peer.inbound.fault.type === 'block' || peer.outbound.fault.type === 'block';
      if (peer.outgoing?.isOpen === true && peer.incoming?.isOpen === true && !blocked) ids.push(peer.id);
    }
    return ids;
  }

  /** By peer, since the start. */
  traffic(): PeerTraffic[] {
    const reachable = new Set(this.reachable());
    return [...this.#peers.values()].map(({ id, bytesSent, bytesReceived, sendFailures }) => ({
      peer: id,
      reachable: reachable.has(id),
      bytesSent,
      bytesReceived,
      sendFailures,
    }));
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

  /** A peer has moved: dial it there. */
  setPeerAddress(id: number, host: string, port: number): void {
    const peer = this.#peer(id, 'only peers have addresses');
    peer.host = host;
    peer.port = port;
    peer.failures = 0;
    if (peer.outgoing !== null) peer.outgoing.close();
    else if (this.#state === 'listening') this.#dial(peer);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    const wasListening = this.#state === 'listening';
    this.#state = 'closed';
    for (const peer of this.#peers.values()) {
      if (peer.retry !== null) clearTimeout(peer.retry);
      peer.outgoing?.close();
      peer.inbound.close();
      peer.outbound.close();
    }
    for (const connection of this.#inbound) connection.close();
    if (wasListening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #peer(id: number, why: string): Peer {
    const peer = this.#peers.get(id);
    assert(peer !== undefined, why);
    return peer;
  }

  #transmit(peer: Peer, frame: Uint8Array, channel: number): void {
    const connection = peer.outgoing;
    if (connection === null || !connection.isOpen) {
      this.#counters.droppedDisconnected++;
      peer.sendFailures++;
      return;
    }
    // The newest is dropped: what is queued is in order and may still be of use.
    if (connection.queuedBytes + frame.length > this.#maxQueueBytes) {
      this.#counters.droppedQueueFull++;
      peer.sendFailures++;
      return;
    }
    const bytes = wrapFrame(channel, frame);
    this.#counters.framesSent++;
    this.#counters.bytesSent += bytes.length;
    peer.bytesSent += bytes.length;
    connection.write(bytes);
  }

  #dial(peer: Peer): void {
    if (peer.retry !== null) clearTimeout(peer.retry);
    peer.retry = null;
    if (this.#state !== 'listening') return;
    assert(peer.outgoing === null, 'one outgoing connection per peer');
    const socket = connect({ host: peer.host, port: peer.port });
    peer.outgoing = this.#connection(socket, peer.id, new Set([peer.id]), {
      onOpen: () => {
        peer.failures = 0;
        this.#counters.connectionsMade++;
        this.#options.logger.info({ peer: peer.id }, 'peer connected');
        this.#options.onLink?.(peer.id, true);
      },
      onClose: (opened) => this.#onOutgoingClosed(peer, opened),
    });
  }

  #onOutgoingClosed(peer: Peer, opened: boolean): void {
    peer.outgoing = null;
    if (opened) {
      this.#counters.connectionsLost++;
      this.#options.logger.info({ peer: peer.id }, 'peer connection lost');
      this.#options.onLink?.(peer.id, false);
    } else this.#counters.connectionsFailed++;
    if (this.#state !== 'listening') return;
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(peer.failures, 10));
    peer.failures++;
    // Half of it is jitter, so that a fleet does not return in step.
    const delayMs = Math.max(BACKOFF_MIN_MS, Math.floor(ceiling * (0.5 + this.#random() / 2)));
    peer.retry = setTimeout(() => this.#dial(peer), delayMs);
  }

  #onConnection(socket: Socket): void {
    if (this.#state !== 'listening' && this.#state !== 'new') return void socket.destroy();
    if (this.#strangers >= MAX_STRANGERS) {
      this.#counters.tooManyStrangers++;
      socket.on('error', () => {});
      return void socket.destroy();
    }
    this.#strangers++;
    let member = 0;
    const connection: Connection = this.#connection(socket, 0, this.#peerIds, {
      onOpen: (hello) => {
        this.#strangers--;
        member = hello.member;
        const peer = this.#peer(member, 'the handshake admits only peers');
        // A restarted peer's new connection arrives before its old one is known to be dead.
        peer.incoming?.close();
        peer.incoming = connection;
      },
      onClose: (opened) => {
        this.#inbound.delete(connection);
        if (!opened) this.#strangers--;
        const peer = this.#peers.get(member);
        if (peer !== undefined && peer.incoming === connection) peer.incoming = null;
      },
    });
    this.#inbound.add(connection);
  }

  #connection(
    socket: Socket,
    to: number,
    peers: ReadonlySet<number>,
    handlers: { onOpen: (hello: Hello) => void; onClose: (opened: boolean) => void },
  ): Connection {
    const { cluster, member, directory, logger, expectedDirectory } = this.#options;
    return new Connection({
      socket,
      dialled: to !== 0,
      to,
      ours: { cluster, member, directory },
      expect: { cluster, member, peers, expectedDirectory: expectedDirectory ?? (() => undefined) },
      counters: this.#counters,
      logger,
      onFrame: (hello, channel, payload) => this.#onFrame(hello, channel, payload),
      ...handlers,
    });
  }

  #onFrame(hello: Hello, channel: number, payload: Uint8Array): void {
    const peer = this.#peer(hello.member, 'the handshake admits only peers');
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
