/** Requests as the bytes of a log entry. Read back by the same checks as from a hostile peer: `MalformedBytes` or a request. */
import { assert, defined } from '../base/assert.ts';
import { ByteReader, ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { MAX_TXN_OPS } from './check.ts';
import type { Compare, KvRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from './request.ts';

const FORMAT = 1;
/** Each level of a transaction uses up at least one operation of the level below the limit. */
const MAX_DEPTH = MAX_TXN_OPS + 1;

const RANGE = 1;
const PUT = 2;
const DELETE_RANGE = 3;
const TXN = 4;
const COMPACT = 5;

const SORT_ORDERS = ['none', 'ascend', 'descend'] as const;
const SORT_TARGETS = ['key', 'version', 'create', 'mod', 'value'] as const;
const COMPARE_RESULTS = ['equal', 'greater', 'less', 'notEqual'] as const;
const COMPARE_TARGETS = ['version', 'create', 'mod', 'value', 'lease'] as const;

/** Memory to write in. */
const writer = new ByteWriter(1024);

/** The request must have passed `checkKvRequest`. */
export function encodeKvRequest(request: KvRequest): Uint8Array {
  writer.clear();
  writer.u8(FORMAT);
  encode(writer, request, 0);
  return writer.finish();
}

/** The request shares the memory of `bytes`. Throws `MalformedBytes`. */
export function decodeKvRequest(bytes: Uint8Array): KvRequest {
  const reader = new ByteReader(bytes, 'shared');
  if (reader.u8() !== FORMAT) throw malformed('is of another format');
  const request = decode(reader, 0);
  reader.end();
  return request;
}

function encode(writer: ByteWriter, request: KvRequest, depth: number): void {
  assert(depth <= MAX_DEPTH, 'transactions are checked before they are encoded');
  switch (request.type) {
    case 'range':
      return encodeRange(writer, request);
    case 'put':
      return encodePut(writer, request);
    case 'deleteRange':
      writer.u8(DELETE_RANGE);
      writer.bytes(request.key);
      writer.bytes(request.rangeEnd ?? EMPTY_BYTES);
      return writer.bool(request.prevKv ?? false);
    case 'txn':
      writer.u8(TXN);
      writer.varint(request.compare.length);
      for (const compare of request.compare) encodeCompare(writer, compare);
      for (const branch of [request.success, request.failure]) {
        writer.varint(branch.length);
        for (const op of branch) encode(writer, op, depth + 1);
      }
      return;
    case 'compact':
      writer.u8(COMPACT);
      encodeInteger(writer, request.revision);
      return writer.bool(request.physical ?? false);
  }
}

function encodeRange(writer: ByteWriter, request: RangeRequest): void {
  writer.u8(RANGE);
  writer.bytes(request.key);
  writer.bytes(request.rangeEnd ?? EMPTY_BYTES);
  encodeInteger(writer, request.limit ?? 0);
  encodeInteger(writer, request.revision ?? 0);
  writer.u8(SORT_ORDERS.indexOf(request.sortOrder ?? 'none'));
  writer.u8(SORT_TARGETS.indexOf(request.sortTarget ?? 'key'));
  writer.bool(request.serializable ?? false);
  writer.bool(request.keysOnly ?? false);
  writer.bool(request.countOnly ?? false);
  encodeInteger(writer, request.minModRevision ?? 0);
  encodeInteger(writer, request.maxModRevision ?? 0);
  encodeInteger(writer, request.minCreateRevision ?? 0);
  encodeInteger(writer, request.maxCreateRevision ?? 0);
}

function encodePut(writer: ByteWriter, request: PutRequest): void {
  writer.u8(PUT);
  writer.bytes(request.key);
  writer.bytes(request.value ?? EMPTY_BYTES);
  encodeInteger(writer, request.lease ?? 0);
  writer.bool(request.prevKv ?? false);
  writer.bool(request.ignoreValue ?? false);
  writer.bool(request.ignoreLease ?? false);
}

function encodeCompare(writer: ByteWriter, compare: Compare): void {
  writer.bytes(compare.key);
  writer.bytes(compare.rangeEnd ?? EMPTY_BYTES);
  writer.u8(COMPARE_RESULTS.indexOf(compare.result));
  writer.u8(COMPARE_TARGETS.indexOf(compare.target));
  switch (compare.target) {
    case 'version':
      return encodeInteger(writer, compare.version);
    case 'create':
      return encodeInteger(writer, compare.createRevision);
    case 'mod':
      return encodeInteger(writer, compare.modRevision);
    case 'lease':
      return encodeInteger(writer, compare.lease);
    case 'value':
      return writer.bytes(compare.value);
  }
}

function decode(reader: ByteReader, depth: number): KvRequest {
  if (depth > MAX_DEPTH) throw malformed('nests too deeply');
  const type = reader.u8();
  switch (type) {
    case RANGE:
      return decodeRange(reader);
    case PUT:
      return {
        type: 'put',
        key: reader.bytes(),
        value: reader.bytes(),
        lease: decodeInteger(reader),
        prevKv: reader.bool(),
        ignoreValue: reader.bool(),
        ignoreLease: reader.bool(),
      };
    case DELETE_RANGE:
      return { type: 'deleteRange', key: reader.bytes(), rangeEnd: reader.bytes(), prevKv: reader.bool() };
    case TXN:
      return decodeTxn(reader, depth);
    case COMPACT:
      return { type: 'compact', revision: decodeInteger(reader), physical: reader.bool() };
    default:
      throw malformed('holds a request of an unknown kind');
  }
}

function decodeRange(reader: ByteReader): RangeRequest {
  return {
    type: 'range',
    key: reader.bytes(),
    rangeEnd: reader.bytes(),
    limit: decodeInteger(reader),
    revision: decodeInteger(reader),
    sortOrder: decodeName(reader, SORT_ORDERS),
    sortTarget: decodeName(reader, SORT_TARGETS),
    serializable: reader.bool(),
    keysOnly: reader.bool(),
    countOnly: reader.bool(),
    minModRevision: decodeInteger(reader),
    maxModRevision: decodeInteger(reader),
    minCreateRevision: decodeInteger(reader),
    maxCreateRevision: decodeInteger(reader),
  };
}

function decodeTxn(reader: ByteReader, depth: number): TxnRequest {
  const compare: Compare[] = [];
  // A count is believed only as far as bytes follow: each element takes at least one.
  for (let left = reader.varint(); left > 0; left--) compare.push(decodeCompare(reader));
  const branches = [0, 1].map(() => {
    const ops: RequestOp[] = [];
    for (let left = reader.varint(); left > 0; left--) {
      const op = decode(reader, depth + 1);
      if (op.type === 'compact') throw malformed('compacts inside a transaction');
      ops.push(op);
    }
    return ops;
  });
  const success = defined(branches[0], 'two branches are read');
  return { type: 'txn', compare, success, failure: defined(branches[1], 'two branches are read') };
}

function decodeCompare(reader: ByteReader): Compare {
  const key = reader.bytes();
  const rangeEnd = reader.bytes();
  const result = decodeName(reader, COMPARE_RESULTS);
  const target = decodeName(reader, COMPARE_TARGETS);
  switch (target) {
    case 'version':
      return { key, rangeEnd, result, target, version: decodeInteger(reader) };
    case 'create':
      return { key, rangeEnd, result, target, createRevision: decodeInteger(reader) };
    case 'mod':
      return { key, rangeEnd, result, target, modRevision: decodeInteger(reader) };
    case 'lease':
      return { key, rangeEnd, result, target, lease: decodeInteger(reader) };
    case 'value':
      return { key, rangeEnd, result, target, value: reader.bytes() };
  }
}

/** Revisions on the wire may be negative or beyond 2^53; none here is, so clamping keeps every comparison's outcome. */
function encodeInteger(writer: ByteWriter, value: number): void {
  assert(!Number.isNaN(value), 'an integer is a number');
  writer.bool(value < 0);
  writer.varint(Math.min(Math.abs(Math.trunc(value)), Number.MAX_SAFE_INTEGER));
}

function decodeInteger(reader: ByteReader): number {
  const negative = reader.bool();
  const magnitude = reader.varint();
  return negative && magnitude !== 0 ? -magnitude : magnitude;
}

function decodeName<Name extends string>(reader: ByteReader, names: readonly Name[]): Name {
  const name = names[reader.u8()];
  if (name === undefined) throw malformed('holds an unknown option');
  return name;
}

function malformed(what: string): PolderError {
  return new PolderError('MalformedBytes', `the KV request ${what}: it is not of this version's format`);
}
