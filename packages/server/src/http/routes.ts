import type { IncomingMessage, ServerResponse } from 'node:http';
import { PolderError } from '@polder/core';
import type { ChangesMembership, Store } from '../etcd/store.ts';
import { MEMBERSHIP_PATH } from '../membership/forward.ts';
import { parseMembershipCall } from '../membership/request.ts';
import { type Exposition, formatMetrics, type MetricSource } from '../observability/index.ts';
import type { RegistersClient } from '../registers/index.ts';
import { jsonBody, send, sendJson } from './bodies.ts';
import { type Faults, parseLinkRules } from './faults.ts';
import { REGISTERS_PATHS, serveRegisters } from './registers-routes.ts';

const CONFIRM_TIMEOUT_MS = 2000;
const SNAPSHOT_PIECE_BYTES = 256 * 1024;

export interface RouteContext {
  readonly store: Store;
  readonly metrics: readonly MetricSource[];
  /** Of `/health`, since the start. */
  readonly health: { successes: number; failures: number };
  /** null: who the members are does not change. */
  readonly membership: ChangesMembership | null;
  /** null: this member is not breakable. */
  readonly faults: Faults | null;
  /** null: it has none. */
  readonly registers: RegistersClient | null;
  readonly onBug: (error: unknown) => void;
}

/** Answers plain HTTP on the client port. Never throws, never rejects. */
export async function serveHttp(
  request: IncomingMessage,
  response: ServerResponse,
  context: RouteContext,
): Promise<void> {
  try {
    await route(request, response, context);
  } catch (error) {
    context.onBug(error);
    if (response.headersSent) response.destroy();
    else send(response, 500, 'text/plain', 'internal error\n');
  }
}

async function route(request: IncomingMessage, response: ServerResponse, context: RouteContext): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] as string;
  const methods =
    path === '/polder/links' || path === MEMBERSHIP_PATH || REGISTERS_PATHS.get(path) === 'POST'
      ? ['POST']
      : ['GET', 'HEAD'];
  if (!KNOWN_PATHS.has(path)) {
    send(response, 404, 'text/plain', `${[...KNOWN_PATHS].join('\n')}\n`);
    return;
  }
  if (!methods.includes(request.method ?? '')) {
    response.setHeader('allow', methods.join(', '));
    send(response, 405, 'text/plain', `use ${methods[0]}\n`);
    return;
  }
  if (REGISTERS_PATHS.has(path)) return serveRegisters(path, request, response, context);
  switch (path) {
    case '/health':
      return health(response, context);
    case '/readyz':
      return readiness(response, context);
    case '/livez':
      // Alive is: the process answers. A member without quorum must not be restarted for it.
      return send(response, 200, 'text/plain', 'ok\n');
    case '/metrics':
      return send(
        response,
        200,
        'text/plain; version=0.0.4; charset=utf-8',
        formatMetrics([...context.metrics, (out) => writeHealth(context.health, out)]),
      );
    case '/polder/snapshot':
      return snapshot(request, response, context);
    case '/polder/status':
      return sendJson(response, 200, statusOf(context));
    case MEMBERSHIP_PATH:
      return members(request, response, context);
    default:
      return links(request, response, context);
  }
}

const KNOWN_PATHS = new Set([
  '/health',
  '/livez',
  '/readyz',
  '/metrics',
  '/polder/snapshot',
  '/polder/status',
  '/polder/links',
  MEMBERSHIP_PATH,
  ...REGISTERS_PATHS.keys(),
]);

/** etcd's shape; etcd too asks for a linearizable read. */
async function health(response: ServerResponse, context: RouteContext): Promise<void> {
  const reason = await whyUnready(context);
  if (reason === null) context.health.successes++;
  else context.health.failures++;
  if (reason === null) sendJson(response, 200, { health: 'true', reason: '' });
  else sendJson(response, 503, { health: 'false', reason });
}

