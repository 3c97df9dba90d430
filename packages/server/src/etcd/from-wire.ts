import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from '@polder/core/kv';
import {
  RangeRequest_SortOrder as Order,
  Compare_CompareResult as Result,
  RangeRequest_SortTarget as Sort,
  Compare_CompareTarget as Target,
  type Compare as WireCompare,
  type DeleteRangeRequest as WireDeleteRange,
  type RequestOp as WireOp,
  type PutRequest as WirePut,
  type RangeRequest as WireRange,
  type TxnRequest as WireTxn,
} from '../generated/etcdserverpb/rpc.ts';
import { GrpcCode, GrpcError } from '../grpc/index.ts';

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Inside, integers are safe numbers. No revision or version here ever reaches the bound, so clamping changes no answer. */
export function clamp(value: bigint): number {
  if (value > MAX_SAFE) return Number.MAX_SAFE_INTEGER;
  if (value < -MAX_SAFE) return -Number.MAX_SAFE_INTEGER;
  return Number(value);
}

const ORDERS = { [Order.NONE]: 'none', [Order.ASCEND]: 'ascend', [Order.DESCEND]: 'descend' } as const;
const SORTS = {
  [Sort.KEY]: 'key',
  [Sort.VERSION]: 'version',
  [Sort.CREATE]: 'create',
  [Sort.MOD]: 'mod',
  [Sort.VALUE]: 'value',
} as const;
const RESULTS = {
  [Result.EQUAL]: 'equal',
  [Result.GREATER]: 'greater',
  [Result.LESS]: 'less',
  [Result.NOT_EQUAL]: 'notEqual',
} as const;

/** protobuf's enums are open: a number that the proto does not name reaches us as it came. */
function known<T>(table: Readonly<Record<number, T>>, value: number, text: string): T {
  const found = table[value];
  if (found === undefined) throw new GrpcError(GrpcCode.invalidArgument, text);
  return found;
}

export function rangeFromWire(wire: WireRange): RangeRequest {
  return {
    type: 'range',
    key: wire.key,
    rangeEnd: wire.rangeEnd,
    limit: clamp(wire.limit),
    revision: clamp(wire.revision),
    sortOrder: known(ORDERS, wire.sortOrder, 'etcdserver: invalid sort option'),
    sortTarget: known(SORTS, wire.sortTarget, 'etcdserver: invalid sort option'),
    serializable: wire.serializable,
    keysOnly: wire.keysOnly,
    countOnly: wire.countOnly,
    minModRevision: clamp(wire.minModRevision),
    maxModRevision: clamp(wire.maxModRevision),
    minCreateRevision: clamp(wire.minCreateRevision),
    maxCreateRevision: clamp(wire.maxCreateRevision),
  };
}

export function putFromWire(wire: WirePut): PutRequest {
  return {
    type: 'put',
    key: wire.key,
    value: wire.value,
    lease: clamp(wire.lease),
    prevKv: wire.prevKv,
    ignoreValue: wire.ignoreValue,
    ignoreLease: wire.ignoreLease,
  };
}

export function deleteRangeFromWire(wire: WireDeleteRange): DeleteRangeRequest {
  return { type: 'deleteRange', key: wire.key, rangeEnd: wire.rangeEnd, prevKv: wire.prevKv };
}

export function txnFromWire(wire: WireTxn): TxnRequest {
  return {
    type: 'txn',
    compare: wire.compare.map(compareFromWire),
    success: wire.success.map(operationFromWire),
    failure: wire.failure.map(operationFromWire),
  };
}

function operationFromWire(wire: WireOp): RequestOp {
  switch (wire.request?.$case) {
    case 'requestRange':
      return rangeFromWire(wire.request.value);
    case 'requestPut':
      return putFromWire(wire.request.value);
    case 'requestDeleteRange':
      return deleteRangeFromWire(wire.request.value);
    case 'requestTxn':
      return txnFromWire(wire.request.value);
    case undefined:
      // etcd's own answer to an operation without content.
      throw new GrpcError(GrpcCode.invalidArgument, 'etcdserver: key not found');
  }
}

/** The target decides; a value given for another target counts as absent, that is 0 or empty, as in etcd. */
function compareFromWire(wire: WireCompare): Compare {
  const common = {
    key: wire.key,
    rangeEnd: wire.rangeEnd,
    result: known(RESULTS, wire.result, 'etcdserver: invalid compare result'),
  };
  const union = wire.targetUnion;
  switch (wire.target) {
    case Target.VERSION:
      return { ...common, target: 'version', version: union?.$case === 'version' ? clamp(union.value) : 0 };
    case Target.CREATE:
      return {
        ...common,
        target: 'create',
        createRevision: union?.$case === 'createRevision' ? clamp(union.value) : 0,
      };
    case Target.MOD:
      return { ...common, target: 'mod', modRevision: union?.$case === 'modRevision' ? clamp(union.value) : 0 };
    case Target.LEASE:
      return { ...common, target: 'lease', lease: union?.$case === 'lease' ? clamp(union.value) : 0 };
    case Target.VALUE:
      return { ...common, target: 'value', value: union?.$case === 'value' ? union.value : new Uint8Array(0) };
    default:
      throw new GrpcError(GrpcCode.invalidArgument, 'etcdserver: invalid compare target');
  }
}
