import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { performance } from 'node:perf_hooks';
import { withCallerContext } from '../observability/tracing.ts';
import { FrameReader, frameMessage, MAX_MESSAGE_BYTES } from './frame.ts';
import { encodeGrpcMessage, GrpcCode, GrpcError, parseGrpcTimeout } from './status.ts';

/** The signal fires when the client's deadline has passed or the client has gone. */
export type UnaryHandler = (message: Uint8Array, signal: AbortSignal) => Uint8Array | Promise<Uint8Array>;

/** Called for each message of a stream, in order; what it returns is sent back. */
export type StreamHandler = (message: Uint8Array) => readonly Uint8Array[];

export type GrpcMethod =
  | { readonly type: 'unary'; readonly handle: UnaryHandler }
  | { readonly type: 'stream'; readonly handle: StreamHandler };

/** By path, as in `/etcdserverpb.KV/Range`. */
export type GrpcMethods = ReadonlyMap<string, GrpcMethod>;

/** Hears of each call; `of` gives what belongs to a path. */
export interface GrpcMeter {
  of(path: string): CallMeter;
}

export interface CallMeter {
  started: number;
  onReceived(bytes: number): void;
  onSent(bytes: number): void;
  onEnded(code: number, seconds: number): void;
}

/** Serves one HTTP/2 stream as a gRPC call. Whatever the client sends, the answer is a status, never a crash. */
export function serveGrpcCall(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  methods: GrpcMethods,
  meter: GrpcMeter,
  onBug: (error: unknown) => void,
): void {
  // A client may reset its stream at any moment; 'close' says all that matters here.
  stream.on('error', () => undefined);
  if (headers[':method'] !== 'POST' || !(headers['content-type'] ?? '').startsWith('application/grpc')) {
    stream.respond({ ':status': headers[':method'] === 'POST' ? 415 : 405 }, { endStream: true });
    stream.resume();
    return;
  }
  const path = String(headers[':path']);
  const call = new Call(stream, meter.of(path), onBug);
  const method = methods.get(path);
  if (method === undefined) {
    call.fail(new GrpcError(GrpcCode.unimplemented, `unknown method ${path}`));
    return;
  }
  const timeout = headers['grpc-timeout'];
  if (timeout !== undefined) {
    const timeoutMs = typeof timeout === 'string' ? parseGrpcTimeout(timeout) : null;
    if (timeoutMs === null) {
      call.fail(new GrpcError(GrpcCode.internal, 'grpc: malformed grpc-timeout'));
      return;
    }
    call.setDeadline(timeoutMs);
  }
  if (method.type === 'unary')
    call.runUnary((message, signal) => withCallerContext(headers, () => method.handle(message, signal)));
  else call.runStream(method.handle);
}

class Call {
  readonly #stream: ServerHttp2Stream;
  readonly #meter: CallMeter;
  readonly #onBug: (error: unknown) => void;
  readonly #abort = new AbortController();
  readonly #frames = new FrameReader(MAX_MESSAGE_BYTES);
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #ended = false;

  constructor(stream: ServerHttp2Stream, meter: CallMeter, onBug: (error: unknown) => void) {
    this.#stream = stream;
    this.#meter = meter;
    meter.started++;
    this.#onBug = onBug;
    stream.once('close', () => this.#onClose());
  }

  /** An answered call has nobody left to tell, and making the reason of an abort costs more than the rest of a call. */
  #onClose(): void {
    if (this.#ended) return;
    this.#settle(GrpcCode.cancelled);
    this.#abort.abort();
  }

  setDeadline(timeoutMs: number): void {
    this.#timer = setTimeout(() => {
      this.fail(new GrpcError(GrpcCode.deadlineExceeded, 'context deadline exceeded'));
      this.#abort.abort();
    }, timeoutMs);
  }

  runUnary(handle: UnaryHandler): void {
    let request: Uint8Array | null = null;
    this.#receive(
      (message) => {
        if (request !== null) throw new GrpcError(GrpcCode.internal, 'grpc: a unary call carries one message');
        request = message;
      },
      () => {
        if (request === null) throw new GrpcError(GrpcCode.internal, 'grpc: a unary call carries one message');
        const answer = handle(request, this.#abort.signal);
        if (!(answer instanceof Promise)) return this.#answer(answer);
        answer.then(
          (bytes) => this.#answer(bytes),
          (error: unknown) => this.fail(error),
        );
      },
    );
  }

  runStream(handle: StreamHandler): void {
    this.#respond();
    this.#receive(
      (message) => {
        for (const answer of handle(message)) {
          this.#meter.onSent(answer.length);
          // A client that asks without reading the answers is made to wait instead of filling memory.
          if (!this.#stream.write(frameMessage(answer)) && !this.#stream.isPaused()) {
            this.#stream.pause();
            this.#stream.once('drain', () => this.#stream.resume());
          }
        }
      },
      () => {
        this.#settle(GrpcCode.ok);
        this.#stream.end();
      },
    );
  }

  #receive(onMessage: (message: Uint8Array) => void, onEnd: () => void): void {
    this.#stream.on('data', (chunk: Uint8Array) => {
      if (this.#ended) return;
      try {
        for (const message of this.#frames.push(chunk)) {
          this.#meter.onReceived(message.length);
          onMessage(message);
        }
      } catch (error) {
        this.fail(error);
      }
    });
    this.#stream.on('end', () => {
      if (this.#ended || this.#stream.destroyed) return;
      try {
        this.#frames.end();
        onEnd();
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** Ends the call with a status; later ends of the same call are ignored. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const status =
      error instanceof GrpcError ? error : new GrpcError(GrpcCode.internal, 'internal error', { cause: error });
    this.#settle(status.code);
    if (this.#stream.destroyed) return;
    const trailers = { 'grpc-status': String(status.code), 'grpc-message': encodeGrpcMessage(status.message) };
    if (this.#stream.headersSent) {
      this.#trailers = trailers;
      this.#stream.end();
    } else {
      this.#stream.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true });
    }
    // Whatever else the client is sending is not wanted (gRPC over HTTP/2: RST_STREAM with NO_ERROR).
    if (!this.#stream.readableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    if (!(error instanceof GrpcError)) this.#onBug(error);
  }

  #trailers: Record<string, string> = OK_TRAILERS;

  #respond(): void {
    this.#stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(this.#trailers));
  }

  #answer(message: Uint8Array): void {
    if (this.#ended) return;
    this.#settle(GrpcCode.ok);
    if (this.#stream.destroyed) return;
    this.#meter.onSent(message.length);
    this.#respond();
    this.#stream.end(frameMessage(message));
  }

  #settle(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#meter.onEnded(code, (performance.now() - this.#startedMs) / 1_000);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;
const OK_TRAILERS: Record<string, string> = { 'grpc-status': '0' };
