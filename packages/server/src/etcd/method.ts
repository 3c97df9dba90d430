import type { MessageFns, ResponseHeader } from '../generated/etcdserverpb/rpc.ts';
import { GrpcCode, GrpcError, type GrpcMethod } from '../grpc/index.ts';
import type { HeaderFields } from './response-bytes.ts';
import type { Store } from './store.ts';

export function unary<Request, Response>(
  path: string,
  requests: MessageFns<Request>,
  responses: MessageFns<Response>,
  handle: (request: Request, signal: AbortSignal) => Promise<Response>,
): [string, GrpcMethod] {
  const method: GrpcMethod = {
    type: 'unary',
    handle: async (message, signal) => {
      const answer = await handle(decode(requests, message), signal);
      return responses.encode(answer).finish();
    },
  };
  return [path, method];
}

export function decode<Message>(messages: MessageFns<Message>, bytes: Uint8Array): Message {
  try {
    return messages.decode(bytes);
  } catch (cause) {
    // grpc-go, and so etcd, answers INTERNAL here.
    const why = cause instanceof Error ? cause.message : 'malformed';
    throw new GrpcError(GrpcCode.internal, `grpc: error unmarshalling request: ${why}`, { cause });
  }
}

export function headerFields(store: Store, revision: number): HeaderFields {
  const { clusterId, member, term } = store.status();
  return { clusterId, memberId: idOf(store, member), revision, term };
}

export function headerOf(store: Store, revision: number): ResponseHeader {
  const { clusterId, memberId, term } = headerFields(store, revision);
  return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(term) };
}

/** 0 when there is no such member. */
export function idOf(store: Store, number: number): bigint {
  return store.members().find((member) => member.number === number)?.id ?? 0n;
}
