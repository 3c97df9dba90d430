/**
 * The least HTTP/2 that a gRPC client needs, so that the loader costs little beside what it loads: requests of one turn
 * leave in one write, headers are in HPACK's dynamic table after their first use, as those of grpc-go are.
 */
import { connect, type Socket } from 'node:net';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const FRAME_HEADER_BYTES = 9;
const GRPC_HEADER_BYTES = 5;
const MAX_FRAME_BYTES = 16_384;
const WINDOW_BYTES = 2 ** 30;
const FIRST_DYNAMIC_INDEX = 62;
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;

/** `bytes`: of the answer's message; null: the call failed. */
export type Done = (bytes: number | null) => void;

interface Call {
  readonly done: Done;
  bytes: number;
}

export class Http2Connection {
  readonly #socket: Socket;
  readonly #authority: string;
  readonly #calls = new Map<number, Call>();
  readonly #onClosed: (error: Error) => void;
  #nextStream = 1;
  /** HPACK's dynamic table: each field's place in the order of insertion. */
  readonly #inserted = new Map<string, number>();
  readonly #blocks = new Map<string, Buffer>();
  #sendWindow = 65_535;
  #blocked: (() => void)[] = [];
  #received = 0;
  #rest: Buffer = Buffer.alloc(0);
  #out: Buffer = Buffer.allocUnsafe(64 * 1024);
  #outLength = 0;
  #receiving = false;
  #flushing = false;
  #closed = false;

