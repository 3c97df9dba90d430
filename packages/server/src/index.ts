/** @packageDocumentation A Polder member in the real world: TCP, files, the etcd v3 API. */
export { text, utf8 } from '@polder/core';
export * from './causality/index.ts';
export {
  type CallOptions,
  type CloseOptions,
  type EmbeddedOptions,
  type ErrorOutcome,
  LocalNetwork,
  type MemberAddresses,
  type MemberEventMap,
  type MemberEvents,
  NotLeaderError,
  OperationError,
  type ProposeOptions,
  type SessionOptions,
  type SessionToken,
} from './embedding/index.ts';
export * as rpc from './generated/etcdserverpb/rpc.ts';
export { GrpcClient, GrpcCode, GrpcError } from './grpc/index.ts';
export type { LinkRule } from './http/index.ts';
export * from './member/index.ts';
