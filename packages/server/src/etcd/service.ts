import { assert } from '@polder/core';
import { checkKvRequest, isReadOnly, isSerializable, type KvRequest, type KvResponse } from '@polder/core/kv';
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  type MessageFns,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
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
import { clusterMethods } from './cluster.ts';
import { ETCD_VERSION, kvError, storeError } from './errors.ts';
import { clamp, deleteRangeFromWire, putFromWire, rangeFromWire, txnFromWire } from './from-wire.ts';
import { decode, headerOf, idOf, unary } from './method.ts';
import type { ChangesMembership, Store } from './store.ts';
import { deleteRangeToWire, putToWire, rangeToWire, txnToWire } from './to-wire.ts';

/** etcd's default `--max-request-bytes`. */
const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;

const SERVICES = new Set(['', 'etcdserverpb.KV', 'etcdserverpb.Cluster', 'etcdserverpb.Maintenance']);

/** The methods of etcd's API that are served; any other is answered UNIMPLEMENTED. */
export function etcdMethods(store: Store, membership: ChangesMembership | null): [string, GrpcMethod][] {
  const header = (revision: number): ResponseHeader => headerOf(store, revision);
  return [
    kv(store, 'Range', RangeRequest, RangeResponse, rangeFromWire, 'range', (r) =>
      rangeToWire(r, header(r.header.revision)),
    ),
    kv(store, 'Put', PutRequest, PutResponse, putFromWire, 'put', (r) => putToWire(r, header(r.header.revision))),
    kv(store, 'DeleteRange', DeleteRangeRequest, DeleteRangeResponse, deleteRangeFromWire, 'deleteRange', (r) =>
      deleteRangeToWire(r, header(r.header.revision)),
    ),
    kv(store, 'Txn', TxnRequest, TxnResponse, txnFromWire, 'txn', (r) => txnToWire(r, header(r.header.revision))),
    kv(store, 'Compact', CompactionRequest, CompactionResponse, compactFromWire, 'compact', (r) => ({
      header: header(r.header.revision),
    })),
    ...clusterMethods(store, membership),
    unary('/etcdserverpb.Maintenance/Status', StatusRequest, StatusResponse, async () => status(store)),
    unary('/grpc.health.v1.Health/Check', HealthCheckRequest, HealthCheckResponse, async ({ service }) => {
      if (!SERVICES.has(service)) throw new GrpcError(GrpcCode.notFound, 'unknown service');
      return { status: store.status().leader === 0 ? Serving.NOT_SERVING : Serving.SERVING };
    }),
  ];
}

/** All of KV is one shape: check, then read or propose, then answer with the response of the request's own type. */
function kv<Wire, Answer, Type extends KvResponse['type']>(
  store: Store,
  name: string,
  requests: MessageFns<Wire>,
  responses: MessageFns<Answer>,
  fromWire: (wire: Wire) => KvRequest,
  type: Type,
  toWire: (response: Extract<KvResponse, { type: Type }>) => Answer,
): [string, GrpcMethod] {
  const handle = async (message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> => {
    const request = fromWire(decode(requests, message));
    const readOnly = isReadOnly(request);
    if (!readOnly && message.length > MAX_REQUEST_BYTES) throw kvError('requestTooLarge');
    const refusal = checkKvRequest(request);
    if (refusal !== null) throw kvError(refusal);
    const response = await serve(store, request, readOnly, signal);
    assert(response.type === type, 'the store answers a request with its own kind of response');
    return responses.encode(toWire(response as Extract<KvResponse, { type: Type }>)).finish();
  };
  return [`/etcdserverpb.KV/${name}`, { type: 'unary', handle }];
}

async function serve(store: Store, request: KvRequest, readOnly: boolean, signal: AbortSignal): Promise<KvResponse> {
  let result: Awaited<ReturnType<Store['propose']>>['result'];
  try {
    const answer = readOnly
      ? await store.read(request, { serializable: isSerializable(request) }, signal)
      : await store.propose(request, signal);
    result = answer.result;
  } catch (error) {
    throw storeError(error, signal);
  }
  if (result.type === 'error') throw kvError(result.code);
  return result.response;
}

function compactFromWire(wire: CompactionRequest): KvRequest {
  return { type: 'compact', revision: clamp(wire.revision), physical: wire.physical };
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
    isLearner: store.members().find(({ number }) => number === now.member)?.isLearner ?? true,
  };
}
