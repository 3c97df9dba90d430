import { beforeEach, describe, expect, test } from 'vitest';
import { text, utf8 } from '../base/bytes.ts';
import { encodeKvRequest } from './codec.ts';
import { KV_ERRORS } from './errors.ts';
import type { Compare, KvRequest, PutRequest, RangeRequest, RequestOp } from './request.ts';
import { KvStateMachine } from './state-machine.ts';

let machine: KvStateMachine;
let sequence: number;

beforeEach(() => {
  machine = new KvStateMachine();
  sequence = 0;
});

function apply(request: KvRequest) {
  const origin = { member: 1, boot: 1, sequence: ++sequence, acknowledgedThrough: 0 };
  const entry = { term: 1, index: machine.appliedIndex() + 1, origin, command: encodeKvRequest(request) };
  return machine.apply(entry);
}

const key = utf8;
const END = utf8('\0');

function putOp(name: string, value = 'v', more: Partial<PutRequest> = {}): PutRequest {
  return { type: 'put', key: key(name), value: utf8(value), ...more };
}

function put(name: string, value = 'v', more: Partial<PutRequest> = {}) {
  return apply(putOp(name, value, more));
}

function del(name: string, end = ''): KvRequest & RequestOp {
  return { type: 'deleteRange', key: key(name), rangeEnd: utf8(end), prevKv: true };
}

function range(name: string, end = '', more: Partial<RangeRequest> = {}) {
  const result = machine.query({ type: 'range', key: key(name), rangeEnd: utf8(end), ...more });
  if (result.type === 'error') return { error: result.code };
  if (result.response.type !== 'range') throw new Error('a range answers with a range');
  const { kvs, more: isMore, count, header } = result.response;
  return { keys: kvs.map((kv) => text(kv.key)), kvs, more: isMore, count, revision: header.revision };
}

function txn(success: RequestOp[], compare: Compare[] = [], failure: RequestOp[] = []) {
  return apply({ type: 'txn', compare, success, failure });
}

function succeeds(compare: Compare): boolean {
  const result = machine.query({ type: 'txn', compare: [compare], success: [], failure: [] });
  if (result.type === 'error' || result.response.type !== 'txn') throw new Error('a compare answers');
  return result.response.succeeded;
}

const error = (code: string) => ({ type: 'error', code });

describe('revisions', () => {
  test('K2: the store starts at revision 1; the first put makes 2', () => {
    expect(machine.revision()).toBe(1);
    expect(put('a')).toMatchObject({ response: { header: { revision: 2 } } });
  });

  test('K2: one transaction raises the revision by one, however much it changes', () => {
    expect(txn([putOp('a'), putOp('b'), putOp('c')])).toMatchObject({ response: { header: { revision: 2 } } });
    expect(range('a', 'z').kvs?.map((kv) => kv.modRevision)).toEqual([2, 2, 2]);
  });

  test('K2: deleting nothing, a read-only transaction and a refused request raise it by none', () => {
    apply(del('a'));
    txn([{ type: 'range', key: key('a') }]);
    put('a', '', { ignoreValue: true });
    expect(machine.revision()).toBe(1);
  });

  test('K3: version counts puts since creation; createRevision stays, modRevision moves; deletion starts anew', () => {
    put('a');
    put('a');
    expect(range('a').kvs).toMatchObject([{ createRevision: 2, modRevision: 3, version: 2, lease: 0 }]);
    apply(del('a'));
    put('a');
    expect(range('a').kvs).toMatchObject([{ createRevision: 5, modRevision: 5, version: 1 }]);
  });
});

