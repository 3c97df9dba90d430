/** etcd's KV and Cluster services of one member, in bytes and numbers. */
import { GrpcClient, rpc } from '@polder/server';

/** Certain refusals of etcd: the request was judged and not executed (ETCD's `rpctypes`; R23 for all the others). */
const REFUSED = new Set([3, 5, 8, 9, 11, 12]);
const CONNECT_TIMEOUT_MS = 1_000;

/** What is known about a call that did not succeed. `refused`: it certainly had no effect. */
export interface CallFailure {
  readonly code: number;
  readonly message: string;
  readonly neverSent: boolean;
  readonly refused: boolean;
}

/** PITFALLS R23: only what certainly was not executed is a failure; everything else is unknown. */
export function callFailure(error: unknown): CallFailure {
  const { code, neverSent } = error as { code?: unknown; neverSent?: unknown };
  const status = typeof code === 'number' ? code : 2;
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: status,
    message,
    neverSent: neverSent === true,
    refused: neverSent === true || REFUSED.has(status),
  };
}

export interface RangeOptions {
  readonly rangeEnd?: Uint8Array;
  readonly serializable?: boolean;
  readonly limit?: number;
  readonly revision?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}

const NONE = new Uint8Array(0);

/** Connects on first use, and again after the connection was lost; it never repeats a call. */
export class MemberClient {
  readonly url: string;
  #client: GrpcClient | null = null;
  #connecting: Promise<GrpcClient> | null = null;

  constructor(url: string) {
    this.url = url;
  }

  async range(key: Uint8Array, options: RangeOptions, timeoutMs: number): Promise<rpc.RangeResponse> {
    const request = rpc.RangeRequest.encode(rangeRequest(key, options)).finish();
    return rpc.RangeResponse.decode(await this.#call('KV/Range', request, timeoutMs));
  }

  async put(key: Uint8Array, value: Uint8Array, timeoutMs: number): Promise<rpc.PutResponse> {
    const request = rpc.PutRequest.encode(putRequest(key, value)).finish();
    return rpc.PutResponse.decode(await this.#call('KV/Put', request, timeoutMs));
  }

  async deleteRange(key: Uint8Array, rangeEnd: Uint8Array, timeoutMs: number): Promise<rpc.DeleteRangeResponse> {
    const request = rpc.DeleteRangeRequest.encode({ key, rangeEnd, prevKv: false }).finish();
    return rpc.DeleteRangeResponse.decode(await this.#call('KV/DeleteRange', request, timeoutMs));
  }

  async txn(request: rpc.TxnRequest, timeoutMs: number): Promise<rpc.TxnResponse> {
    return rpc.TxnResponse.decode(await this.#call('KV/Txn', rpc.TxnRequest.encode(request).finish(), timeoutMs));
  }

  /** Puts `next` only if the key's value is `expected`; false: it was something else, and nothing was written. */
  async compareAndSet(key: Uint8Array, expected: Uint8Array, next: Uint8Array, timeoutMs: number): Promise<boolean> {
    const put: rpc.RequestOp = { request: { $case: 'requestPut', value: putRequest(key, next) } };
    const answer = await this.txn({ compare: [valueEquals(key, expected)], success: [put], failure: [] }, timeoutMs);
    return answer.succeeded;
  }

  async compact(revision: number, physical: boolean, timeoutMs: number): Promise<rpc.CompactionResponse> {
    const request = rpc.CompactionRequest.encode({ revision: BigInt(revision), physical }).finish();
    return rpc.CompactionResponse.decode(await this.#call('KV/Compact', request, timeoutMs));
  }

  async memberList(timeoutMs: number): Promise<rpc.MemberListResponse> {
    const request = rpc.MemberListRequest.encode({ linearizable: false }).finish();
    return rpc.MemberListResponse.decode(await this.#call('Cluster/MemberList', request, timeoutMs));
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = null;
  }

  async #call(method: string, message: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const client = await this.#connected(Math.min(timeoutMs, CONNECT_TIMEOUT_MS));
    return client.call(`/etcdserverpb.${method}`, message, { timeoutMs });
  }

  /** One attempt at a time, shared by the calls that wait for it. */
  async #connected(timeoutMs: number): Promise<GrpcClient> {
    if (this.#client !== null && !this.#client.closed) return this.#client;
    const { hostname, port } = new URL(this.url);
    this.#connecting ??= GrpcClient.connect(hostname.replace(/^\[|\]$/g, ''), Number(port), timeoutMs);
    try {
      this.#client = await this.#connecting;
      return this.#client;
    } finally {
      this.#connecting = null;
    }
  }
}

export function valueEquals(key: Uint8Array, value: Uint8Array): rpc.Compare {
  return {
    result: rpc.Compare_CompareResult.EQUAL,
    target: rpc.Compare_CompareTarget.VALUE,
    key,
    targetUnion: { $case: 'value', value },
    rangeEnd: NONE,
  };
}

export function putRequest(key: Uint8Array, value: Uint8Array): rpc.PutRequest {
  return { key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
}

export function rangeRequest(key: Uint8Array, options: RangeOptions): rpc.RangeRequest {
  return {
    key,
    rangeEnd: options.rangeEnd ?? NONE,
    limit: BigInt(options.limit ?? 0),
    revision: BigInt(options.revision ?? 0),
    sortOrder: rpc.RangeRequest_SortOrder.NONE,
    sortTarget: rpc.RangeRequest_SortTarget.KEY,
    serializable: options.serializable ?? false,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
    minModRevision: 0n,
    maxModRevision: 0n,
    minCreateRevision: 0n,
    maxCreateRevision: 0n,
  };
}
