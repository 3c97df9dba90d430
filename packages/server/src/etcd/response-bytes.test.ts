import type { KeyValue } from '@polder/core/kv';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PutResponse, RangeResponse } from '../generated/etcdserverpb/rpc.ts';
import { type HeaderFields, putResponseBytes, rangeResponseBytes } from './response-bytes.ts';
import { putToWire, rangeToWire } from './to-wire.ts';

const number = fc.oneof(fc.constant(0), fc.nat(300), fc.maxSafeNat());
const id = fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 64n - 1n));
const bytes = fc.uint8Array({ maxLength: 300 });
const keyValue: fc.Arbitrary<KeyValue> = fc.record({
  key: bytes,
  createRevision: number,
  modRevision: number,
  version: number,
  value: bytes,
  lease: number,
});
const header: fc.Arbitrary<HeaderFields> = fc.record({ clusterId: id, memberId: id, revision: number, term: number });

function wireHeader({ clusterId, memberId, revision, term }: HeaderFields) {
  return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(term) };
}

it('an answer to a put has the bytes that the generated code gives it', () => {
  fc.assert(
    fc.property(header, fc.option(keyValue), (fields, prevKv) => {
      const response = { type: 'put', header: { revision: fields.revision }, prevKv } as const;
      const expected = PutResponse.encode(putToWire(response, wireHeader(fields))).finish();
      expect([...putResponseBytes(response, fields)]).toEqual([...expected]);
    }),
  );
});

it('an answer to a range has the bytes that the generated code gives it', () => {
  fc.assert(
    fc.property(header, fc.array(keyValue, { maxLength: 5 }), fc.boolean(), number, (fields, kvs, more, count) => {
      const response = { type: 'range', header: { revision: fields.revision }, kvs, more, count } as const;
      const expected = RangeResponse.encode(rangeToWire(response, wireHeader(fields))).finish();
      expect([...rangeResponseBytes(response, fields)]).toEqual([...expected]);
    }),
  );
});
