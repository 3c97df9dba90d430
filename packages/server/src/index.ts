/** @packageDocumentation A Polder member in the real world: TCP, files, the etcd v3 API. */
export * from './causality/index.ts';
export * as rpc from './generated/etcdserverpb/rpc.ts';
export { GrpcClient, GrpcCode, GrpcError } from './grpc/index.ts';
export type { LinkRule } from './http/index.ts';
export { type Member, type MemberAddresses, type MemberConfig, startMember } from './member/member.ts';
export { MEMBERSHIP_PATH, type MembershipRequest, type NumberedChange } from './membership/index.ts';