describe('ranges', () => {
  beforeEach(() => {
    for (const name of ['b', 'a', 'c']) put(name, `${name}!`);
  });

  test('an empty key is refused: "key is not provided"', () => {
    expect(range('')).toEqual({ error: 'emptyKey' });
    expect(put('')).toEqual(error('emptyKey'));
    expect(apply(del(''))).toEqual(error('emptyKey'));
    expect(txn([putOp('')])).toEqual(error('emptyKey'));
  });

  test('rangeEnd: empty is one key, \\0 is to the end, exclusive otherwise, below the key is nothing', () => {
    expect(range('a').keys).toEqual(['a']);
    expect(range('b', '\0').keys).toEqual(['b', 'c']);
    expect(range('\0', '\0').keys).toEqual(['a', 'b', 'c']);
    expect(range('a', 'c').keys).toEqual(['a', 'b']);
    expect(range('c', 'a')).toMatchObject({ keys: [], count: 0, more: false });
  });

  test('count ignores the limit and the revision filters; more is judged after the filters', () => {
    expect(range('a', 'z', { limit: 2 })).toMatchObject({ keys: ['a', 'b'], count: 3, more: true });
    expect(range('a', 'z', { limit: 3 })).toMatchObject({ count: 3, more: false });
    expect(range('a', 'z', { limit: 2, maxModRevision: 3 })).toMatchObject({ keys: ['a', 'b'], count: 3, more: false });
    expect(range('a', 'z', { limit: 1, minModRevision: 3 })).toMatchObject({ keys: ['a'], count: 3, more: true });
  });

  test('the four filters on mod and create revision', () => {
    put('a');
    expect(range('a', 'z', { minModRevision: 4 }).keys).toEqual(['a', 'c']);
    expect(range('a', 'z', { maxModRevision: 4 }).keys).toEqual(['b', 'c']);
    expect(range('a', 'z', { minCreateRevision: 3 }).keys).toEqual(['a', 'c']);
    expect(range('a', 'z', { maxCreateRevision: 3 }).keys).toEqual(['a', 'b']);
  });

  test('sorting by every target, both ways; a target other than key with order none sorts ascending', () => {
    put('a', 'z!');
    put('a', 'z!');
    expect(range('a', 'z', { sortOrder: 'descend' }).keys).toEqual(['c', 'b', 'a']);
    expect(range('a', 'z', { sortTarget: 'mod', sortOrder: 'ascend' }).keys).toEqual(['b', 'c', 'a']);
    expect(range('a', 'z', { sortTarget: 'create', sortOrder: 'descend' }).keys).toEqual(['c', 'a', 'b']);
    expect(range('a', 'z', { sortTarget: 'version', sortOrder: 'descend' }).keys).toEqual(['a', 'b', 'c']);
    expect(range('a', 'z', { sortTarget: 'value' }).keys).toEqual(['b', 'c', 'a']);
  });

  test('a sorted range is limited after sorting', () => {
    expect(range('a', 'z', { sortTarget: 'mod', sortOrder: 'descend', limit: 1 })).toMatchObject({
      keys: ['c'],
      more: true,
    });
  });

  test('keysOnly leaves values out, also when it sorts by them; countOnly leaves keys out', () => {
    const answer = range('a', 'z', { keysOnly: true, sortTarget: 'value', sortOrder: 'descend' });
    expect(answer.keys).toEqual(['c', 'b', 'a']);
    expect(answer.kvs?.every((kv) => kv.value.length === 0)).toBe(true);
    expect(range('a', 'z', { countOnly: true, limit: 1 })).toMatchObject({ keys: [], count: 3, more: false });
  });

  test('K4: a read at an old revision sees exactly what was there, with the present revision in the header', () => {
    apply(del('a', 'z'));
    put('a', 'new');
    expect(range('a', 'z', { revision: 3 })).toMatchObject({ keys: ['a', 'b'], count: 2, revision: 6 });
    expect(range('a', 'z', { revision: 5 })).toMatchObject({ keys: [], count: 0 });
    expect(range('a', 'z', { revision: 4, countOnly: true }).count).toBe(3);
    expect(range('a', 'z', { revision: 7 })).toEqual({ error: 'futureRevision' });
  });
});

test('K4: a key shows once at an old revision, in the newest version of that time', () => {
  put('a', '1');
  put('a', '2');
  put('b');
  expect(range('a', 'z', { revision: 3 })).toMatchObject({ keys: ['a'], kvs: [{ value: utf8('2') }], count: 1 });
  expect(range('a', 'z', { revision: 2 })).toMatchObject({ keys: ['a'], kvs: [{ value: utf8('1') }], count: 1 });
});

