/**
 * Executes checked requests (etcd: server/etcdserver/apply.go). All that can fail is looked at before the first
 * change, so a transaction is done whole or not at all.
 */
import { assert, defined } from '../base/assert.ts';
import { compareBytes, EMPTY_BYTES } from '../base/bytes.ts';
import { upperBound } from './bounds.ts';
import type { KvErrorCode } from './errors.ts';
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  KvRequest,
  KvResult,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from './request.ts';
import type { Version } from './version.ts';
import type { VersionedStore } from './versioned-store.ts';

export function execute(store: VersionedStore, request: KvRequest): KvResult {
  if (request.type === 'compact') return compact(store, request.revision);
  const plan = planOf(store, request);
  const problem = planProblem(store, plan, false);
  if (problem !== null) return { type: 'error', code: problem };
  const response = run(store, plan);
  store.commit();
  // The revision of a whole transaction is known only after its last operation.
  const header = { revision: store.revision };
  return { type: 'ok', response: response.type === 'txn' ? { ...response, header } : response };
}

function compact(store: VersionedStore, revision: number): KvResult {
  if (revision <= store.compacted) return { type: 'error', code: 'compacted' };
  if (revision > store.revision) return { type: 'error', code: 'futureRevision' };
  store.compact(revision);
  return { type: 'ok', response: { type: 'compact', header: { revision: store.revision } } };
}

/** A request with its branches chosen: every compare, nested ones too, sees the state before the transaction. */
type Plan =
  | { readonly type: 'single'; readonly op: Exclude<RequestOp, TxnRequest> }
  | { readonly type: 'branch'; readonly succeeded: boolean; readonly plans: readonly Plan[] };

function planOf(store: VersionedStore, op: RequestOp): Plan {
  if (op.type !== 'txn') return { type: 'single', op };
  const succeeded = op.compare.every((compare) => holds(store, compare));
  const branch = succeeded ? op.success : op.failure;
  return { type: 'branch', succeeded, plans: branch.map((child) => planOf(store, child)) };
}

function planProblem(store: VersionedStore, plan: Plan, inTxn: boolean): KvErrorCode | null {
  if (plan.type === 'single') return opProblem(store, plan.op, inTxn);
  for (const child of plan.plans) {
    const problem = planProblem(store, child, true);
    if (problem !== null) return problem;
  }
  return null;
}

function opProblem(store: VersionedStore, op: Exclude<RequestOp, TxnRequest>, inTxn: boolean): KvErrorCode | null {
  switch (op.type) {
    case 'range': {
      const revision = op.revision ?? 0;
      if (revision > store.revision) return 'futureRevision';
      return revision > 0 && revision < store.compacted ? 'compacted' : null;
    }
    case 'put':
      return putProblem(store, op, inTxn);
    case 'deleteRange':
      return null;
  }
}

function putProblem(store: VersionedStore, put: PutRequest, inTxn: boolean): KvErrorCode | null {
  // No lease exists yet, so none is ever found.
  const lease: KvErrorCode | null = (put.lease ?? 0) === 0 ? null : 'leaseNotFound';
  const needsKey = put.ignoreValue === true || put.ignoreLease === true;
  const key: KvErrorCode | null = needsKey && store.get(put.key) === undefined ? 'keyNotFound' : null;
  // etcd looks at the lease first in a put, at the key first in a transaction.
  return inTxn ? (key ?? lease) : (lease ?? key);
}

function run(store: VersionedStore, plan: Plan): ResponseOp {
  if (plan.type === 'branch') return runBranch(store, plan.succeeded, plan.plans);
  switch (plan.op.type) {
    case 'range':
      return range(store, plan.op);
    case 'put':
      return put(store, plan.op);
    case 'deleteRange':
      return deleteRange(store, plan.op);
  }
}

/** etcd leaves the header of a nested transaction empty; `execute` fills in the outermost. */
function runBranch(store: VersionedStore, succeeded: boolean, plans: readonly Plan[]): TxnResponse {
  const responses = plans.map((plan) => run(store, plan));
  return { type: 'txn', header: { revision: 0 }, succeeded, responses };
}

function put(store: VersionedStore, request: PutRequest): PutResponse {
  const previous = store.get(request.key);
  const value = request.ignoreValue === true ? previous?.value : (request.value ?? EMPTY_BYTES);
  store.put(request.key, defined(value ?? undefined, 'a missing key was refused before'));
  const prevKv = request.prevKv === true && previous !== undefined ? keyValue(previous, false) : null;
  return { type: 'put', header: { revision: store.revision }, prevKv };
}

