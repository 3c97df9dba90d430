/** What etcd checks before it proposes a request (etcd: server/etcdserver/api/v3rpc/key.go). */

import { upperBound } from './bounds.ts';
import type { KvErrorCode } from './errors.ts';
import { KeyIntervals } from './key-intervals.ts';
import type { DeleteRangeRequest, KvRequest, PutRequest, RequestOp, TxnRequest } from './request.ts';

export const MAX_TXN_OPS = 128;
/** Keys, values and bounds together: etcd's --max-request-bytes. */
export const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;

/** Null: fit to be proposed and encoded. */
export function checkKvRequest(request: KvRequest): KvErrorCode | null {
  const problem = request.type === 'compact' ? null : checkOp(request, MAX_TXN_OPS);
  if (problem !== null) return problem;
  return sizeOf(request) > MAX_REQUEST_BYTES ? 'requestTooLarge' : null;
}

function checkOp(op: RequestOp, opsLeft: number): KvErrorCode | null {
  switch (op.type) {
    case 'range':
    case 'deleteRange':
      return op.key.length === 0 ? 'emptyKey' : null;
    case 'put':
      return checkPut(op);
    case 'txn':
      return checkTxnOps(op, opsLeft) ?? (opsLeft === MAX_TXN_OPS ? checkDuplicates(op) : null);
  }
}

function checkPut(put: PutRequest): KvErrorCode | null {
  if (put.key.length === 0) return 'emptyKey';
  if (put.ignoreValue === true && (put.value?.length ?? 0) > 0) return 'valueProvided';
  if (put.ignoreLease === true && (put.lease ?? 0) !== 0) return 'leaseProvided';
  return null;
}

/** A nested transaction may have as many operations as its parent left over, which also bounds the depth. */
function checkTxnOps(txn: TxnRequest, opsLeft: number): KvErrorCode | null {
  const ops = Math.max(txn.compare.length, txn.success.length, txn.failure.length);
  if (ops > opsLeft) return 'tooManyOps';
  if (txn.compare.some((compare) => compare.key.length === 0)) return 'emptyKey';
  for (const op of [...txn.success, ...txn.failure]) {
    const problem = checkOp(op, opsLeft - ops);
    if (problem !== null) return problem;
  }
  return null;
}

interface Changes {
  readonly puts: Set<string>;
  readonly deletes: KeyIntervals;
}

function checkDuplicates(txn: TxnRequest): KvErrorCode | null {
  return changesOf(txn.success) === null || changesOf(txn.failure) === null ? 'duplicateKey' : null;
}

/** What a branch may put and delete; null: it may put a key twice, or put one that it deletes. */
function changesOf(ops: readonly RequestOp[]): Changes | null {
  const puts = new Set<string>();
  const deletes = new KeyIntervals();
  for (const op of ops) if (op.type === 'deleteRange') deletes.add(op.key, duplicateBound(op));
  for (const op of ops) {
    if (op.type !== 'txn') continue;
    const success = changesOf(op.success);
    const failure = changesOf(op.failure);
    if (success === null || failure === null) return null;
    for (const put of success.puts) {
      if (puts.has(put) || deletes.has(keyOf(put))) return null;
      puts.add(put);
    }
    for (const put of failure.puts) {
      // Only one of the two branches will run: they may put the same key.
      if ((puts.has(put) && !success.puts.has(put)) || deletes.has(keyOf(put))) return null;
      puts.add(put);
    }
    deletes.addAll(success.deletes);
    deletes.addAll(failure.deletes);
  }
  for (const op of ops) {
    if (op.type !== 'put') continue;
    const name = nameOf(op.key);
    if (puts.has(name) || deletes.has(op.key)) return null;
    puts.add(name);
  }
  return { puts, deletes };
}

/**
 * etcd takes a delete "to the end" for an empty interval here, so a put may follow it in one transaction, observed
 * on 3.4.23.
 */
function duplicateBound(op: DeleteRangeRequest): Uint8Array {
  return upperBound(op.key, op.rangeEnd) ?? op.key;
}

/** One character per byte: a key that a Set can compare. */
function nameOf(key: Uint8Array): string {
  let name = '';
  for (const byte of key) name += String.fromCharCode(byte);
  return name;
}

function keyOf(name: string): Uint8Array {
  return Uint8Array.from(name, (character) => character.charCodeAt(0));
}

function sizeOf(request: KvRequest): number {
  switch (request.type) {
    case 'range':
    case 'deleteRange':
      return request.key.length + (request.rangeEnd?.length ?? 0);
    case 'put':
      return request.key.length + (request.value?.length ?? 0);
    case 'compact':
      return 0;
    case 'txn': {
      let size = 0;
      for (const compare of request.compare) {
        size += compare.key.length + (compare.rangeEnd?.length ?? 0);
        if (compare.target === 'value') size += compare.value.length;
      }
      for (const op of request.success) size += sizeOf(op);
      for (const op of request.failure) size += sizeOf(op);
      return size;
    }
  }
}
