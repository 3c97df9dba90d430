import { assert } from '@polder/core';
import { checkKvRequest, isReadOnly, isSerializable, type KvRequest, type KvResponse } from '@polder/core/kv';
import {
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
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
import { alarmMethod, errorsOf } from './alarms.ts';
import { clusterMethods } from './cluster.ts';
import { ETCD_VERSION, kvError, storeError } from './errors.ts';
import { clamp, deleteRangeFromWire, putFromWire, rangeFromWire, txnFromWire } from './from-wire.ts';
import { decode, headerFields, headerOf, idOf, unary } from './method.ts';
import { putResponseBytes, rangeResponseBytes } from './response-bytes.ts';
import type { ChangesMembership, Store, StoreAnswer } from './store.ts';
import { deleteRangeToWire, txnToWire } from './to-wire.ts';

/** etcd's default `--max-request-bytes`. */
const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;

const SERVICES = new Set(['', 'etcdserverpb.KV', 'etcdserverpb.Cluster', 'etcdserverpb.Maintenance']);

/** The methods of etcd's API that are served; any other is answered UNIMPLEMENTED. */
export function etcdMethods(store: Store, membership: ChangesMembership | null): [string, GrpcMethod][] {
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
    ...clusterMethods(store, membership),
    unary('/etcdserverpb.Maintenance/Status', StatusRequest, StatusResponse, async () => status(store)),
    alarmMethod(store),
    unary('/grpc.health.v1.Health/Check', HealthCheckRequest, HealthCheckResponse, async ({ service }) => {
      if (!SERVICES.has(service)) throw new GrpcError(GrpcCode.notFound, 'unknown service');
      return { status: store.status().leader === 0 ? Serving.NOT_SERVING : Serving.SERVING };
    }),
  ];
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
    errors: errorsOf(store),
    dbSizeInUse: BigInt(now.sizeBytes),
    isLearner: store.members().find(({ number }) => number === now.member)?.isLearner ?? true,
  };
}