function deleteRange(store: VersionedStore, request: DeleteRangeRequest): DeleteRangeResponse {
  const { versions } = store.range(request.key, upperBound(request.key, request.rangeEnd), store.revision, 0);
  for (const version of versions) store.delete(version.key);
  return {
    type: 'deleteRange',
    header: { revision: store.revision },
    deleted: versions.length,
    prevKvs: request.prevKv === true ? versions.map((version) => keyValue(version, false)) : [],
  };
}

function range(store: VersionedStore, request: RangeRequest): RangeResponse {
  const header = { revision: store.revision };
  const to = upperBound(request.key, request.rangeEnd);
  const asked = request.revision ?? 0;
  const revision = asked > 0 ? asked : store.revision;
  if (request.countOnly === true) {
    return { type: 'range', header, kvs: [], more: false, count: store.count(request.key, to, revision) };
  }
  const limit = Math.max(0, request.limit ?? 0);
  const order = request.sortOrder ?? 'none';
  // What is sorted or filtered is judged whole; else one key more than asked for shows whether there is more.
  const whole = limit === 0 || order !== 'none' || hasFilter(request);
  const found = store.range(request.key, to, revision, whole ? 0 : limit + 1);
  let versions = hasFilter(request) ? found.versions.filter((version) => passes(request, version)) : found.versions;
  versions = sorted(request, versions);
  const more = limit > 0 && versions.length > limit;
  if (more) versions = versions.slice(0, limit);
  const kvs = versions.map((version) => keyValue(version, request.keysOnly === true));
  return { type: 'range', header, kvs, more, count: found.count };
}

function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some((bound) => (bound ?? 0) !== 0);
}

/** 0 switches a bound off. */
function passes(request: RangeRequest, version: Version): boolean {
  const { minModRevision = 0, maxModRevision = 0, minCreateRevision = 0, maxCreateRevision = 0 } = request;
  if (minModRevision !== 0 && version.modRevision < minModRevision) return false;
  if (maxModRevision !== 0 && version.modRevision > maxModRevision) return false;
  if (minCreateRevision !== 0 && version.createRevision < minCreateRevision) return false;
  return maxCreateRevision === 0 || version.createRevision <= maxCreateRevision;
}

function sorted(request: RangeRequest, versions: Version[]): Version[] {
  const target = request.sortTarget ?? 'key';
  const order = request.sortOrder ?? 'none';
  if (target === 'key') return order === 'descend' ? versions.reverse() : versions;
  const compare = (a: Version, b: Version): number => {
    switch (target) {
      case 'version':
        return a.version - b.version;
      case 'create':
        return a.createRevision - b.createRevision;
      case 'mod':
        return a.modRevision - b.modRevision;
      case 'value':
        return compareBytes(a.value ?? EMPTY_BYTES, b.value ?? EMPTY_BYTES);
    }
  };
  return versions.sort(order === 'descend' ? (a, b) => compare(b, a) : compare);
}

function holds(store: VersionedStore, compare: Compare): boolean {
  const to = upperBound(compare.key, compare.rangeEnd);
  const { versions } = store.range(compare.key, to, store.revision, 0);
  // A missing key has no value, but is of version 0, created and changed at revision 0.
  if (versions.length === 0) return compare.target !== 'value' && holdsFor(compare, null);
  return versions.every((version) => holdsFor(compare, version));
}

function holdsFor(compare: Compare, version: Version | null): boolean {
  const difference = differenceOf(compare, version);
  switch (compare.result) {
    case 'equal':
      return difference === 0;
    case 'notEqual':
      return difference !== 0;
    case 'greater':
      return difference > 0;
    case 'less':
      return difference < 0;
  }
}

function differenceOf(compare: Compare, version: Version | null): number {
  switch (compare.target) {
    case 'version':
      return (version?.version ?? 0) - compare.version;
    case 'create':
      return (version?.createRevision ?? 0) - compare.createRevision;
    case 'mod':
      return (version?.modRevision ?? 0) - compare.modRevision;
    case 'lease':
      return 0 - compare.lease;
    case 'value':
      return compareBytes(version?.value ?? EMPTY_BYTES, compare.value);
  }
}

function keyValue(version: Version, keysOnly: boolean): KeyValue {
  const { key, createRevision, modRevision, version: ordinal, value } = version;
  assert(value !== null, 'a tombstone is never shown');
  return { key, createRevision, modRevision, version: ordinal, value: keysOnly ? EMPTY_BYTES : value, lease: 0 };
}
