export { checkKvRequest, MAX_REQUEST_BYTES, MAX_TXN_OPS } from './check.ts';
export { decodeKvRequest, encodeKvRequest } from './codec.ts';
export { KV_ERRORS, type KvErrorCode } from './errors.ts';
export { MemoryStore } from './memory-store.ts';
export type { OrderedStore } from './ordered-store.ts';
export * from './request.ts';
export { KvStateMachine } from './state-machine.ts';