function writeHealth({ successes, failures }: RouteContext['health'], out: Exposition): void {
  out.counter('etcd_server_health_success', 'How often /health said yes.', successes);
  out.counter('etcd_server_health_failures', 'How often /health said no.', failures);
}

async function readiness(response: ServerResponse, context: RouteContext): Promise<void> {
  const reason = await whyUnready(context);
  if (reason === null) send(response, 200, 'text/plain', 'ok\n');
  else send(response, 503, 'text/plain', `not ready: ${reason}\n`);
}

async function whyUnready({ store }: RouteContext): Promise<string | null> {
  if (store.status().leader === 0) return 'no leader';
  const signal = AbortSignal.timeout(CONFIRM_TIMEOUT_MS);
  try {
    await store.confirm(signal);
    return null;
  } catch (error) {
    if (signal.aborted) return `no majority answered within ${CONFIRM_TIMEOUT_MS} ms`;
    if (error instanceof PolderError) return error.message;
    throw error;
  }
}

/**
 * A backup: this member's state as it is now, in the format of a snapshot's file. Its trailer says whether it is whole.
 * At most a piece of it is in memory, and it is read no faster than the client takes it.
 */
async function snapshot(request: IncomingMessage, response: ServerResponse, { store }: RouteContext): Promise<void> {
  const source = store.snapshot();
  try {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="polder-${source.name.index}.snapshot"`,
    });
    for (let piece = source.read(SNAPSHOT_PIECE_BYTES); piece.length > 0; piece = source.read(SNAPSHOT_PIECE_BYTES)) {
      if (request.method === 'HEAD' || response.destroyed) break;
      if (!response.write(piece)) await drained(response);
    }
    response.end();
  } finally {
    source.close();
  }
}

/** Or gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

function statusOf({ store, faults }: RouteContext): Record<string, unknown> {
  const status = store.status();
  const nameOf = (number: number): string | null =>
    store.members().find((each) => each.number === number)?.name ?? null;
  return {
    name: nameOf(status.member) ?? status.name,
    id: status.member,
    role: status.role,
    term: status.term,
    leader: nameOf(status.leader),
    commit: status.commitIndex,
    applied: status.appliedIndex,
    lastIndex: status.lastIndex,
    keys: status.keys,
    revision: status.revision,
    peersReachable: status.peersReachable,
    faults: faults?.list() ?? [],
    pid: process.pid,
    members: store.members().map(({ number, name, isLearner, peerUrls, clientUrls }) => ({
      id: number,
      name,
      isLearner,
      peerUrl: peerUrls[0],
      clientUrl: clientUrls[0],
    })),
    configuration: status.configuration,
  };
}

async function links(request: IncomingMessage, response: ServerResponse, context: RouteContext): Promise<void> {
  if (context.faults === null) {
    request.resume();
    return sendJson(response, 403, { error: 'this member is not breakable: start it with --breakable' });
  }
  const body = await jsonBody(request, response);
  if (body === null) return;
  const self = context.store.status().member;
  const peers = context.store.members().filter((each) => each.number !== self);
  try {
    context.faults.apply(
      parseLinkRules(
        body,
        peers.map((each) => each.name),
      ),
    );
  } catch (error) {
    if (error instanceof PolderError) return sendJson(response, 400, { error: error.message });
    throw error;
  }
  sendJson(response, 200, { faults: context.faults.list() });
}

/** Also handed on by a member that was asked and does not lead. */
async function members(request: IncomingMessage, response: ServerResponse, context: RouteContext): Promise<void> {
  const body = await jsonBody(request, response);
  if (body === null) return;
  try {
    if (context.membership === null) throw new PolderError('InvalidChange', 'who the members are does not change here');
    const call = parseMembershipCall(body);
    const signal = AbortSignal.timeout(call.timeoutMs);
    const member = await context.membership.perform(call.request, signal, call.forwarded);
    sendJson(response, 200, { member });
  } catch (error) {
    if (!(error instanceof PolderError)) throw error;
    const { code, message } = error;
    sendJson(response, code === 'InvalidRequest' ? 400 : 409, { error: { code, message } });
  }
}
