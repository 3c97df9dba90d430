/** Keys and values as a person gives them, into etcd's requests. */
import { utf8 } from '@polder/core';
import type { Compare, KvRequest, RangeRequest, RequestOp, SortOrder, SortTarget, TxnRequest } from '@polder/core/kv';

/** Text counts as its UTF-8 bytes. */
export type Bytes = string | Uint8Array;

/** Some keys: those that begin with `prefix`; those from `from` up to, not including, `to` (without it: to the end). */
export type Span = { readonly prefix: Bytes } | { readonly from: Bytes; readonly to?: Bytes };

/** etcd's structures, with text wherever bytes are. */
export type Loose<T> = T extends Uint8Array
  ? Bytes
  : T extends readonly (infer Element)[]
    ? readonly Loose<Element>[]
    : T extends object
      ? { readonly [Key in keyof T]: Loose<T[Key]> }
      : T;

export interface TxnInput {
  /** All must hold for `success` to happen, else `failure` does. None: `success`. */
  readonly compare?: readonly Loose<Compare>[];
  readonly success?: readonly Loose<RequestOp>[];
  readonly failure?: readonly Loose<RequestOp>[];
}

export interface RangeInput {
  readonly limit?: number;
  /** The store as it was then. */
  readonly revision?: number;
  readonly order?: SortOrder;
  readonly sortBy?: SortTarget;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

const TO_THE_END = new Uint8Array([0]);

export function bytesOf(value: Bytes): Uint8Array {
  return typeof value === 'string' ? utf8(value) : value;
}

/** etcd's key and range end. */
export function spanOf(span: Span): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
  if ('prefix' in span) {
    const prefix = bytesOf(span.prefix);
    // An empty key is none: everything begins at the first one that there can be.
    return { key: prefix.length === 0 ? TO_THE_END : prefix, rangeEnd: afterPrefix(prefix) };
  }
  const from = bytesOf(span.from);
  const to = span.to === undefined ? TO_THE_END : bytesOf(span.to);
  return { key: from.length === 0 ? TO_THE_END : from, rangeEnd: to };
}

export function rangeRequest(
  where: { readonly key: Uint8Array; readonly rangeEnd?: Uint8Array },
  input: RangeInput,
): RangeRequest {
  const { limit, revision, order, sortBy, keysOnly, countOnly } = input;
  return {
    type: 'range',
    ...where,
    ...(limit === undefined ? {} : { limit }),
    ...(revision === undefined ? {} : { revision }),
    ...(order === undefined ? {} : { sortOrder: order }),
    ...(sortBy === undefined ? {} : { sortTarget: sortBy }),
    ...(keysOnly === undefined ? {} : { keysOnly }),
    ...(countOnly === undefined ? {} : { countOnly }),
  };
}

export function txnRequest({ compare = [], success = [], failure = [] }: TxnInput): TxnRequest {
  return {
    type: 'txn',
    compare: compare.map((each) => strict<Compare>(each)),
    success: success.map((operation) => strict<RequestOp>(operation)),
    failure: failure.map((operation) => strict<RequestOp>(operation)),
  };
}

/** The fields that are bytes, in whatever of etcd's structures they stand. */
const BYTES: ReadonlySet<string> = new Set(['key', 'rangeEnd', 'value']);

function strict<T extends Compare | KvRequest>(loose: Loose<T>): T {
  const fields = Object.entries(loose as object).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) return [name, value.map((each: Loose<T>) => strict(each))];
    return [name, BYTES.has(name) ? bytesOf(value as Bytes) : value];
  });
  return Object.fromEntries(fields) as T;
}

/** The least key above all that begin with it. */
function afterPrefix(prefix: Uint8Array): Uint8Array {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const byte = prefix[at] as number;
    if (byte === 0xff) continue;
    const end = prefix.slice(0, at + 1);
    end[at] = byte + 1;
    return end;
  }
  return TO_THE_END;
}