describe('compaction', () => {
  test('K5: reading at exactly the compacted revision succeeds; below it and in the future are errors', () => {
    for (const value of ['1', '2', '3']) put('a', value);
    expect(apply({ type: 'compact', revision: 3 })).toMatchObject({ response: { header: { revision: 4 } } });
    expect(range('a', '', { revision: 3 }).kvs).toMatchObject([{ value: utf8('2') }]);
    expect(range('a', '', { revision: 2 })).toEqual({ error: 'compacted' });
    expect(apply({ type: 'compact', revision: 3 })).toEqual(error('compacted'));
    expect(apply({ type: 'compact', revision: 5 })).toEqual(error('futureRevision'));
    expect(machine.compactRevision()).toBe(3);
  });

  test('K6: compaction gives the space of what can no longer be read back', () => {
    put('a', '12345');
    put('a', '12345');
    apply(del('a'));
    put('b', '1');
    expect(machine.sizeBytes()).toBe(6 + 6 + 1 + 2);
    apply({ type: 'compact', revision: 5 });
    expect(machine.sizeBytes()).toBe(2);
    expect(machine.keyCount()).toBe(1);
  });
});

describe('put and delete', () => {
  test('prevKv gives the pair before the change, and none on creation', () => {
    expect(put('a', '1', { prevKv: true })).toMatchObject({ response: { prevKv: null } });
    expect(put('a', '2', { prevKv: true })).toMatchObject({
      response: { prevKv: { value: utf8('1'), modRevision: 2 } },
    });
    expect(put('a', '3')).toMatchObject({ response: { prevKv: null } });
    expect(apply(del('a'))).toMatchObject({ response: { deleted: 1, prevKvs: [{ value: utf8('3'), version: 3 }] } });
    put('a', '4');
    expect(apply({ type: 'deleteRange', key: key('a'), rangeEnd: END })).toMatchObject({
      response: { deleted: 1, prevKvs: [] },
    });
  });

  test('ignoreValue and ignoreLease keep what is there; on a missing key: "key not found"', () => {
    expect(put('a', '', { ignoreValue: true })).toEqual(error('keyNotFound'));
    expect(put('a', 'x', { ignoreLease: true })).toEqual(error('keyNotFound'));
    put('a', 'kept');
    put('a', '', { ignoreValue: true });
    expect(range('a').kvs).toMatchObject([{ value: utf8('kept'), version: 2 }]);
    put('a', 'new', { ignoreLease: true });
    expect(range('a').kvs).toMatchObject([{ value: utf8('new'), version: 3 }]);
  });

  test('ignoreValue with a value: "value is provided"; ignoreLease with a lease: "lease is provided"', () => {
    put('a');
    expect(put('a', 'x', { ignoreValue: true })).toEqual(error('valueProvided'));
    expect(put('a', 'x', { ignoreLease: true, lease: 7 })).toEqual(error('leaseProvided'));
  });

  test('a put with a lease, none of which exists yet: "requested lease not found"', () => {
    expect(put('a', 'x', { lease: 2 ** 60 })).toEqual(error('leaseNotFound'));
    expect(put('a', 'x', { lease: -1 })).toEqual(error('leaseNotFound'));
    expect(machine.keyCount()).toBe(0);
  });

  test('over 1.5 MiB: "request is too large"', () => {
    const large: PutRequest = { type: 'put', key: key('a'), value: new Uint8Array(1.5 * 1024 * 1024) };
    expect(apply(large)).toEqual(error('requestTooLarge'));
    expect(apply({ ...large, value: new Uint8Array(1.5 * 1024 * 1024 - 1) })).toMatchObject({ type: 'ok' });
  });
});

