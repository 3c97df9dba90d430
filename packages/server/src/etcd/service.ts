import { assert } from '@polder/core';
import { checkKvRequest, isReadOnly, isSerializable, type KvRequest, type KvResponse } from '@polder/core/kv';
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  MemberListRequest,
  MemberListResponse,
  type MessageFns,
  PutRequest,
  RangeRequest,
  type ResponseHeader,
  StatusRequest,
  StatusResponse,
  TxnRequest,
  TxnResponse,
} from '../generated/etcdserverpb/rpc.ts';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from '../generated/grpc/health/v1/health.ts';
import { GrpcCode, GrpcError, type GrpcMethod } from '../grpc/index.ts';
import { ETCD_VERSION, kvError, storeError } from './errors.ts';
import { clamp, deleteRangeFromWire, putFromWire, rangeFromWire, txnFromWire } from './from-wire.ts';
import { type HeaderFields, putResponseBytes, rangeResponseBytes } from './response-bytes.ts';
import type { Store, StoreAnswer } from './store.ts';
import { deleteRangeToWire, txnToWire } from './to-wire.ts';

/** etcd's default `--max-request-bytes`. */
const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;

const SERVICES = new Set(['', 'etcdserverpb.KV', 'etcdserverpb.Cluster', 'etcdserverpb.Maintenance']);

/** The methods of etcd's API that are served; any other is answered UNIMPLEMENTED. */
export function etcdMethods(store: Store): [string, GrpcMethod][] {
  const header = (revision: number): ResponseHeader => headerOf(store, revision);
  return [
    kv(store, 'Range', RangeRequest, rangeFromWire, 'range', (r) =>
      rangeResponseBytes(r, headerFields(store, r.header.revision)),
    ),
    kv(store, 'Put', PutRequest, putFromWire, 'put', (r) =>
      putResponseBytes(r, headerFields(store, r.header.revision)),
    ),
    kv(store, 'DeleteRange', DeleteRangeRequest, deleteRangeFromWire, 'deleteRange', (r) =>
      DeleteRangeResponse.encode(deleteRangeToWire(r, header(r.header.revision))).finish(),
    ),
    kv(store, 'Txn', TxnRequest, txnFromWire, 'txn', (r) =>
      TxnResponse.encode(txnToWire(r, header(r.header.revision))).finish(),
    ),
    kv(store, 'Compact', CompactionRequest, compactFromWire, 'compact', (r) =>
      CompactionResponse.encode({ header: header(r.header.revision) }).finish(),
    ),
    unary('/etcdserverpb.Cluster/MemberList', MemberListRequest, MemberListResponse, (request, signal) =>
      memberList(store, request, signal),
    ),
    unary('/etcdserverpb.Maintenance/Status', StatusRequest, StatusResponse, async () => status(store)),
    unary('/grpc.health.v1.Health/Check', HealthCheckRequest, HealthCheckResponse, async ({ service }) => {
      if (!SERVICES.has(service)) throw new GrpcError(GrpcCode.notFound, 'unknown service');
      return { status: store.status().leader === 0 ? Serving.NOT_SERVING : Serving.SERVING };
    }),
  ];
}

function unary<Request, Response>(
  path: string,
  requests: MessageFns<Request>,
  responses: MessageFns<Response>,
  handle: (request: Request, signal: AbortSignal) => Promise<Response>,
): [string, GrpcMethod] {
  const method: GrpcMethod = {
    type: 'unary',
    handle: async (message, signal) => {
      const answer = await handle(decode(requests, message), signal);
      return responses.encode(answer).finish();
    },
  };
  return [path, method];
}

/** All of KV is one shape: check, then read or propose, then answer with the response of the request's own type. */
function kv<Wire, Type extends KvResponse['type']>(
  store: Store,
  name: string,
  requests: MessageFns<Wire>,
  fromWire: (wire: Wire) => KvRequest,
  type: Type,
  toBytes: (response: Extract<KvResponse, { type: Type }>) => Uint8Array,
): [string, GrpcMethod] {
  const answer = ({ result }: StoreAnswer): Uint8Array => {
    if (result.type === 'error') throw kvError(result.code);
    assert(result.response.type === type, 'the store answers a request with its own kind of response');
    return toBytes(result.response as Extract<KvResponse, { type: Type }>);
  };
  const handle = (message: Uint8Array, signal: AbortSignal): Uint8Array | Promise<Uint8Array> => {
    const request = fromWire(decode(requests, message));
    const readOnly = isReadOnly(request);
    if (!readOnly && message.length > MAX_REQUEST_BYTES) throw kvError('requestTooLarge');
    const refusal = checkKvRequest(request);
    if (refusal !== null) throw kvError(refusal);
    const found = readOnly
      ? store.read(request, { serializable: isSerializable(request) }, signal)
      : store.propose(request, signal);
    if (!(found instanceof Promise)) return answer(found);
    return found.then(answer, (error: unknown) => {
      throw storeError(error, signal);
    });
  };
  return [`/etcdserverpb.KV/${name}`, { type: 'unary', handle }];
}

function compactFromWire(wire: CompactionRequest): KvRequest {
  return { type: 'compact', revision: clamp(wire.revision), physical: wire.physical };
}

function decode<Message>(messages: MessageFns<Message>, bytes: Uint8Array): Message {
  try {
    return messages.decode(bytes);
  } catch (cause) {
    // grpc-go, and so etcd, answers INTERNAL here.
    const why = cause instanceof Error ? cause.message : 'malformed';
    throw new GrpcError(GrpcCode.internal, `grpc: error unmarshalling request: ${why}`, { cause });
  }
}

function headerFields(store: Store, revision: number): HeaderFields {
  const { clusterId, member, term } = store.status();
  return { clusterId, memberId: idOf(store, member), revision, term };
}

function headerOf(store: Store, revision: number): ResponseHeader {
  const { clusterId, memberId, term } = headerFields(store, revision);
  return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(term) };
}

/** 0 when there is no such member. */
function idOf(store: Store, number: number): bigint {
  return store.members().find((member) => member.number === number)?.id ?? 0n;
}

async function memberList(store: Store, request: MemberListRequest, signal: AbortSignal): Promise<MemberListResponse> {
  if (request.linearizable) {
    try {
      await store.confirm(signal);
    } catch (error) {
      throw storeError(error, signal);
    }
  }
  const members = store.members().map((member) => ({
    ID: member.id,
    name: member.name,
    peerURLs: [...member.peerUrls],
    clientURLs: [...member.clientUrls],
    isLearner: false,
  }));
  // etcd leaves the revision out of the answers of Cluster.
  return { header: headerOf(store, 0), members };
}

function status(store: Store): StatusResponse {
  const now = store.status();
  return {
    header: headerOf(store, now.revision),
    version: ETCD_VERSION,
    dbSize: BigInt(now.sizeBytes),
    leader: idOf(store, now.leader),
    raftIndex: BigInt(now.lastIndex),
    raftTerm: BigInt(now.term),
    raftAppliedIndex: BigInt(now.appliedIndex),
    errors: now.leader === 0 ? ['etcdserver: no leader'] : [],
    dbSizeInUse: BigInt(now.sizeBytes),
    isLearner: false,
  };
}
