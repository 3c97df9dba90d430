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
  readonly #peers: () => readonly ProbedPeer[];
  #seconds = new Map<number, Histogram>();
  readonly #nowUs: () => number;
  readonly #timer: NodeJS.Timeout;
  #stopped = false;

  constructor(peers: () => readonly ProbedPeer[], nowUs: () => number) {
    this.#nowUs = nowUs;
    this.#peers = peers;
    this.#timer = setInterval(() => this.probe(), INTERVAL_MS).unref();
  }

  /** By peer. */
  get seconds(): readonly (readonly [number, Histogram])[] {
    return [...this.#seconds];
  }

  /** Once now, for each peer. */
  probe(): void {
    if (this.#stopped) return;
    const seconds = new Map<number, Histogram>();
    for (const peer of this.#peers()) {
      const histogram = this.#seconds.get(peer.id) ?? new Histogram(ROUND_TRIP_SECONDS);
      seconds.set(peer.id, histogram);
      this.#measure(peer, histogram);
    }
    this.#seconds = seconds;
  }

  stop(): void {
    this.#stopped = true;
    clearInterval(this.#timer);
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