describe('compares', () => {
  const on = { key: key('a') };

  test('VALUE on a missing key is always false', () => {
    for (const result of ['equal', 'notEqual', 'greater', 'less'] as const) {
      expect(succeeds({ ...on, target: 'value', result, value: utf8('') })).toBe(false);
      expect(succeeds({ ...on, rangeEnd: END, target: 'value', result, value: utf8('x') })).toBe(false);
    }
  });

  test('VERSION, CREATE, MOD and LEASE treat a missing key as 0, an empty range as one zero key', () => {
    for (const place of [on, { ...on, rangeEnd: END }]) {
      expect(succeeds({ ...place, target: 'version', result: 'equal', version: 0 })).toBe(true);
      expect(succeeds({ ...place, target: 'create', result: 'equal', createRevision: 0 })).toBe(true);
      expect(succeeds({ ...place, target: 'mod', result: 'less', modRevision: 1 })).toBe(true);
      expect(succeeds({ ...place, target: 'lease', result: 'notEqual', lease: 0 })).toBe(false);
      expect(succeeds({ ...place, target: 'version', result: 'greater', version: 0 })).toBe(false);
    }
  });

  test('every target with every result on a key that exists', () => {
    put('a', 'm');
    put('a', 'm');
    const holding = (of: (operand: number, result: Compare['result']) => Compare, at: number): void => {
      const results = (operand: number) =>
        (['equal', 'notEqual', 'less', 'greater'] as const).map((result) => succeeds(of(operand, result)));
      expect(results(at)).toEqual([true, false, false, false]);
      expect(results(at + 1)).toEqual([false, true, true, false]);
      expect(results(at - 1)).toEqual([false, true, false, true]);
    };
    holding((version, result) => ({ ...on, target: 'version', result, version }), 2);
    holding((createRevision, result) => ({ ...on, target: 'create', result, createRevision }), 2);
    holding((modRevision, result) => ({ ...on, target: 'mod', result, modRevision }), 3);
    holding((lease, result) => ({ ...on, target: 'lease', result, lease }), 0);
    holding((byte, result) => ({ ...on, target: 'value', result, value: new Uint8Array([byte]) }), 0x6d);
  });

  test('a range compare must hold for every key of the range', () => {
    put('a', 'x');
    put('b', 'x');
    expect(succeeds({ ...on, rangeEnd: END, target: 'value', result: 'equal', value: utf8('x') })).toBe(true);
    put('b', 'y');
    expect(succeeds({ ...on, rangeEnd: END, target: 'value', result: 'equal', value: utf8('x') })).toBe(false);
  });
});

