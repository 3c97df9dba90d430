import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@polder/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemberEnvironment } from '../embedding/index.ts';
import {
  AlarmRequest,
  AlarmResponse,
  AlarmType,
  CompactionRequest,
  DeleteRangeRequest,
  DeleteRangeResponse,
  PutRequest,
  RangeRequest,
  RangeResponse,
  StatusRequest,
  StatusResponse,
} from '../generated/etcdserverpb/rpc.ts';
import { GrpcClient } from '../grpc/index.ts';
import { type Member, type MemberConfig, startMember } from '../member/member.ts';
import { freePort } from '../testing/free-ports.test-support.ts';
import { LmdbStorage, type LmdbStorageOptions, type MemberStorage, RESERVE_BYTES, Room } from './index.ts';

const NO_SPACE = { code: 8, message: 'etcdserver: mvcc: database space exceeded' };

const QUICK_CHECKPOINTS = { checkpoints: { checkpointUs: 5_000 } };

let directory = '';
let member: Member | null = null;
let client: GrpcClient | null = null;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-room-'));
});

afterEach(async () => {
  await client?.close();
  await member?.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(config: Partial<MemberConfig>, environment: MemberEnvironment = {}): Promise<void> {
  const [peerPort, clientPort] = [await freePort(), await freePort()];
  const hosts = { peerHost: '127.0.0.1', clientHost: '127.0.0.1' };
  const members = [{ name: 'm1', id: 1, peerPort, clientPort, ...hosts }];
  const common = { name: 'm1', cluster: 'test', members, breakable: false, logLevel: 'silent' };
  const timing = { electionTimeoutUs: 200_000, heartbeatUs: 20_000 };
  member = await startMember({ ...common, timing, dataDirectory: directory, ...config }, environment);
  client = await GrpcClient.connect('127.0.0.1', clientPort, 2_000);
}

async function call(path: string, request: Uint8Array): Promise<Uint8Array> {
  if (client === null) throw new Error('no client');
  return client.call(`/etcdserverpb.${path}`, request, { timeoutMs: 10_000 });
}

async function put(key: string, valueBytes = 10): Promise<void> {
  const fields = { key: utf8(key), value: new Uint8Array(valueBytes) };
  await call('KV/Put', PutRequest.encode({ ...PutRequest.decode(new Uint8Array(0)), ...fields }).finish());
}

async function count(): Promise<number> {
  const all = { key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]) };
  const request = RangeRequest.encode({ ...RangeRequest.decode(new Uint8Array(0)), ...all }).finish();
  return Number(RangeResponse.decode(await call('KV/Range', request)).count);
}

async function status(): Promise<StatusResponse> {
  return StatusResponse.decode(await call('Maintenance/Status', StatusRequest.encode({}).finish()));
}

async function alarms(): Promise<number[]> {
  const request = AlarmRequest.encode(AlarmRequest.decode(new Uint8Array(0))).finish();
  return AlarmResponse.decode(await call('Maintenance/Alarm', request)).alarms.map((each) => each.alarm);
}

/** Storage whose writes find no room while it is told so. */
function fullable(): { createStorage: (options: LmdbStorageOptions) => MemberStorage; full: boolean } {
  const state = { full: false, createStorage };
  function createStorage(options: LmdbStorageOptions): MemberStorage {
    const inner = new LmdbStorage(options);
    return {
      open: (token, name) => inner.open(token, name),
      create: (token, name) => inner.create(token, name),
      keepOnly: (name) => inner.keepOnly(name),
      close: () => inner.close(),
      usage: () => inner.usage(),
      engine: (name) => {
        const engine = inner.engine(name);
        let failed = false;
        return {
          tree: (tree) => engine.tree(tree),
          record: engine.record,
          sizeBytes: engine.sizeBytes,
          settle: (outcome) => {
            if (!failed) engine.settle(outcome);
          },
          commit: (token, transaction) => {
            failed = state.full;
            if (!failed) return engine.commit(token, transaction);
            const result = { type: 'error', code: 'ENOSPC', message: 'as the test asked' } as const;
            setImmediate(() => options.deliver(token, result));
          },
        };
      },
    };
  }
  return state;
}

