/**
 * Exactly once on the store: every operation is a transaction that also writes its number to the session's own key,
 * and happens only if a lower one stands there. So it needs nothing that the store has not; it is seen, and ends, as
 * any key does; and no clock decides (PITFALLS R21).
 *
 *   polder/sessions/ID  =  number of the session's last operation (8 bytes), 1 or 0: a transaction's branch
 */
import { PolderError } from '@polder/core';
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
  /** Of a transaction: whether `then` happened; true of a put or a delete. */
  readonly succeeded: boolean;
  /** null: an earlier attempt had done it, and its answer was lost. */
  readonly responses: TxnResponse['responses'] | null;
}

/** One operation at a time; each happens once, however often it is tried and through whichever member. */
export class StoreSession implements AsyncDisposable {
  readonly #store: StoreClient;
  readonly #sequence: Sequence;
  readonly #key: Uint8Array;
  #isOpen: boolean;

  constructor(store: StoreClient, token?: SessionToken) {
    this.#store = store;
    this.#sequence = new Sequence(token);
    this.#key = bytesOf(`${SESSION_PREFIX}${this.#sequence.id}`);
    this.#isOpen = token !== undefined;
  }

  /** With it the session goes on in another process or through another member: `member.session(token)`. */
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
    return this.#sequence.end(async () => {
      if (this.#isOpen) await settled((each) => this.#store.delete(this.#key, each), options);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #once(request: TxnRequest, options?: SessionOptions): Promise<OnceResult> {
    return this.#sequence.run(async (sequence, each) => {
      if (!this.#isOpen) await this.#open(each);
      this.#isOpen = true;
      return this.#attempt(sequence, request, each);
    }, options);
  }

  /** A repeat finds the key and leaves it. */
  async #open(options: CallOptions): Promise<void> {
    const absent: Compare = { key: this.#key, target: 'version', result: 'equal', version: 0 };
    const made = this.#mark(0, true);
    await this.#store.propose({ type: 'txn', compare: [absent], success: [made], failure: [] }, options);
  }

  async #attempt(sequence: number, request: TxnRequest, options: CallOptions): Promise<OnceResult> {
    const { compare, success, failure } = request;
    const isNew: Compare = { key: this.#key, target: 'value', result: 'less', value: valueOf(sequence, false) };
    const mine: TxnRequest = {
      type: 'txn',
      compare,
      success: [...success, this.#mark(sequence, true)],
      failure: [...failure, this.#mark(sequence, false)],
    };
    const look: RangeRequest = { type: 'range', key: this.#key };
    const whole: TxnRequest = { type: 'txn', compare: [isNew], success: [mine], failure: [look] };
    const answer = responseOf(await this.#store.propose(whole, options), 'txn');
    const [inner] = answer.responses;
    if (inner?.type === 'txn') {
      const { revision } = answer.header;
      return { revision, succeeded: inner.succeeded, responses: inner.responses.slice(0, -1) };
    }
    return earlier(sequence, inner?.type === 'range' ? inner.kvs[0] : undefined);
  }

  #mark(sequence: number, succeeded: boolean): RequestOp {
    return { type: 'put', key: this.#key, value: valueOf(sequence, succeeded) };
  }
}

/** What an earlier attempt left. */
function earlier(sequence: number, found: KeyValue | undefined): OnceResult {
  if (found === undefined) {
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
