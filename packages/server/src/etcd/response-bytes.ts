/**
 * The answers to puts and ranges as protobuf writes them, which most of all traffic is: the generated code does the
 * same at several times the cost, by way of a bigint for each number.
 */
import { ByteWriter } from '@polder/core';
import type { KeyValue, PutResponse, RangeResponse } from '@polder/core/kv';

/** Of `ResponseHeader`. */
export interface HeaderFields {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: number;
  readonly term: number;
}

const BYTES = 2;
/** Memory to write in. */
const out = new ByteWriter(4 * 1024);

export function putResponseBytes(response: PutResponse, header: HeaderFields): Uint8Array {
  out.clear();
  writeHeader(header);
  if (response.prevKv !== null) writeKeyValue(2, response.prevKv);
  return out.finish();
}

export function rangeResponseBytes(response: RangeResponse, header: HeaderFields): Uint8Array {
  out.clear();
  writeHeader(header);
  for (const each of response.kvs) writeKeyValue(2, each);
  writeNumber(3, response.more ? 1 : 0);
  writeNumber(4, response.count);
  return out.finish();
}

function writeHeader({ clusterId, memberId, revision, term }: HeaderFields): void {
  const ids = idsOf(clusterId, memberId);
  writeTag(1, ids.length + numberSize(revision) + numberSize(term));
  out.raw(ids);
  writeNumber(3, revision);
  writeNumber(4, term);
}

function writeKeyValue(field: number, each: KeyValue): void {
  const { key, createRevision, modRevision, version, value, lease } = each;
  const numbers = numberSize(createRevision) + numberSize(modRevision) + numberSize(version) + numberSize(lease);
  writeTag(field, bytesSize(key) + numbers + bytesSize(value));
  writeBytes(1, key);
  writeNumber(2, createRevision);
  writeNumber(3, modRevision);
  writeNumber(4, version);
  writeBytes(5, value);
  writeNumber(6, lease);
}

/** They never change: the last ones are kept as they are written. */
let known = { clusterId: 0n, memberId: 0n, bytes: new Uint8Array(0) };

function idsOf(clusterId: bigint, memberId: bigint): Uint8Array {
  if (known.clusterId === clusterId && known.memberId === memberId) return known.bytes;
  const bytes = new Uint8Array([...bigField(1, clusterId), ...bigField(2, memberId)]);
  known = { clusterId, memberId, bytes };
  return bytes;
}

function bigField(field: number, value: bigint): number[] {
  if (value === 0n) return [];
  const bytes = [field << 3];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

// ── fields; what has its default value is left out ──────────────────────────────────────────────────────────────

function writeTag(field: number, length: number): void {
  out.u8((field << 3) | BYTES);
  out.varint(length);
}

function writeBytes(field: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  writeTag(field, bytes.length);
  out.raw(bytes);
}

function writeNumber(field: number, value: number): void {
  if (value === 0) return;
  out.u8(field << 3);
  out.varint(value);
}

function bytesSize({ length }: Uint8Array): number {
  return length === 0 ? 0 : 1 + varintSize(length) + length;
}

function numberSize(value: number): number {
  return value === 0 ? 0 : 1 + varintSize(value);
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}
