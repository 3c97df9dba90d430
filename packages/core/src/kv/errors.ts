/** Every way in which a request can be refused, with etcd's own gRPC code and text (etcd: api/v3rpc/rpctypes/error.go). */
export type KvErrorCode =
  | 'emptyKey'
  | 'keyNotFound'
  | 'valueProvided'
  | 'leaseProvided'
  | 'tooManyOps'
  | 'duplicateKey'
  | 'requestTooLarge'
  | 'leaseNotFound'
  | 'compacted'
  | 'futureRevision';

/** Clients match the texts verbatim. */
export const KV_ERRORS: Readonly<Record<KvErrorCode, { readonly grpc: number; readonly text: string }>> = {
  emptyKey: { grpc: 3, text: 'etcdserver: key is not provided' },
  keyNotFound: { grpc: 3, text: 'etcdserver: key not found' },
  valueProvided: { grpc: 3, text: 'etcdserver: value is provided' },
  leaseProvided: { grpc: 3, text: 'etcdserver: lease is provided' },
  tooManyOps: { grpc: 3, text: 'etcdserver: too many operations in txn request' },
  duplicateKey: { grpc: 3, text: 'etcdserver: duplicate key given in txn request' },
  requestTooLarge: { grpc: 3, text: 'etcdserver: request is too large' },
  leaseNotFound: { grpc: 5, text: 'etcdserver: requested lease not found' },
  compacted: { grpc: 11, text: 'etcdserver: mvcc: required revision has been compacted' },
  futureRevision: { grpc: 11, text: 'etcdserver: mvcc: required revision is a future revision' },
};
