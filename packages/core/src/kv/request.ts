/**
 * etcd's v3 KV requests and responses (etcd: api/etcdserverpb/rpc.proto), names in camelCase. A field left out has
 * protobuf's default: empty, 0 or false. Numbers are integers; the wire clamps 64-bit ones to safe integers, which
 * no revision here exceeds.
 */
import type { KvErrorCode } from './errors.ts';

export type SortOrder = 'none' | 'ascend' | 'descend';
export type SortTarget = 'key' | 'version' | 'create' | 'mod' | 'value';

export interface RangeRequest {
  readonly type: 'range';
  readonly key: Uint8Array;
  /** Empty: only `key`. One zero byte: from `key` to the end. Else up to, not including, it. */
  readonly rangeEnd?: Uint8Array;
  readonly limit?: number;
  /** 0 or less: now. */
  readonly revision?: number;
  readonly sortOrder?: SortOrder;
  readonly sortTarget?: SortTarget;
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface PutRequest {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value?: Uint8Array;
  readonly lease?: number;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}

export interface DeleteRangeRequest {
  readonly type: 'deleteRange';
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array;
  readonly prevKv?: boolean;
}

export type CompareResult = 'equal' | 'greater' | 'less' | 'notEqual';

interface CompareOf {
  readonly key: Uint8Array;
  /** As in a range: true only if it holds for every key there is. */
  readonly rangeEnd?: Uint8Array;
  readonly result: CompareResult;
}

export type Compare =
  | (CompareOf & { readonly target: 'version'; readonly version: number })
  | (CompareOf & { readonly target: 'create'; readonly createRevision: number })
  | (CompareOf & { readonly target: 'mod'; readonly modRevision: number })
  | (CompareOf & { readonly target: 'lease'; readonly lease: number })
  | (CompareOf & { readonly target: 'value'; readonly value: Uint8Array });

export interface TxnRequest {
  readonly type: 'txn';
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export interface CompactRequest {
  readonly type: 'compact';
  readonly revision: number;
  /** Ours is always physical: what is compacted is gone when the answer comes. */
  readonly physical?: boolean;
}

export type RequestOp = RangeRequest | PutRequest | DeleteRangeRequest | TxnRequest;
export type KvRequest = RequestOp | CompactRequest;

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  /** Always 0: there are no leases yet. */
  readonly lease: number;
}

export interface ResponseHeader {
  readonly revision: number;
}

export interface RangeResponse {
  readonly type: 'range';
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutResponse {
  readonly type: 'put';
  readonly header: ResponseHeader;
  readonly prevKv: KeyValue | null;
}

export interface DeleteRangeResponse {
  readonly type: 'deleteRange';
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export interface TxnResponse {
  readonly type: 'txn';
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface CompactResponse {
  readonly type: 'compact';
  readonly header: ResponseHeader;
}

export type ResponseOp = RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse;
export type KvResponse = ResponseOp | CompactResponse;

export type KvResult =
  | { readonly type: 'ok'; readonly response: KvResponse }
  | { readonly type: 'error'; readonly code: KvErrorCode };

/** Whether answering changes nothing, so that it needs no log entry. */
export function isReadOnly(request: KvRequest): boolean {
  switch (request.type) {
    case 'range':
      return true;
    case 'txn':
      return request.success.every(isReadOnly) && request.failure.every(isReadOnly);
    case 'put':
    case 'deleteRange':
    case 'compact':
      return false;
  }
}

/** Whether the client accepts an answer from this member's own, possibly old, state. */
export function isSerializable(request: KvRequest): boolean {
  switch (request.type) {
    case 'range':
      return request.serializable === true;
    case 'txn':
      return request.success.every(isSerializable) && request.failure.every(isSerializable);
    case 'put':
    case 'deleteRange':
    case 'compact':
      return false;
  }
}