  private constructor(socket: Socket, authority: string, onClosed: (error: Error) => void) {
    this.#socket = socket;
    this.#authority = authority;
    this.#onClosed = onClosed;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#close(error));
    socket.on('close', () => this.#close(new Error('the connection was closed')));
    const window = Buffer.alloc(4);
    window.writeUInt32BE(WINDOW_BYTES);
    const initialWindow = Buffer.concat([Buffer.from([0, 4]), window]);
    this.#append(Buffer.from(PREFACE));
    this.#frame(SETTINGS, 0, 0, initialWindow);
    this.#frame(WINDOW_UPDATE, 0, 0, window);
    this.#flush();
  }

  /** `onClosed` is told once; calls under way have failed by then. */
  static connect(host: string, port: number, onClosed: (error: Error) => void): Promise<Http2Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Http2Connection(socket, `${host}:${port}`, onClosed));
      });
    });
  }

  call(path: string, message: Uint8Array, done: Done): void {
    if (this.#closed) return done(null);
    const bytes = GRPC_HEADER_BYTES + message.length;
    if (bytes > this.#sendWindow) {
      this.#blocked.push(() => this.call(path, message, done));
      return;
    }
    this.#sendWindow -= bytes;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#calls.set(stream, { done, bytes: 0 });
    this.#frame(HEADERS, END_HEADERS, stream, this.#headers(path));
    this.#sendMessage(stream, message);
    this.#flushLater();
  }

  close(): void {
    this.#socket.destroy();
  }

  #sendMessage(stream: number, message: Uint8Array): void {
    let offset = 0;
    while (offset < message.length || offset === 0) {
      const head = offset === 0 ? GRPC_HEADER_BYTES : 0;
      const take = Math.min(message.length - offset, MAX_FRAME_BYTES - head);
      const last = offset + take === message.length;
      this.#frameHeader(head + take, DATA, last ? END_STREAM : 0, stream);
      if (head > 0) {
        this.#reserve(head);
        this.#out[this.#outLength] = 0;
        this.#out.writeUInt32BE(message.length, this.#outLength + 1);
        this.#outLength += head;
      }
      this.#append(message.subarray(offset, offset + take));
      offset += take;
      if (last) return;
    }
  }

  // ── HPACK ─────────────────────────────────────────────────────────────────────────────────────────────────

  #headers(path: string): Buffer {
    const known = this.#blocks.get(path);
    if (known !== undefined) return known;
    const before = this.#inserted.size;
    const parts = [
      Buffer.from([0x83, 0x86]),
      this.#field(4, ':path', path),
      this.#field(1, ':authority', this.#authority),
      this.#field(31, 'content-type', 'application/grpc'),
      this.#field(58, 'user-agent', 'polder-bench/1'),
      this.#field(0, 'te', 'trailers'),
    ];
    const block = Buffer.concat(parts);
    // A block that inserts is used once, and moves the places of what was inserted before.
    if (this.#inserted.size === before) this.#blocks.set(path, block);
    else this.#blocks.clear();
    return block;
  }

  #field(staticName: number, name: string, value: string): Buffer {
    const key = `${name}:${value}`;
    const ordinal = this.#inserted.get(key);
    if (ordinal !== undefined) return Buffer.from([0x80 | (FIRST_DYNAMIC_INDEX + this.#inserted.size - 1 - ordinal)]);
    this.#inserted.set(key, this.#inserted.size);
    const named =
      staticName > 0 ? Buffer.from([0x40 | staticName]) : Buffer.from([0x40, name.length, ...Buffer.from(name)]);
    return Buffer.concat([named, Buffer.from([value.length]), Buffer.from(value)]);
  }

  // ── writing ───────────────────────────────────────────────────────────────────────────────────────────────

  #frame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#frameHeader(payload.length, type, flags, stream);
    this.#append(payload);
  }

  #frameHeader(length: number, type: number, flags: number, stream: number): void {
    this.#reserve(FRAME_HEADER_BYTES);
    const at = this.#outLength;
    this.#out.writeUIntBE(length, at, 3);
    this.#out[at + 3] = type;
    this.#out[at + 4] = flags;
    this.#out.writeUInt32BE(stream, at + 5);
    this.#outLength += FRAME_HEADER_BYTES;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#out.set(bytes, this.#outLength);
    this.#outLength += bytes.length;
  }

  #reserve(more: number): void {
    if (this.#outLength + more <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#outLength + more));
    this.#out.copy(larger, 0, 0, this.#outLength);
    this.#out = larger;
  }

  /** While answers are read, what they give rise to gathers; else a turn's calls do. */
  #flushLater(): void {
    if (this.#receiving || this.#flushing) return;
    this.#flushing = true;
    process.nextTick(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#outLength === 0 || this.#closed) return;
    // The socket may hold on to the memory: what follows is written into another.
    const full = this.#out.subarray(0, this.#outLength);
    this.#out = Buffer.allocUnsafe(Math.max(4 * 1024, this.#outLength));
    this.#outLength = 0;
    this.#socket.write(full);
  }

  // ── reading ───────────────────────────────────────────────────────────────────────────────────────────────

  #onData(chunk: Buffer): void {
    this.#receiving = true;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = bytes.readUIntBE(at, 3);
      const end = at + FRAME_HEADER_BYTES + length;
      if (bytes.length < end) break;
      const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff;
      this.#onFrame(bytes[at + 3] as number, bytes[at + 4] as number, stream, bytes, at + FRAME_HEADER_BYTES, length);
      at = end;
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
    this.#receiving = false;
    this.#flush();
  }

  #onFrame(type: number, flags: number, stream: number, bytes: Buffer, at: number, length: number): void {
    switch (type) {
      case DATA: {
        const call = this.#calls.get(stream);
        if (call !== undefined) call.bytes += length;
        this.#onReceived(length);
        if ((flags & END_STREAM) !== 0) this.#finish(stream);
        return;
      }
      case HEADERS:
        if ((flags & END_STREAM) !== 0) this.#finish(stream);
        return;
      case RST_STREAM:
        return this.#finish(stream);
      case SETTINGS:
        if ((flags & ACK) === 0) this.#frame(SETTINGS, ACK, 0, new Uint8Array(0));
        return;
      case PING:
        if ((flags & ACK) === 0) this.#frame(PING, ACK, 0, bytes.subarray(at, at + length));
        return;
      case WINDOW_UPDATE:
        if (stream === 0) this.#onWindow(bytes.readUInt32BE(at));
        return;
      case GOAWAY:
        this.#socket.destroy();
        return;
      default:
        return;
    }
  }

  #onReceived(length: number): void {
    this.#received += length;
    if (this.#received < WINDOW_BYTES / 2) return;
    const window = Buffer.alloc(4);
    window.writeUInt32BE(this.#received);
    this.#received = 0;
    this.#frame(WINDOW_UPDATE, 0, 0, window);
  }

  #onWindow(bytes: number): void {
    this.#sendWindow += bytes;
    const blocked = this.#blocked;
    this.#blocked = [];
    for (const again of blocked) again();
  }

  /** A unary call that fails has an answer of headers alone, so a message says that it went well. */
  #finish(stream: number): void {
    const call = this.#calls.get(stream);
    if (call === undefined) return;
    this.#calls.delete(stream);
    call.done(call.bytes < GRPC_HEADER_BYTES ? null : call.bytes - GRPC_HEADER_BYTES);
  }

  #close(error: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    for (const { done } of this.#calls.values()) done(null);
    this.#calls.clear();
    this.#onClosed(error);
  }
}