describe('transactions', () => {
  test('K7: a range inside a transaction sees the writes before it, not those after it', () => {
    const read: RequestOp = { type: 'range', key: key('a'), rangeEnd: END };
    expect(txn([read, putOp('a'), read, putOp('b'), read])).toMatchObject({
      response: { responses: [{ count: 0 }, {}, { count: 1, header: { revision: 2 } }, {}, { count: 2 }] },
    });
  });

  test('K7: a range at the revision before the transaction does not see its writes', () => {
    put('a', 'old');
    expect(txn([putOp('a', 'new'), { type: 'range', key: key('a'), revision: 2 }])).toMatchObject({
      response: { responses: [{}, { kvs: [{ value: utf8('old') }] }] },
    });
  });

  test('K8: nested compares see the state before the whole transaction', () => {
    const nested: RequestOp = {
      type: 'txn',
      compare: [{ key: key('a'), target: 'version', result: 'equal', version: 0 }],
      success: [putOp('b', 'before')],
      failure: [putOp('b', 'after')],
    };
    txn([putOp('a'), nested]);
    expect(range('b').kvs).toMatchObject([{ value: utf8('before') }]);
    txn([putOp('c'), nested]);
    expect(range('b').kvs).toMatchObject([{ value: utf8('after') }]);
  });

  test('the branch follows the compares, all of which must hold', () => {
    const yes: Compare = { key: key('a'), target: 'version', result: 'equal', version: 0 };
    expect(txn([putOp('s')], [yes, { ...yes, result: 'notEqual' }], [putOp('f')])).toMatchObject({
      response: { succeeded: false },
    });
    expect(range('\0', '\0').keys).toEqual(['f']);
  });

  test('K9: a transaction that fails changes nothing', () => {
    expect(txn([putOp('a'), putOp('b', '', { ignoreValue: true })])).toEqual(error('keyNotFound'));
    expect(txn([putOp('a'), putOp('b', 'x', { lease: 1 })])).toEqual(error('leaseNotFound'));
    expect(txn([putOp('a'), { type: 'range', key: key('a'), revision: 2 }])).toEqual(error('futureRevision'));
    expect(machine.revision()).toBe(1);
    expect(machine.keyCount()).toBe(0);
  });

  test('what fails only in the branch not taken does not matter', () => {
    expect(txn([putOp('a')], [], [putOp('b', 'x', { lease: 1 })])).toMatchObject({ type: 'ok' });
  });

  test('the same key put twice, or a put overlapping a delete: "duplicate key given in txn request"', () => {
    const nest = (success: RequestOp[], failure: RequestOp[] = []): RequestOp => {
      return { type: 'txn', compare: [], success, failure };
    };
    const duplicate = error('duplicateKey');
    expect(txn([putOp('a'), putOp('a')])).toEqual(duplicate);
    expect(txn([putOp('b'), del('a', 'c')])).toEqual(duplicate);
    expect(txn([del('b'), putOp('b')])).toEqual(duplicate);
    expect(txn([], [], [putOp('a'), putOp('a')])).toEqual(duplicate);
    expect(txn([putOp('a'), nest([putOp('a')])])).toEqual(duplicate);
    expect(txn([del('a', 'c'), nest([], [putOp('b')])])).toEqual(duplicate);
    expect(txn([nest([putOp('a')]), nest([putOp('a')])])).toEqual(duplicate);
    expect(txn([nest([del('a')]), putOp('a')])).toEqual(duplicate);
    expect(txn([nest([putOp('a')], [putOp('a')])])).toMatchObject({ type: 'ok' });
    expect(txn([del('a', 'c'), del('b'), putOp('c')])).toMatchObject({ type: 'ok' });
  });

  test("a delete to the end may be followed by a put, and a put by a sibling's delete, in one revision", () => {
    put('a', 'old');
    put('b', 'old');
    txn([del('a', '\0'), putOp('b', 'new')]);
    expect(range('\0', '\0').kvs).toMatchObject([{ key: key('b'), createRevision: 4, modRevision: 4, version: 1 }]);
    txn([
      { type: 'txn', compare: [], success: [putOp('c')], failure: [] },
      { type: 'txn', compare: [], success: [del('c')], failure: [] },
    ]);
    put('b', 'newer');
    expect(range('\0', '\0', { revision: 5 }).keys).toEqual(['b']);
    expect(range('\0', '\0', { revision: 4 }).kvs).toMatchObject([{ value: utf8('new') }]);
    apply({ type: 'compact', revision: 4 });
    expect(range('\0', '\0', { revision: 4 }).kvs).toMatchObject([{ value: utf8('new') }]);
    apply({ type: 'compact', revision: 6 });
    expect(machine.sizeBytes()).toBe('bnewer'.length);
  });

  test('an unknown lease is noticed before a missing key in a put, after it in a transaction', () => {
    const both = putOp('z', '', { ignoreValue: true, lease: 5 });
    expect(apply(both)).toEqual(error('leaseNotFound'));
    expect(txn([both])).toEqual(error('keyNotFound'));
  });

  test('the header of a nested transaction is left empty; those of its operations are not', () => {
    expect(txn([{ type: 'txn', compare: [], success: [putOp('a')], failure: [] }])).toMatchObject({
      response: {
        header: { revision: 2 },
        responses: [{ header: { revision: 0 }, responses: [{ header: { revision: 2 } }] }],
      },
    });
  });

  test('sorting by value with order none and a limit sorts the first limit + 1 keys only', () => {
    for (const [name, value] of [
      ['a', 'z'],
      ['b', 'y'],
      ['c', 'x'],
    ] as const)
      put(name, value);
    expect(range('a', 'z', { sortTarget: 'value', limit: 1 })).toMatchObject({ keys: ['b'], more: true, count: 3 });
  });

  test('more than 128 operations: "too many operations in txn request", counted through nesting', () => {
    const puts = (n: number): RequestOp[] => Array.from({ length: n }, (_, i) => putOp(`k${i}`));
    expect(txn(puts(128))).toMatchObject({ type: 'ok' });
    expect(txn(puts(129))).toEqual(error('tooManyOps'));
    expect(txn([], [], puts(129))).toEqual(error('tooManyOps'));
    expect(txn([{ type: 'txn', compare: [], success: puts(127), failure: [] }])).toMatchObject({ type: 'ok' });
    expect(txn([{ type: 'txn', compare: [], success: puts(128), failure: [] }])).toEqual(error('tooManyOps'));
  });
});

test("errors carry etcd's gRPC codes and texts", () => {
  expect(KV_ERRORS.compacted).toEqual({ grpc: 11, text: 'etcdserver: mvcc: required revision has been compacted' });
  expect(KV_ERRORS.futureRevision.text).toBe('etcdserver: mvcc: required revision is a future revision');
  expect(KV_ERRORS.leaseNotFound).toEqual({ grpc: 5, text: 'etcdserver: requested lease not found' });
  expect(KV_ERRORS.emptyKey).toEqual({ grpc: 3, text: 'etcdserver: key is not provided' });
  expect(KV_ERRORS.duplicateKey.text).toBe('etcdserver: duplicate key given in txn request');
});
