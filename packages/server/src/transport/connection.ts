/**
 * One socket between two members, from either end.
 *
 *   preamble ──► hello ──► open ──► closed
 *      └───────────┴─────────┴────────▲
 */
import type { Socket } from 'node:net';
import { FrameReader, MAX_FRAME_BYTES, type ReadResult } from '@polder/core';
import type { TransportCounters } from './counters.ts';
import {
  decodeHello,
  decodeRefusal,
  type Expectation,
  encodeHello,
  encodeRefusal,
  HELLO_CHANNEL,
  type Hello,
  MAX_HANDSHAKE_FRAME_BYTES,
  PREAMBLE_BYTES,
  preambleVersion,
  REFUSAL_CHANNEL,
  type Refusal,
  refuseHello,
  refuseVersion,
} from './handshake.ts';
import type { TransportLogger } from './logger.ts';

export const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface ConnectionOptions {
  readonly socket: Socket;
  /** The end that dialled speaks first and sends; the other end answers and receives. */
  readonly dialled: boolean;
  readonly ours: Omit<Hello, 'to'>;
  readonly expect: Expectation;
  /** Whom we dialled, or `ANYONE`; 0 when we listen. */
  readonly to: number;
  readonly counters: TransportCounters;
  readonly logger: TransportLogger;
  readonly onOpen: (hello: Hello) => void;
  readonly onFrame: (hello: Hello, channel: number, payload: Uint8Array) => void;
  /** The other side does not talk to us. */
  readonly onRefused?: (refusal: Refusal) => void;
  /** Once, whatever happened; `opened`: the handshake had succeeded. */
  readonly onClose: (opened: boolean) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #reader = new FrameReader(MAX_HANDSHAKE_FRAME_BYTES);
  readonly #preamble = new Uint8Array(PREAMBLE_BYTES);
  #preambleFilled = 0;
  #hello: Hello | null = null;
  #closed = false;
  readonly #timer: NodeJS.Timeout;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    this.#timer = setTimeout(() => this.#cut('handshakeTimeouts', 'no handshake in time'), HANDSHAKE_TIMEOUT_MS);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Uint8Array) => this.#onData(chunk));
    // 'close' follows every error; the reason is logged by whoever dialled.
    socket.on('error', (error) =>
      options.logger.debug({ peer: options.to, error: error.message }, 'peer connection error'),
    );
    socket.on('close', () => this.#onClose());
    if (options.dialled) socket.write(encodeHello({ ...options.ours, to: options.to }));
  }

  get isOpen(): boolean {
    return this.#hello !== null && !this.#closed;
  }

  get queuedBytes(): number {
    return this.#options.socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    const { socket } = this.#options;
    // Frames of one turn leave in one system call.
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(bytes);
  }

  close(): void {
    this.#end();
  }

  /** Closes once what was written has left. */
  finish(): void {
    const { socket } = this.#options;
    socket.end(() => socket.destroy());
  }

  #onData(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#options.counters.bytesReceived += chunk.length;
    let rest = chunk;
    if (this.#preambleFilled < PREAMBLE_BYTES) {
      const take = Math.min(PREAMBLE_BYTES - this.#preambleFilled, chunk.length);
      this.#preamble.set(chunk.subarray(0, take), this.#preambleFilled);
      this.#preambleFilled += take;
      rest = chunk.subarray(take);
      if (this.#preambleFilled < PREAMBLE_BYTES) return;
      const version = preambleVersion(this.#preamble);
      if (version === null) return this.#cut('garbage', 'the first bytes are not of the peer protocol');
      const refusal = refuseVersion(version);
      if (refusal !== null) return this.#refuse(refusal);
    }
    this.#reader.push(rest, (result) => {
      if (!this.#closed) this.#onResult(result);
    });
  }

  #onResult(result: ReadResult): void {
    if (result.type === 'fault') {
      const counter = result.fault === 'empty' ? 'garbage' : result.fault;
      return this.#cut(counter, `a frame is wrong: ${result.fault}`);
    }
    if (this.#hello === null) return this.#onHandshake(result.channel, result.payload);
    const control = result.channel === HELLO_CHANNEL || result.channel === REFUSAL_CHANNEL;
    if (this.#options.dialled || control) return this.#cut('garbage', 'a frame came where none belongs');
    this.#options.onFrame(this.#hello, result.channel, result.payload);
  }

  #onHandshake(channel: number, payload: Uint8Array): void {
    const { dialled, expect, counters, logger, ours, socket, to } = this.#options;
    try {
      if (dialled && channel === REFUSAL_CHANNEL) {
        const refusal = decodeRefusal(payload);
        counters.refusedByPeer++;
        logger.warn({ peer: to, code: refusal.code }, `refused by member ${to}: ${refusal.message}`);
        this.#options.onRefused?.(refusal);
        return this.#end();
      }
      if (channel !== HELLO_CHANNEL) return this.#cut('garbage', 'the first frame is no hello');
      const hello = decodeHello(payload);
      const refusal = refuseHello(hello, expect);
      if (refusal !== null) return this.#refuse(refusal);
      clearTimeout(this.#timer);
      this.#hello = hello;
      this.#reader.maxBytes = MAX_FRAME_BYTES;
      if (!dialled) socket.write(encodeHello({ ...ours, to: hello.member }));
      this.#options.onOpen(hello);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'MalformedBytes')) throw error;
      this.#cut('garbage', error.message);
    }
  }

  /** Tells the other side why, when it is the one that asked. */
  #refuse(refusal: Refusal): void {
    const { counters, logger, dialled, socket } = this.#options;
    counters[refusal.code]++;
    logger.warn({ code: refusal.code, remote: remoteOf(socket) }, `peer refused: ${refusal.message}`);
    this.#closed = true;
    if (dialled) socket.destroy();
    else socket.end(encodeRefusal(refusal), () => socket.destroy());
  }

  #cut(counter: 'garbage' | 'oversize' | 'checksum' | 'handshakeTimeouts', why: string): void {
    const { counters, logger, socket } = this.#options;
    counters[counter]++;
    logger.warn({ counter, remote: remoteOf(socket) }, `peer connection cut: ${why}`);
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#options.socket.destroy();
  }

  #onClose(): void {
    clearTimeout(this.#timer);
    this.#closed = true;
    this.#options.onClose(this.#hello !== null);
  }
}

function remoteOf(socket: Socket): string {
  return `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
}
