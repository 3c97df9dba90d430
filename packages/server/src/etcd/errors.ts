import { PolderError } from '@polder/core';
import { KV_ERRORS, type KvErrorCode } from '@polder/core/kv';
import { GrpcCode, GrpcError } from '../grpc/index.ts';

/** The API level whose subset is served: clients choose what they dare to ask by it. */
export const ETCD_VERSION = '3.4.23';

export function kvError(code: KvErrorCode): GrpcError {
  const { grpc, text } = KV_ERRORS[code];
  return new GrpcError(grpc, text);
}

/** A store's failure with etcd's code and text (etcd: api/v3rpc/rpctypes/error.go); others are not the store's. */
export function storeError(error: unknown, signal: AbortSignal): unknown {
  if (!(error instanceof PolderError)) return error;
  const options = { cause: error };
  switch (error.code) {
    case 'NoLeader':
      return new GrpcError(GrpcCode.unavailable, 'etcdserver: no leader', options);
    case 'NotApplied':
      return new GrpcError(GrpcCode.unavailable, 'etcdserver: leader changed', options);
    case 'Aborted':
    case 'Timeout':
    case 'Unknown':
      if (signal.aborted) return new GrpcError(GrpcCode.deadlineExceeded, 'context deadline exceeded', options);
      return new GrpcError(GrpcCode.unavailable, 'etcdserver: request timed out', options);
    case 'TooManyRequests':
      return new GrpcError(GrpcCode.resourceExhausted, 'etcdserver: too many requests', options);
    case 'NoSpace':
      return new GrpcError(GrpcCode.resourceExhausted, 'etcdserver: mvcc: database space exceeded', options);
    case 'Stopped':
      return new GrpcError(GrpcCode.unavailable, 'etcdserver: server stopped', options);
    default:
      return error;
  }
}
