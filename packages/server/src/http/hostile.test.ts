import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PutRequest, PutResponse, RangeRequest, RangeResponse } from '../generated/etcdserverpb/rpc.ts';
import { ServerReflectionRequest, ServerReflectionResponse } from '../generated/grpc/reflection/v1/reflection.ts';
import { FrameReader, frameMessage } from '../grpc/frame.ts';
import { GrpcClient, GrpcCode, GrpcError, MAX_MESSAGE_BYTES } from '../grpc/index.ts';
import { type ClientListener, startClientListener } from './index.ts';
import { MemoryStore } from './testing/memory-store.ts';

const PUT = '/etcdserverpb.KV/Put';
const RANGE = '/etcdserverpb.KV/Range';
const LIMITS = { timeoutMs: 5000 };

let store: MemoryStore;
let listener: ClientListener;
let client: GrpcClient;
let bugs: unknown[];

beforeEach(async () => {
  bugs = [];
  store = new MemoryStore();
  listener = await startClientListener({
    host: '127.0.0.1',
    port: 0,
    store,
    faults: null,
    onBug: (error) => bugs.push(error),
  });
  client = await GrpcClient.connect('127.0.0.1', listener.port, 5000);
});

afterEach(async () => {
  await client.close();
  await listener.close();
  expect(bugs).toEqual([]);
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function putOf(key: Uint8Array, value: Uint8Array): Uint8Array {
  const options = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  return PutRequest.encode({ key, value, ...options }).finish();
}

async function refusal(method: string, message: Uint8Array, timeoutMs = 5000): Promise<[number, string]> {
  try {
    await client.call(method, message, { timeoutMs });
  } catch (error) {
    if (error instanceof GrpcError) return [error.code, error.message];
    throw error;
  }
  throw new Error('the call succeeded');
}

async function stillServes(): Promise<void> {
  const answer = PutResponse.decode(await client.call(PUT, putOf(bytes('k'), bytes('v')), LIMITS));
  expect(answer.header?.revision).toBeGreaterThanOrEqual(2n);
}

describe('a request', () => {
  test('over 1.5 MiB is "request is too large"', async () => {
    const message = putOf(bytes('k'), new Uint8Array(1.5 * 1024 * 1024 + 1));
    expect(await refusal(PUT, message)).toEqual([3, 'etcdserver: request is too large']);
    await stillServes();
  });

  test('over 2 MiB is refused by the transport, with its size, before it is read', async () => {
    const message = putOf(bytes('k'), new Uint8Array(3 * 1024 * 1024));
    const text = `grpc: received message larger than max (${message.length} vs. ${MAX_MESSAGE_BYTES})`;
    expect(await refusal(PUT, message)).toEqual([8, text]);
    await stillServes();
  });

  test('that is not protobuf is INTERNAL, and the connection lives on', async () => {
    for (const message of [new Uint8Array([0xff]), new Uint8Array([0x0a, 0x7f, 1]), new Uint8Array(64).fill(0xff)]) {
      const [code, text] = await refusal(PUT, message);
      expect(code).toBe(GrpcCode.internal);
      expect(text).toContain('error unmarshalling request');
    }
    await stillServes();
  });

  test('with fields that this version does not know is served as if they were absent', async () => {
    // Field 1000 as a varint and field 1001 as bytes.
    const unknown = [0xc0, 0x3e, 0x05, 0xca, 0x3e, 0x02, 0x68, 0x69];
    const message = new Uint8Array([...putOf(bytes('k'), bytes('v')), ...unknown]);
    expect(PutResponse.decode(await client.call(PUT, message, LIMITS)).header?.revision).toBe(2n);
  });

  test('with an empty key is "key is not provided"', async () => {
    expect(await refusal(PUT, putOf(new Uint8Array(0), bytes('v')))).toEqual([3, 'etcdserver: key is not provided']);
    expect(await refusal(RANGE, new Uint8Array(0))).toEqual([3, 'etcdserver: key is not provided']);
  });

  test('with a 64-bit revision beyond 2^53 is a future revision', async () => {
    const request = { ...RangeRequest.decode(new Uint8Array(0)), key: bytes('k'), revision: 2n ** 62n };
    const text = 'etcdserver: mvcc: required revision is a future revision';
    expect(await refusal(RANGE, RangeRequest.encode(request).finish())).toEqual([11, text]);
  });

  test('for a method that is not there is UNIMPLEMENTED', async () => {
    expect((await refusal('/etcdserverpb.Lease/LeaseGrant', new Uint8Array(0)))[0]).toBe(12);
    expect((await refusal('/__proto__', new Uint8Array(0)))[0]).toBe(12);
  });

  test('that outlives its deadline ends with DEADLINE_EXCEEDED', async () => {
    store.stuck = true;
    expect((await refusal(PUT, putOf(bytes('k'), bytes('v')), 50))[0]).toBe(GrpcCode.deadlineExceeded);
  });

  test('R23: whose outcome is unknown is "request timed out", never a claim that nothing happened', async () => {
    store.failure = 'Unknown';
    expect(await refusal(PUT, putOf(bytes('k'), bytes('v')))).toEqual([14, 'etcdserver: request timed out']);
  });
});

describe('a frame', () => {
  test('cut anywhere is put together again', () => {
    const stream = Buffer.concat([frameMessage(bytes('one')), frameMessage(bytes('')), frameMessage(bytes('three'))]);
    for (let size = 1; size <= stream.length; size++) {
      const reader = new FrameReader(100);
      const messages: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        for (const each of reader.push(stream.subarray(at, at + size))) messages.push(new TextDecoder().decode(each));
      }
      reader.end();
      expect(messages).toEqual(['one', '', 'three']);
    }
  });

  test('with a bad flag, compressed without agreement, or cut short is an error', () => {
    const code = (act: () => unknown): number => {
      try {
        act();
      } catch (error) {
        return (error as GrpcError).code;
      }
      return 0;
    };
    expect(code(() => new FrameReader(9).push(new Uint8Array([7, 0, 0, 0, 0])))).toBe(GrpcCode.internal);
    expect(code(() => new FrameReader(9).push(new Uint8Array([1, 0, 0, 0, 0])))).toBe(GrpcCode.unimplemented);
    expect(code(() => new FrameReader(9).push(new Uint8Array([0, 0, 0, 0, 10])))).toBe(GrpcCode.resourceExhausted);
    const cut = new FrameReader(9);
    cut.push(new Uint8Array([0, 0, 0]));
    expect(code(() => cut.end())).toBe(GrpcCode.internal);
  });
});

test('garbage after an HTTP/2 preface, or instead of one, harms nobody else', async () => {
  for (const garbage of [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\xff\xff\xff\xff',
    '\0\0\0\0\0\0',
    'PRI * nonsense\r\n\r\n',
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(listener.port, '127.0.0.1', () => socket.end(garbage, 'latin1'));
      socket.on('error', () => undefined);
      socket.once('close', () => resolve());
      socket.resume();
    });
    await stillServes();
  }
});

