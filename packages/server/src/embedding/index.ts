export type { CallOptions } from './calls.ts';
export { jsonCodec } from './codec.ts';
export { type ErrorOutcome, NotLeaderError, noSpace, OperationError } from './errors.ts';
export type { MemberEventMap, MemberEvents } from './events.ts';
export { type CloseOptions, Host, type Hosted, type Place, type Placed, type ProposeOptions } from './host.ts';
export { HostedMember } from './hosted-member.ts';
export { LocalNetwork } from './local-network.ts';
export type { Joiner, MembershipClient, MemberView } from './membership-client.ts';
export {
  clientHost,
  type EmbeddedOptions,
  type MemberAddresses,
  type MemberEnvironment,
  type Placement,
  peerHost,
  resolveOptions,
} from './options.ts';
export {
  type Proposed,
  type ReplicaStatus,
  Replicated,
  type ReplicatedOptions,
  startReplicated,
} from './replicated.ts';
export type { ReplicatedSession } from './replicated-session.ts';
export { Sequence, type SessionOptions, type SessionToken, settled } from './session.ts';
export type { ApplyContext, ReadOnly, ReplicatedStateMachine, ValueCodec } from './state-machine.ts';
