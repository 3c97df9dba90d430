/**
 * Exactly once on the store: every operation is a transaction that also writes its number to the session's own key,
 * and happens only if a lower one stands there. So it needs nothing that the store has not; it is seen, and ends, as
 * any key does; and no clock decides (PITFALLS R21).
 *
 *   polder/sessions/NAME  =  number of the session's last operation (8 bytes), 1 or 0: a transaction's branch
 *
 * The revision that made the key belongs to the session's id: so a late attempt to open one never brings an ended one
 * back.
 */
import { randomUUID } from 'node:crypto';
import { assert, PolderError } from '@polder/core';
import type { Compare, KeyValue, RangeRequest, RequestOp, TxnRequest, TxnResponse } from '@polder/core/kv';
import {
  type CallOptions,
  OperationError,
  Sequence,
  type SessionOptions,
  type SessionToken,
  settled,
} from '../embedding/index.ts';
import { responseOf } from './kv-errors.ts';
import { type Bytes, bytesOf, type Span, type TxnInput, txnRequest } from './kv-requests.ts';
import { deleteRequest, putRequest, type StoreClient } from './store-client.ts';

export const SESSION_PREFIX = 'polder/sessions/';

/** What is known of an operation that an earlier attempt had done: when, but not every detail of its answer. */
export interface OnceResult {
  /** The store's, made by it. */
  readonly revision: number;
  /** Of a transaction: whether `success` happened; true of a put or a delete. */
  readonly succeeded: boolean;
  /** null: an earlier attempt had done it, and its answer was lost. */
  readonly responses: TxnResponse['responses'] | null;
}

/** A repeat finds the key and leaves it. */
export async function openStoreSession(store: StoreClient, options: CallOptions): Promise<SessionToken> {
  const name = randomUUID();
  const key = keyOf(name);
  const absent: Compare = { key, target: 'version', result: 'equal', version: 0 };
  const open: TxnRequest = { type: 'txn', compare: [absent], success: [mark(key, 0, true)], failure: [] };
  return settled(async (each) => {
    await store.propose(open, each);
    const found = responseOf(await store.read({ type: 'range', key }, each), 'range').kvs[0];
    assert(found !== undefined, 'a session that nobody knows yet is not closed');
    return { id: `${name}@${found.createRevision}`, settled: 0 };
  }, options);
}

/** One operation at a time; each happens once, however often it is tried and through whichever member. */
export class StoreSession implements AsyncDisposable {
  readonly #store: StoreClient;
  readonly #sequence: Sequence;
  readonly #key: Uint8Array;
  readonly #madeAt: number;

  constructor(store: StoreClient, token: SessionToken) {
    const [name = '', madeAt = ''] = token.id.split('@');
    this.#store = store;
    this.#sequence = new Sequence(token);
    this.#key = keyOf(name);
    this.#madeAt = Number(madeAt);
  }

  /** With it the session goes on in another process or through another member: `await member.session(token)`. */
  get token(): SessionToken {
    return this.#sequence.token;
  }

  put(key: Bytes, value: Bytes, options?: SessionOptions): Promise<OnceResult> {
    return this.#once({ type: 'txn', compare: [], success: [putRequest(key, value)], failure: [] }, options);
  }

  delete(which: Bytes | Span, options?: SessionOptions): Promise<OnceResult> {
    return this.#once({ type: 'txn', compare: [], success: [deleteRequest(which)], failure: [] }, options);
  }

  txn(input: TxnInput, options?: SessionOptions): Promise<OnceResult> {
    return this.#once(txnRequest(input), options);
  }

  /** Its key goes; what comes later under its name is refused, never done. */
  close(options: CallOptions = {}): Promise<void> {
    return this.#sequence.end(() => settled((each) => this.#store.delete(this.#key, each), options));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #once(request: TxnRequest, options?: SessionOptions): Promise<OnceResult> {
    return this.#sequence.run((sequence, each) => this.#attempt(sequence, request, each), options);
  }

  async #attempt(sequence: number, request: TxnRequest, options: CallOptions): Promise<OnceResult> {
    const { compare, success, failure } = request;
    const isMine: Compare = { key: this.#key, target: 'create', result: 'equal', createRevision: this.#madeAt };
    const isNew: Compare = { key: this.#key, target: 'value', result: 'less', value: valueOf(sequence, false) };
    const mine: TxnRequest = {
      type: 'txn',
      compare,
      success: [...success, mark(this.#key, sequence, true)],
      failure: [...failure, mark(this.#key, sequence, false)],
    };
    const look: RangeRequest = { type: 'range', key: this.#key };
    const whole: TxnRequest = { type: 'txn', compare: [isMine, isNew], success: [mine], failure: [look] };
    const answer = responseOf(await this.#store.propose(whole, options), 'txn');
    const [inner] = answer.responses;
    if (inner?.type === 'txn') {
      const { revision } = answer.header;
      return { revision, succeeded: inner.succeeded, responses: inner.responses.slice(0, -1) };
    }
    return earlier(sequence, this.#madeAt, inner?.type === 'range' ? inner.kvs[0] : undefined);
  }
}

function mark(key: Uint8Array, sequence: number, succeeded: boolean): RequestOp {
  return { type: 'put', key, value: valueOf(sequence, succeeded) };
}

function keyOf(name: string): Uint8Array {
  return bytesOf(`${SESSION_PREFIX}${name}`);
}

/** What an earlier attempt left. */
function earlier(sequence: number, madeAt: number, found: KeyValue | undefined): OnceResult {
  if (found?.createRevision !== madeAt) {
    const message = 'the session’s key is gone: it was closed. Whether this operation happened before is not known';
    throw new OperationError('SessionEnded', 'unknown', message);
  }
  const view = new DataView(found.value.buffer, found.value.byteOffset, found.value.byteLength);
  if (Number(view.getBigUint64(0)) !== sequence) {
    throw new PolderError('SessionMisused', 'the session has gone on elsewhere: only one holder may use it at a time');
  }
  return { revision: found.modRevision, succeeded: view.getUint8(8) === 1, responses: null };
}

/** Big-endian, so that the order of bytes is that of numbers. */
function valueOf(sequence: number, succeeded: boolean): Uint8Array {
  const bytes = new Uint8Array(9);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(sequence));
  view.setUint8(8, succeeded ? 1 : 0);
  return bytes;
}
