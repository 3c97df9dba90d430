export { checkSessions, type SessionOptions } from './check.ts';
export type {
  SessionGuarantee,
  SessionPair,
  SessionVerdict,
  SessionViolation,
  VersionedOperation,
} from './model.ts';
