import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { PolderError } from '@polder/core';
import { etcdMethods } from '../etcd/index.ts';
import type { ChangesMembership, Store } from '../etcd/store.ts';
import { type GrpcMethods, serveGrpcCall } from '../grpc/index.ts';
import { reflectionMethods } from '../grpc/reflection.ts';
import { GrpcMetrics, type MetricSource, writeStoreMetrics } from '../observability/index.ts';
import type { RegistersClient } from '../registers/index.ts';
import type { StorageUsage } from '../storage/index.ts';
import type { Faults } from './faults.ts';
import { serveHttp } from './routes.ts';

const PREFACE = 'PRI * HTTP/2.0';
const MAX_CONNECTIONS = 4096;
const MAX_STREAMS_PER_CONNECTION = 1024;
const SNIFF_TIMEOUT_MS = 10_000;
const CLOSE_GRACE_MS = 1000;
const SWEEP_MS = 20;

export interface ClientListenerOptions {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly store: Store;
  /** null: who the members are does not change. */
  readonly membership?: ChangesMembership | null;
  /** null: the member is not breakable, and refuses /polder/links. */
  readonly faults: Faults | null;
  /** null: it has none, and says so. */
  readonly registers?: RegistersClient | null;
  /** Of the store's files; null: it is in memory. */
  readonly usage?: () => StorageUsage | null;
  /** What else `/metrics` shows. */
  readonly metrics?: readonly MetricSource[];
  /** An error that no client can have caused: log it. */
  readonly onBug: (error: unknown) => void;
}

export interface ClientListener {
  readonly port: number;
  /** Lets calls under way end for a second, then cuts. */
  close(): Promise<void>;
}

/** Serves etcd's gRPC API and plain HTTP on one port. Throws a PolderError: PortInUse or CannotListen. */
export async function startClientListener(options: ClientListenerOptions): Promise<ClientListener> {
  const { membership = null, registers = null } = options;
  const methods: GrpcMethods = new Map([...etcdMethods(options.store, membership), ...reflectionMethods()]);
  const grpc = new GrpcMetrics(methods);
  const metrics: MetricSource[] = [
    (out) => writeStoreMetrics(options.store, options.usage?.() ?? null, out),
    (out) => grpc.write(out),
    ...(options.metrics ?? []),
  ];
  const health = { successes: 0, failures: 0 };
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION, initialWindowSize: 1024 * 1024 },
    maxSessionMemory: 64,
  });
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  http2.on('sessionError', () => undefined);
  http2.on('stream', (stream, headers) => serveGrpcCall(stream, headers, methods, grpc, options.onBug));
  const http = createHttpServer((request, response) => {
    void serveHttp(request, response, { ...options, membership, registers, metrics, health });
  });
  // It never listens itself; told that it does, it enforces its time limits on slow and idle clients.
  http.emit('listening');
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    sniff(socket, (isHttp2) => (isHttp2 ? http2 : http).emit('connection', socket));
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, options.host, options.port);
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= closeAll(server, sessions, sockets, http);
    return closing;
  };
  return { port: (server.address() as AddressInfo).port, close };
}

/** Looks at the first bytes of a connection, puts them back, and hands it over. */
function sniff(socket: Socket, handOver: (isHttp2: boolean) => void): void {
  let seen: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), SNIFF_TIMEOUT_MS);
  const forget = (): void => clearTimeout(timer);
  socket.once('close', forget);
  const onData = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const isHttp2 = seen.toString('latin1', 0, length) === PREFACE.slice(0, length);
    if (isHttp2 && length < PREFACE.length) return;
    forget();
    socket.off('close', forget);
    socket.off('data', onData);
    socket.pause();
    socket.unshift(seen);
    handOver(isHttp2);
    if (!isHttp2) process.nextTick(() => socket.resume());
  };
  socket.on('data', onData);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const where = `${host}:${port}`;
      const error =
        cause.code === 'EADDRINUSE'
          ? new PolderError('PortInUse', `${where} is in use: stop what listens there or choose another port`, {
              cause,
            })
          : new PolderError('CannotListen', `cannot listen on ${where}: ${cause.message}`, { cause });
      reject(error);
    });
    server.listen(port, host, () => resolve());
  });
}

async function closeAll(
  server: Server,
  sessions: ReadonlySet<ServerHttp2Session>,
  sockets: ReadonlySet<Socket>,
  http: HttpServer,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.close();
  http.close();
  // A connection whose last answer was under way is idle a moment later, and kept alive by its client.
  const sweep = setInterval(() => http.closeIdleConnections(), SWEEP_MS);
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, CLOSE_GRACE_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