test('a client that hears nobody knows that its request never left', async () => {
  await listener.close();
  const failed = GrpcClient.connect('127.0.0.1', listener.port, 1000);
  await expect(failed).rejects.toMatchObject({ code: GrpcCode.unavailable, neverSent: true });
});

test('a call that a closing server breaks off has an unknown outcome', async () => {
  store.stuck = true;
  const call = client.call(PUT, putOf(bytes('k'), bytes('v')), LIMITS);
  const outcome = expect(call).rejects.toMatchObject({ code: GrpcCode.unavailable, neverSent: false });
  // An answer on the same connection proves that the first call has arrived.
  await client.call('/etcdserverpb.Maintenance/Status', new Uint8Array(0), LIMITS);
  await listener.close();
  await outcome;
});

test('values come back as they went in, whatever their bytes', async () => {
  const value = new Uint8Array(256).map((_, i) => i);
  await client.call(PUT, putOf(value, value), LIMITS);
  const request = RangeRequest.encode({ ...RangeRequest.decode(new Uint8Array(0)), key: value }).finish();
  const { kvs } = RangeResponse.decode(await client.call(RANGE, request, LIMITS));
  expect(kvs[0]?.value).toEqual(value);
});

test('reflection lists the services and gives their files with what they import', async () => {
  const ask = async (messageRequest: ServerReflectionRequest['messageRequest']) => {
    const message = ServerReflectionRequest.encode({ host: '', messageRequest }).finish();
    const method = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';
    return ServerReflectionResponse.decode(await client.call(method, message, LIMITS)).messageResponse;
  };
  const list = await ask({ $case: 'listServices', value: '' });
  const names = list?.$case === 'listServicesResponse' ? list.value.service.map(({ name }) => name) : [];
  expect(names).toContain('etcdserverpb.KV');
  expect(names).toContain('grpc.reflection.v1.ServerReflection');
  const file = await ask({ $case: 'fileContainingSymbol', value: 'etcdserverpb.KV.Range' });
  expect(file?.$case === 'fileDescriptorResponse' ? file.value.fileDescriptorProto.length : 0).toBe(2);
  expect((await ask({ $case: 'fileByFilename', value: 'nowhere.proto' }))?.$case).toBe('errorResponse');
});
