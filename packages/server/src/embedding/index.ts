export type { CallOptions } from './calls.ts';
export { type ErrorOutcome, NotLeaderError, OperationError } from './errors.ts';
export type { MemberEventMap, MemberEvents } from './events.ts';
export { type CloseOptions, Host, type Placed, type ProposeOptions } from './host.ts';
export { LocalNetwork } from './local-network.ts';
export {
  clientHost,
  type EmbeddedOptions,
  type MemberAddresses,
  type MemberEnvironment,
  type Placement,
  peerHost,
  resolveOptions,
} from './options.ts';
export { Sequence, type SessionOptions, type SessionToken, settled } from './session.ts';
