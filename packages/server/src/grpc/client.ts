import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { connect, constants } from 'node:http2';
import { FrameReader, frameMessage } from './frame.ts';
import { decodeGrpcMessage, formatGrpcTimeout, GrpcCode, GrpcError } from './status.ts';

/** Answers may be larger than requests: a range has no size limit in etcd either. */
const MAX_ANSWER_BYTES = 512 * 1024 * 1024;

export interface CallOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** gRPC metadata, such as a `traceparent`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Unary gRPC calls over one HTTP/2 connection. It does not reconnect: that is its owner's decision. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Throws a GrpcError (unavailable, `neverSent`) when nobody answers within `timeoutMs`. */
  static connect(host: string, port: number, timeoutMs: number): Promise<GrpcClient> {
    return new Promise((resolve, reject) => {
      const authority = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
      const session = connect(authority);
      const refuse = (cause: Error): void => {
        clearTimeout(timer);
        session.destroy();
        const text = `cannot connect to ${host}:${port}: ${cause.message}`;
        reject(new GrpcError(GrpcCode.unavailable, text, { neverSent: true, cause }));
      };
      const timer = setTimeout(() => refuse(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      session.on('error', refuse);
      // Only the peer's settings prove that something speaks HTTP/2 there; a paused process still accepts.
      session.once('remoteSettings', () => {
        clearTimeout(timer);
        session.setMaxListeners(0);
        resolve(new GrpcClient(session));
      });
      session.once('close', () => refuse(new Error('the connection was closed')));
    });
  }

  get closed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** `method` as in `/etcdserverpb.KV/Put`. Throws a GrpcError with the server's code and text. */
  call(method: string, message: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    if (this.closed) {
      const text = 'the connection is closed';
      return Promise.reject(new GrpcError(GrpcCode.unavailable, text, { neverSent: true }));
    }
    if (options.signal?.aborted === true) {
      return Promise.reject(new GrpcError(GrpcCode.cancelled, 'cancelled by the caller', { neverSent: true }));
    }
    return new Promise((resolve, reject) => {
      try {
        this.#start(method, message, options, resolve, reject);
      } catch (cause) {
        // The peer has announced that it goes away: the request was refused before a byte was sent.
        reject(new GrpcError(GrpcCode.unavailable, 'the connection is closing', { neverSent: true, cause }));
      }
    });
  }

  /** Breaks off calls under way: their outcome is unknown. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.destroyed) {
        resolve();
        return;
      }
      this.#session.once('close', () => resolve());
      this.#session.destroy();
    });
  }

  #start(
    method: string,
    message: Uint8Array,
    { timeoutMs, signal, metadata }: CallOptions,
    resolve: (answer: Uint8Array) => void,
    reject: (error: GrpcError) => void,
  ): void {
    const stream = this.#session.request({
      ...metadata,
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': formatGrpcTimeout(timeoutMs),
    });
    const frames = new FrameReader(MAX_ANSWER_BYTES);
    let answer: Uint8Array | null = null;
    let status: IncomingHttpHeaders | null = null;
    const settle = (outcome: Uint8Array | GrpcError): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (outcome instanceof GrpcError) reject(outcome);
      else resolve(outcome);
    };
    // The caller is not made to wait for the stream's end: a peer that is stopped may never take another byte.
    const breakOff = (error: GrpcError): void => {
      settle(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const onAbort = (): void => breakOff(new GrpcError(GrpcCode.cancelled, 'cancelled by the caller'));
    const timer = setTimeout(() => {
      breakOff(new GrpcError(GrpcCode.deadlineExceeded, `no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    stream.on('response', (headers) => {
      if (headers['grpc-status'] !== undefined) status = headers;
      else if (headers[':status'] !== 200) {
        breakOff(new GrpcError(GrpcCode.unavailable, `not a gRPC server: HTTP status ${headers[':status']}`));
      }
    });
    stream.on('trailers', (headers) => {
      status = headers;
    });
    stream.on('data', (chunk: Uint8Array) => {
      try {
        for (const each of frames.push(chunk)) answer = each;
      } catch (cause) {
        // Never the frame reader's own code: those say that a request was refused, and this one was executed.
        breakOff(new GrpcError(GrpcCode.internal, 'the answer is malformed or too large', { cause }));
      }
    });
    stream.on('error', () => undefined);
    stream.once('close', () => settle(outcomeOf(status, answer)));
    stream.end(frameMessage(message));
  }
}

function outcomeOf(status: IncomingHttpHeaders | null, answer: Uint8Array | null): Uint8Array | GrpcError {
  if (status === null) return new GrpcError(GrpcCode.unavailable, 'the connection was lost before an answer came');
  const code = Number(status['grpc-status']);
  const text = decodeGrpcMessage(String(status['grpc-message'] ?? ''));
  if (!Number.isInteger(code)) return new GrpcError(GrpcCode.unknown, 'the answer carries no gRPC status');
  if (code !== GrpcCode.ok) return new GrpcError(code, text);
  return answer ?? new GrpcError(GrpcCode.internal, 'the answer carries no message');
}
