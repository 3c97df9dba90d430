/** Whole members in one process: real sockets on loopback, real files. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@polder/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileSystem, realFileSystem } from '../disk/file-system.ts';
import type { MemberAddresses, MemberEnvironment } from '../embedding/index.ts';
import { PutRequest, RangeRequest, RangeResponse } from '../generated/etcdserverpb/rpc.ts';
import { GrpcClient } from '../grpc/index.ts';
import { loopbackMembers } from '../testing/free-ports.test-support.ts';
import { type Member, startMember } from './member.ts';

const QUICK = { electionTimeoutUs: 200_000, heartbeatUs: 20_000, proposalTimeoutUs: 10_000_000 };

let directory = '';
let running: Member[] = [];
let clients: GrpcClient[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-member-'));
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(running.map((member) => member.close()));
  running = [];
  clients = [];
  await rm(directory, { recursive: true, force: true });
});

async function start(members: MemberAddresses[], name: string, environment?: MemberEnvironment): Promise<Member> {
  const config = { name, cluster: 'test', members, breakable: false, logLevel: 'silent', timing: QUICK };
  const member = await startMember({ ...config, dataDirectory: join(directory, name) }, environment);
  running.push(member);
  return member;
}

async function stop(member: Member): Promise<void> {
  running = running.filter((other) => other !== member);
  await member.close();
}

async function connect(member: Member): Promise<GrpcClient> {
  const { hostname, port } = new URL(member.clientUrl ?? '');
  const client = await GrpcClient.connect(hostname, Number(port), 2_000);
  clients.push(client);
  return client;
}

async function put(client: GrpcClient, key: string, value: string): Promise<void> {
  const request = PutRequest.encode({
    ...PutRequest.decode(new Uint8Array(0)),
    key: utf8(key),
    value: utf8(value),
  }).finish();
  await client.call('/etcdserverpb.KV/Put', request, { timeoutMs: 15_000 });
}

async function get(client: GrpcClient, key: string): Promise<string | undefined> {
  const request = RangeRequest.encode({ ...RangeRequest.decode(new Uint8Array(0)), key: utf8(key) }).finish();
  const answer = await client.call('/etcdserverpb.KV/Range', request, { timeoutMs: 15_000 });
  const [found] = RangeResponse.decode(answer).kvs;
  return found === undefined ? undefined : Buffer.from(found.value).toString();
}

/** A file system whose fdatasync can be made to wait. */
function gated(): { fileSystem: FileSystem; hold: () => Promise<() => void> } {
  let onSync: ((release: () => void) => void) | null = null;
  const fileSystem: FileSystem = {
    ...realFileSystem,
    open: async (path, mode) => {
      const file = await realFileSystem.open(path, mode);
      return {
        write: (...write) => file.write(...write),
        read: (...read) => file.read(...read),
        datasync: async () => {
          const heard = onSync;
          onSync = null;
          if (heard !== null) await new Promise<void>((resolve) => heard(resolve));
          await file.datasync();
        },
        sync: () => file.sync(),
        stat: () => file.stat(),
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
      };
    },
  };
  const hold = (): Promise<() => void> =>
    new Promise((resolve) => {
      onSync = resolve;
    });
  return { fileSystem, hold };
}

describe('a member', () => {
  it('R2, R28: answers no write before the fdatasync that makes it durable', async () => {
    const { fileSystem, hold } = gated();
    const member = await start(await loopbackMembers(1), 'm1', { fileSystem });
    const client = await connect(member);
    await put(client, 'before', '1');
    const held = hold();
    let answered = false;
    const write = put(client, 'key', 'value').then(() => {
      answered = true;
    });
    const release = await held;
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    release();
    await write;
    expect(await get(client, 'key')).toBe('value');
  });

  it('keeps every acknowledged write over a stop and a start on the same directory', async () => {
    const members = await loopbackMembers(1);
    const first = await start(members, 'm1');
    await put(await connect(first), 'key', 'value');
    await stop(first);
    expect(await get(await connect(await start(members, 'm1')), 'key')).toBe('value');
  });

  it('R26: with a wiped directory stops with DirectoryReplaced, and the others go on', async () => {
    const members = await loopbackMembers(3);
    const [one, , three] = await Promise.all(['m1', 'm2', 'm3'].map((name) => start(members, name)));
    if (one === undefined || three === undefined) throw new Error('three members were started');
    const client = await connect(one);
    await put(client, 'key', 'value');
    expect(await get(await connect(three), 'key')).toBe('value');
    await stop(three);
    await rm(join(directory, 'm3'), { recursive: true });
    const wiped = await start(members, 'm3');
    expect(await wiped.stopped).toMatchObject({ code: 'DirectoryReplaced' });
    running = running.filter((member) => member !== wiped);
    await put(client, 'key', 'later');
    expect(await get(client, 'key')).toBe('later');
  });

  it('that is not among the members says so', async () => {
    await expect(start(await loopbackMembers(1), 'm9')).rejects.toMatchObject({ code: 'UnknownMember' });
  });

  it('lets its directory go when its client port is taken', async () => {
    const members = await loopbackMembers(1);
    const [self] = members;
    if (self === undefined) throw new Error('one address was made');
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(self.clientPort, self.clientHost, resolve));
    await expect(start(members, 'm1')).rejects.toMatchObject({ code: 'PortInUse' });
    await new Promise((resolve) => blocker.close(resolve));
    await put(await connect(await start(members, 'm1')), 'key', 'value');
  });
});
