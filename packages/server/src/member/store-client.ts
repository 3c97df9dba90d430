import type { DeleteRangeRequest, KeyValue, PutRequest, RangeResponse, RequestOp, ResponseOp } from '@polder/core/kv';
import { checkKvRequest, encodeKvRequest, type KvRequest, type KvResult } from '@polder/core/kv';
import { type CallOptions, HostedMember, noSpace, type ProposeOptions } from '../embedding/index.ts';
import type { Room } from '../storage/index.ts';
import { kvError, responseOf } from './kv-errors.ts';
import {
  type Bytes,
  bytesOf,
  type RangeInput,
  rangeRequest,
  type Span,
  spanOf,
  type TxnInput,
  txnRequest,
} from './kv-requests.ts';
import type { KvHost } from './served-store.ts';

export interface ReadOptions extends CallOptions {
  /** Answer from this member's own state, at once; it may be behind. Default: linearizable. */
  readonly local?: boolean;
}

export interface WriteOptions extends ProposeOptions {
  /** Answer what was there before, too. */
  readonly previous?: boolean;
}

export interface PutResult {
  /** The store's, made by this put. */
  readonly revision: number;
  /** null: there was none, or `previous` was not asked for. */
  readonly previous: KeyValue | null;
}

export interface DeleteResult {
  readonly revision: number;
  readonly deleted: number;
  /** Empty when `previous` was not asked for. */
  readonly previous: readonly KeyValue[];
}

export interface RangeResult extends Omit<RangeResponse, 'type' | 'header'> {
  readonly revision: number;
}

export interface TxnResult {
  readonly revision: number;
  /** Whether `success` happened. */
  readonly succeeded: boolean;
  /** In the order of what happened. */
  readonly responses: readonly ResponseOp[];
}

/** The replicated store from inside the process: etcd's data model, without a socket. */
export class StoreClient extends HostedMember {
  readonly #host: KvHost;
  readonly #room: Room;

  constructor(host: KvHost, room: Room) {
    super(host);
    this.#host = host;
    this.#room = room;
  }

  async put(key: Bytes, value: Bytes, options: WriteOptions = {}): Promise<PutResult> {
    const { header, prevKv } = responseOf(await this.propose(putRequest(key, value, options), options), 'put');
    return { revision: header.revision, previous: prevKv };
  }

  async get(key: Bytes, options: ReadOptions & Pick<RangeInput, 'revision'> = {}): Promise<KeyValue | null> {
    const request = rangeRequest({ key: bytesOf(key) }, options);
    return responseOf(await this.read(request, options), 'range').kvs[0] ?? null;
  }

  async range(span: Span, options: ReadOptions & RangeInput = {}): Promise<RangeResult> {
    const response = responseOf(await this.read(rangeRequest(spanOf(span), options), options), 'range');
    const { kvs, more, count, header } = response;
    return { kvs, more, count, revision: header.revision };
  }

  async delete(which: Bytes | Span, options: WriteOptions = {}): Promise<DeleteResult> {
    const result = await this.propose(deleteRequest(which, options), options);
    const { header, deleted, prevKvs } = responseOf(result, 'deleteRange');
    return { revision: header.revision, deleted, previous: prevKvs };
  }

  async txn(input: TxnInput, options: ProposeOptions = {}): Promise<TxnResult> {
    const { header, succeeded, responses } = responseOf(await this.propose(txnRequest(input), options), 'txn');
    return { revision: header.revision, succeeded, responses };
  }

  /** Forgets what was before this revision; it cannot be read any more. */
  async compact(revision: number, options: ProposeOptions = {}): Promise<void> {
    responseOf(await this.propose({ type: 'compact', revision }, options), 'compact');
  }

  async propose(request: KvRequest, options: ProposeOptions): Promise<KvResult> {
    check(request);
    if (!this.#room.admits(request)) throw noSpace();
    return (await this.#host.propose(encodeKvRequest(request), options)).value;
  }

  async read(request: RequestOp, { local = false, ...options }: ReadOptions): Promise<KvResult> {
    check(request);
    return local ? this.#host.readLocally(request).value : (await this.#host.read(request, options)).value;
  }
}

export function putRequest(key: Bytes, value: Bytes, { previous = false }: WriteOptions = {}): PutRequest {
  return { type: 'put', key: bytesOf(key), value: bytesOf(value), prevKv: previous };
}

export function deleteRequest(which: Bytes | Span, { previous = false }: WriteOptions = {}): DeleteRangeRequest {
  const isKey = typeof which === 'string' || which instanceof Uint8Array;
  return { type: 'deleteRange', ...(isKey ? { key: bytesOf(which) } : spanOf(which)), prevKv: previous };
}

function check(request: KvRequest): void {
  const problem = checkKvRequest(request);
  if (problem !== null) throw kvError(problem);
}
