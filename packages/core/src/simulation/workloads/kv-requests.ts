/** Requests of the key-value store, as short as workloads want them. */
import { utf8 } from '../../base/bytes.ts';
import type { Compare, KvRequest, RequestOp } from '../../kv/index.ts';
import type { Json } from '../protocol.ts';
import type { KvAnswer } from '../raft/protocol.ts';
import type { RaftRequest } from '../raft/types.ts';

type Ask = { readonly type: 'ask'; readonly request: RaftRequest; readonly changes: boolean };

export function ask(request: KvRequest): Ask {
  return { type: 'ask', request: { kind: 'propose', request }, changes: true };
}

export function askRead(request: KvRequest): Ask {
  return { type: 'ask', request: { kind: 'read', request }, changes: false };
}

export function get(key: string): RequestOp {
  return { type: 'range', key: utf8(key) };
}

/** Every key that begins so, oldest first. */
export function list(prefix: string, limit = 0): RequestOp {
  const rangeEnd = utf8(prefix);
  rangeEnd[rangeEnd.length - 1] = (rangeEnd[rangeEnd.length - 1] as number) + 1;
  return { type: 'range', key: utf8(prefix), rangeEnd, sortTarget: 'create', sortOrder: 'ascend', limit };
}

export function put(key: string, value: Json): RequestOp {
  return { type: 'put', key: utf8(key), value: utf8(JSON.stringify(value)) };
}

export function remove(key: string): RequestOp {
  return { type: 'deleteRange', key: utf8(key) };
}

/** The key was last changed at this revision; 0: it is absent. */
export function unchanged(key: string, mod: number): Compare {
  return { key: utf8(key), target: 'mod', result: 'equal', modRevision: mod };
}

export function holds(key: string, value: Json): Compare {
  return { key: utf8(key), target: 'value', result: 'equal', value: utf8(JSON.stringify(value)) };
}

export function when(compare: readonly Compare[], success: readonly RequestOp[]): KvRequest {
  return { type: 'txn', compare, success, failure: [] };
}

export function kvs(answer: Json | undefined): KvAnswer['kvs'] {
  return (answer as KvAnswer).kvs;
}

/** The value under `key` in an answer, and the revision at which it was written; absent: null, and 0. */
export function found(answer: Json | undefined, key: string): { value: Json; mod: number } {
  const kv = kvs(answer).find((candidate) => candidate.key === key);
  return kv === undefined ? { value: null, mod: 0 } : { value: JSON.parse(kv.value), mod: kv.mod };
}

export function succeeded(answer: Json | undefined): boolean {
  return (answer as KvAnswer).succeeded;
}