describe('a member without room', () => {
  it('T8: whose quota is used up refuses puts with etcd’s NOSPACE, reads, and takes puts again once it is compacted', async () => {
    await start({ quotaBytes: 20_000 });
    await put('small');
    await put('large', 25_000);
    await expect(put('more')).rejects.toMatchObject(NO_SPACE);
    expect(await count()).toBe(2);
    expect(await alarms()).toEqual([AlarmType.NOSPACE]);
    expect((await status()).errors).toEqual([expect.stringMatching(/^memberID:\d+ alarm:NOSPACE $/)]);

    const fields = { key: utf8('large') };
    const request = DeleteRangeRequest.encode({ ...DeleteRangeRequest.decode(new Uint8Array(0)), ...fields });
    const { header } = DeleteRangeResponse.decode(await call('KV/DeleteRange', request.finish()));
    await expect(put('more')).rejects.toMatchObject(NO_SPACE);
    const compaction = { revision: header?.revision ?? 0n, physical: false };
    await call('KV/Compact', CompactionRequest.encode(compaction).finish());
    await put('more');
    expect(await count()).toBe(2);
    expect(await alarms()).toEqual([]);
    expect((await status()).errors).toEqual([]);
  });

  it('T8: whose disk is nearly full refuses puts, reads, and takes puts again when there is room', async () => {
    let free = 10 * RESERVE_BYTES;
    await start({}, { room: { spaceOf: async () => ({ freeBytes: free, totalBytes: 2 ** 40 }), everyMs: 10 } });
    await put('before');
    free = RESERVE_BYTES - 1;
    await expect
      .poll(() =>
        put('full').then(
          () => 'taken',
          (error: Error) => error.message,
        ),
      )
      .toBe(NO_SPACE.message);
    expect(await count()).toBeGreaterThan(0);
    free = 10 * RESERVE_BYTES;
    await expect
      .poll(() =>
        put('after').then(
          () => 'taken',
          () => 'refused',
        ),
      )
      .toBe('taken');
  });

  it('T8 R29: whose store finds no room goes on, and has everything once there is room and it starts again', async () => {
    const fullness = fullable();
    await start({}, { createStorage: (options) => fullness.createStorage(options), sizes: QUICK_CHECKPOINTS });
    await put('before');
    fullness.full = true;
    await expect
      .poll(() =>
        put('full').then(
          () => 'taken',
          (error: Error) => error.message,
        ),
      )
      .toBe(NO_SPACE.message);
    expect(await count()).toBeGreaterThan(0);
    fullness.full = false;
    await expect
      .poll(
        () =>
          put('after').then(
            () => 'taken',
            () => 'refused',
          ),
        { timeout: 5_000 },
      )
      .toBe('taken');
    const keys = await count();
    await client?.close();
    await member?.close();
    await start({}, { createStorage: (options) => fullness.createStorage(options) });
    expect(await count()).toBe(keys);
  });
});

describe('the room on a disk', () => {
  it('T8: is short below the reserve, and not again before twice as much is free', async () => {
    let free = RESERVE_BYTES;
    const heard: boolean[] = [];
    const room = new Room({
      directory,
      usedBytes: () => 0,
      quotaBytes: 1,
      storeIsFull: () => false,
      onDisk: (isShort) => heard.push(isShort),
      spaceOf: async () => ({ freeBytes: free, totalBytes: 2 ** 40 }),
    });
    for (const [bytes, isFull] of [
      [RESERVE_BYTES, false],
      [RESERVE_BYTES - 1, true],
      [2 * RESERVE_BYTES - 1, true],
      [2 * RESERVE_BYTES, false],
      [RESERVE_BYTES, false],
    ] as const) {
      free = bytes;
      await room.look();
      expect(room.isFull, `${bytes} bytes free`).toBe(isFull);
    }
    expect(heard).toEqual([true, false]);
    room.stop();
  });
});
