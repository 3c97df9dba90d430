import type {
  DeleteRangeResponse,
  KeyValue,
  PutResponse,
  RangeResponse,
  ResponseOp,
  TxnResponse,
} from '@polder/core/kv';
import type {
  ResponseHeader,
  DeleteRangeResponse as WireDeleteRange,
  ResponseOp as WireOp,
  PutResponse as WirePut,
  RangeResponse as WireRange,
  TxnResponse as WireTxn,
} from '../generated/etcdserverpb/rpc.ts';
import type { KeyValue as WireKeyValue } from '../generated/mvccpb/kv.ts';

export function rangeToWire(response: RangeResponse, header: ResponseHeader): WireRange {
  return { header, kvs: response.kvs.map(keyValue), more: response.more, count: BigInt(response.count) };
}

export function putToWire(response: PutResponse, header: ResponseHeader): WirePut {
  return { header, prevKv: response.prevKv === null ? undefined : keyValue(response.prevKv) };
}

export function deleteRangeToWire(response: DeleteRangeResponse, header: ResponseHeader): WireDeleteRange {
  return { header, deleted: BigInt(response.deleted), prevKvs: response.prevKvs.map(keyValue) };
}

export function txnToWire(response: TxnResponse, header: ResponseHeader): WireTxn {
  return { header, succeeded: response.succeeded, responses: response.responses.map(operation) };
}

/** Answers inside a transaction carry a header with the revision alone, as etcd's do. */
function operation(response: ResponseOp): WireOp {
  const header = { clusterId: 0n, memberId: 0n, revision: BigInt(response.header.revision), raftTerm: 0n };
  switch (response.type) {
    case 'range':
      return { response: { $case: 'responseRange', value: rangeToWire(response, header) } };
    case 'put':
      return { response: { $case: 'responsePut', value: putToWire(response, header) } };
    case 'deleteRange':
      return { response: { $case: 'responseDeleteRange', value: deleteRangeToWire(response, header) } };
    case 'txn':
      return { response: { $case: 'responseTxn', value: txnToWire(response, header) } };
  }
}

function keyValue(kv: KeyValue): WireKeyValue {
  return {
    key: kv.key,
    createRevision: BigInt(kv.createRevision),
    modRevision: BigInt(kv.modRevision),
    version: BigInt(kv.version),
    value: kv.value,
    lease: BigInt(kv.lease),
  };
}
