import { connect } from 'node:net';
import { Histogram, ROUND_TRIP_SECONDS } from './histogram.ts';

/** etcd's prober asks as often. */
const INTERVAL_MS = 4_000;
const TIMEOUT_MS = 3_000;

export interface ProbedPeer {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/**
 * Round trips to peers, measured by making a TCP connection and dropping it: the network's time and the other kernel's,
 * not the other process's. A peer that does not answer gives no sample.
 */
export class PeerProbe {
  readonly #peers: ReadonlyMap<number, { readonly peer: ProbedPeer; readonly seconds: Histogram }>;
  readonly #nowUs: () => number;
  readonly #timer: NodeJS.Timeout | null;
  #stopped = false;

  constructor(peers: readonly ProbedPeer[], nowUs: () => number) {
    this.#nowUs = nowUs;
    this.#peers = new Map(peers.map((peer) => [peer.id, { peer, seconds: new Histogram(ROUND_TRIP_SECONDS) }]));
    this.#timer = peers.length === 0 ? null : setInterval(() => this.probe(), INTERVAL_MS).unref();
  }

  /** By peer, in the order in which they were given. */
  get seconds(): readonly (readonly [number, Histogram])[] {
    return [...this.#peers].map(([id, { seconds }]) => [id, seconds] as const);
  }

  /** Once now, for each peer. */
  probe(): void {
    if (this.#stopped) return;
    for (const { peer, seconds } of this.#peers.values()) this.#measure(peer, seconds);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #measure({ host, port }: ProbedPeer, seconds: Histogram): void {
    const startUs = this.#nowUs();
    const socket = connect({ host, port });
    socket.unref();
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.once('connect', () => {
      seconds.observe((this.#nowUs() - startUs) / 1e6);
      socket.destroy();
    });
  }
}
