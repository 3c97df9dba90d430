/** @packageDocumentation A Polder member in the real world: TCP, files, the etcd v3 API. */
export { text, utf8 } from '@polder/core';
export * from './causality/index.ts';
export {
  type ApplyContext,
  type CallOptions,
  type CloseOptions,
  type EmbeddedOptions,
  type ErrorOutcome,
  jsonCodec,
  LocalNetwork,
  type MemberAddresses,
  type MemberEventMap,
  type MemberEvents,
  type MembershipClient,
  type MemberView,
  NotLeaderError,
  OperationError,
  type Placement,
  type Proposed,
  type ProposeOptions,
  type ReadOnly,
  type ReplicaStatus,
  type Replicated,
  type ReplicatedOptions,
  type ReplicatedSession,
  type ReplicatedStateMachine,
  type SessionOptions,
  type SessionToken,
  startReplicated,
  type ValueCodec,
} from './embedding/index.ts';
export * as rpc from './generated/etcdserverpb/rpc.ts';
export { GrpcClient, GrpcCode, GrpcError } from './grpc/index.ts';
export type { LinkRule } from './http/index.ts';
export * from './member/index.ts';
export { MEMBERSHIP_PATH, type MembershipRequest, type NumberedChange } from './membership/index.ts';
export {
  RegisterError,
  type RegisterErrorCode,
  type RegisterRange,
  type RegisterRangeOptions,
  type RegisterRead,
  type RegisterReadOptions,
  type RegistersClient,
  type RegistersStatus,
  type RegisterWriteOptions,
  type RegisterWritten,
} from './registers/index.ts';
export { type RestoreOptions, restoreMember } from './restore/restore-member.ts';
