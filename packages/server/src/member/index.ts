export type { Bytes, RangeInput, Span, TxnInput } from './kv-requests.ts';
export { Member, type MemberConfig, type MemberOptions, type MemberStatus, startMember } from './member.ts';
export type {
  DeleteResult,
  PutResult,
  RangeResult,
  ReadOptions,
  StoreClient,
  TxnResult,
  WriteOptions,
} from './store-client.ts';
export { type OnceResult, SESSION_PREFIX, type StoreSession } from './store-session.ts';
