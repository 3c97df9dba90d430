/** Leaderless registers with a consistency level for each request. */
export type { Moment, RegisterEffect, RegisterEvent, RegisterOutbox } from './effects.ts';
export { type HostStatus, RegistersHost, type RegistersHostOptions } from './host.ts';
export {
  REGISTER_MESSAGE_TYPES,
  type RegisterMessage,
  readRegisterMessage,
  writeRegisterMessage,
} from './message.ts';
export {
  type Bucket,
  MAX_DRIFT_MS,
  REGISTER_LIMITS,
  REGISTER_TIMING,
  type RegisterLimits,
  type RegistersOptions,
  type RegisterTiming,
} from './options.ts';
export { configurationId, Registers, type RegistersStatus } from './replica.ts';
export {
  DEFAULT_LEVEL,
  DEFAULT_TIMEOUT_US,
  type FailureCode,
  LEVELS,
  type Level,
  type RegisterEntry,
  type RegisterOutcome,
  type RegisterRequest,
  readRegisterRequest,
  type Service,
  type Terms,
  writeRegisterRequest,
} from './request.ts';
export { decodeToken, encodeToken, MAX_TOKEN_BYTES } from './token.ts';
export { compareTags, MAX_KEY_BYTES, MAX_VALUE_BYTES, type Tag } from './version.ts';
