/** Members that come and go, whole, in one process: real sockets on loopback, real files. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@polder/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  MemberAddRequest,
  MemberAddResponse,
  MemberListRequest,
  MemberListResponse,
  MemberPromoteRequest,
  MemberRemoveRequest,
  MemberUpdateRequest,
  MoveLeaderRequest,
  PutRequest,
  RangeRequest,
  RangeResponse,
} from '../generated/etcdserverpb/rpc.ts';
import { GrpcClient } from '../grpc/index.ts';
import { type Member, startMember } from '../member/index.ts';
import { freePort } from '../testing/free-ports.test-support.ts';
import { MEMBERSHIP_PATH, type MembershipRequest, type NumberedMember } from './index.ts';

const QUICK = { electionTimeoutUs: 200_000, heartbeatUs: 20_000, proposalTimeoutUs: 10_000_000 };

let directory = '';
let running = new Map<string, Member>();
let clients: GrpcClient[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-membership-'));
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all([...running.values()].map((member) => member.close()));
  running = new Map();
  clients = [];
  await rm(directory, { recursive: true, force: true });
});

async function addresses(id: number, name = `m${id}`): Promise<NumberedMember> {
  const [peerPort, clientPort] = [await freePort(), await freePort()];
  return { name, id, peerHost: '127.0.0.1', peerPort, clientHost: '127.0.0.1', clientPort };
}

/** The log is short: who comes late needs a snapshot. */
const SIZES = { snapshotEntries: 8, trailingEntries: 1, checkpoints: { checkpointUs: 10_000 } };

async function start(self: NumberedMember, members: NumberedMember[], joins: boolean): Promise<Member> {
  const options = {
    name: self.name,
    cluster: 'test',
    members,
    join: joins,
    dataDirectory: join(directory, `${self.name}-${self.id}`),
    breakable: false,
    logLevel: 'silent',
    timing: QUICK,
  };
  const member = await startMember(options, { sizes: SIZES });
  running.set(self.name, member);
  return member;
}

/** One member that serves. */
async function founded(): Promise<{ self: NumberedMember; member: Member }> {
  const self = await addresses(1);
  const member = await start(self, [self], false);
  await put(member, 'first', '1');
  return { self, member };
}

async function joined(id: number, name?: string): Promise<{ self: NumberedMember; member: Member }> {
  const self = await addresses(id, name);
  return { self, member: await start(self, [self], true) };
}

function urlOf(member: Member): string {
  if (member.clientUrl === null) throw new Error('it serves clients');
  return member.clientUrl;
}

async function connect(member: Member): Promise<GrpcClient> {
  const { hostname, port } = new URL(urlOf(member));
  const client = await GrpcClient.connect(hostname, Number(port), 2_000);
  clients.push(client);
  return client;
}

async function call(member: Member, path: string, message: Uint8Array, timeoutMs = 10_000): Promise<Uint8Array> {
  return (await connect(member)).call(`/etcdserverpb.${path}`, message, { timeoutMs });
}

async function put(member: Member, key: string, value: string): Promise<void> {
  const fields = { ...PutRequest.decode(new Uint8Array(0)), key: utf8(key), value: utf8(value) };
  await call(member, 'KV/Put', PutRequest.encode(fields).finish());
}

async function get(member: Member, key: string): Promise<string | undefined> {
  const fields = { ...RangeRequest.decode(new Uint8Array(0)), key: utf8(key) };
  const [found] = RangeResponse.decode(await call(member, 'KV/Range', RangeRequest.encode(fields).finish())).kvs;
  return found === undefined ? undefined : Buffer.from(found.value).toString();
}

async function list(member: Member): Promise<{ ID: bigint; name: string; isLearner: boolean; peerURLs: string[] }[]> {
  const answer = await call(member, 'Cluster/MemberList', MemberListRequest.encode({ linearizable: true }).finish());
  return MemberListResponse.decode(answer).members;
}

const peerUrl = ({ peerPort }: NumberedMember): string => `http://127.0.0.1:${peerPort}`;

async function add(at: Member, self: NumberedMember, isLearner: boolean) {
  const request = MemberAddRequest.encode({ peerURLs: [peerUrl(self)], isLearner }).finish();
  return MemberAddResponse.decode(await call(at, 'Cluster/MemberAdd', request));
}

async function idOf(at: Member, name: string): Promise<bigint> {
  const found = (await list(at)).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no member ${name}`);
  return found.ID;
}

async function remove(at: Member, name: string): Promise<void> {
  await call(at, 'Cluster/MemberRemove', MemberRemoveRequest.encode({ ID: await idOf(at, name) }).finish());
}

async function perform(at: Member, request: MembershipRequest) {
  const response = await fetch(`${urlOf(at)}${MEMBERSHIP_PATH}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ request, timeoutMs: 10_000 }),
  });
  return (await response.json()) as { member?: number; error?: { code: string; message: string } };
}

async function status(at: Member): Promise<{ peersReachable: string[] }> {
  return (await (await fetch(`${urlOf(at)}/polder/status`)).json()) as { peersReachable: string[] };
}

describe('a cluster that grows and shrinks', () => {
  it('takes in a running process as a learner by a snapshot, then as a voter, with everything that was written before', async () => {
    const { member: one } = await founded();
    for (let n = 0; n < 20; n++) await put(one, `key ${n}`, `${n}`);
    const { self, member: two } = await joined(2);
    expect((await add(one, self, true)).member).toMatchObject({ name: 'm2', isLearner: true });
    expect([await get(two, 'first'), await get(two, 'key 7'), await get(two, 'key 19')]).toEqual(['1', '7', '19']);
    const files = await readdir(join(directory, 'm2-2'));
    expect(files, 'its store came whole, as of a later entry than the first').toContainEqual(
      expect.stringMatching(/^store-[1-9]\d+-\d+$/),
    );
    expect(await perform(two, { type: 'change', changes: [{ type: 'promote', member: 2 }], waits: true })).toEqual({
      member: 2,
    });
    expect((await list(two)).map(({ name, isLearner }) => [name, isLearner])).toEqual([
      ['m1', false],
      ['m2', false],
    ]);
  });

  it('is changed through any member, removes its leader, and the removed one stops by itself with Removed', async () => {
    const { member: one } = await founded();
    const [two, three] = [await joined(2), await joined(3)];
    await add(one, two.self, false);
    await add(two.member, three.self, false);
    await remove(three.member, 'm1');
    expect(await one.stopped).toMatchObject({ code: 'Removed' });
    running.delete('m1');
    await put(two.member, 'second', '2');
    expect([await get(three.member, 'first'), await get(three.member, 'second')]).toEqual(['1', '2']);
    await remove(two.member, 'm2');
    expect(await two.member.stopped).toMatchObject({ code: 'Removed' });
    running.delete('m2');
    expect(await get(three.member, 'second')).toBe('2');
    expect((await list(three.member)).map(({ name }) => name)).toEqual(['m3']);
  });

  it('finds its members again after a restart of all, none of whom was there when it was founded', async () => {
    const { member: one } = await founded();
    const [two, three] = [await joined(2), await joined(3)];
    await add(one, two.self, false);
    await add(one, three.self, false);
    await remove(one, 'm1');
    await one.stopped;
    await Promise.all([two.member.close(), three.member.close()]);
    running = new Map();
    const again = await Promise.all([two.self, three.self].map((self) => start(self, [self], true)));
    await put(again[0] as Member, 'later', '3');
    expect(await get(again[1] as Member, 'later')).toBe('3');
  });

  it('replaces a member in one step, and takes a name back under another number', async () => {
    const { member: one } = await founded();
    const before = await idOf(one, 'm1');
    const two = await joined(2, 'new');
    await add(one, two.self, true);
    const changes = [
      { type: 'promote', member: 2 },
      { type: 'remove', member: 1 },
    ] as const;
    expect(await perform(one, { type: 'change', changes, waits: true })).toEqual({ member: 2 });
    await one.stopped;
    const back = await joined(3, 'm1');
    await add(two.member, back.self, false);
    expect(await get(back.member, 'first')).toBe('1');
    expect(await idOf(back.member, 'm1')).not.toBe(before);
  });

  it('R26: knows an added member by its directory: an empty one stops with DirectoryReplaced', async () => {
    const { member: one } = await founded();
    const two = await joined(2);
    await add(one, two.self, true);
    await two.member.close();
    await rm(join(directory, 'm2-2'), { recursive: true });
    const wiped = await start(two.self, [two.self], true);
    expect(await wiped.stopped).toMatchObject({ code: 'DirectoryReplaced' });
    running.delete('m2');
  });

  it('follows a member to another address', async () => {
    const { self: first, member: one } = await founded();
    const two = await joined(2);
    await add(one, two.self, false);
    const moved = await addresses(2);
    const request = { ID: await idOf(one, 'm2'), peerURLs: [peerUrl(moved)] };
    await call(one, 'Cluster/MemberUpdate', MemberUpdateRequest.encode(request).finish());
    await two.member.close();
    const again = await start(moved, [moved, first], true);
    await put(one, 'second', '2');
    expect(await get(again, 'second')).toBe('2');
    expect((await list(again)).find(({ name }) => name === 'm2')?.peerURLs).toEqual([peerUrl(moved)]);
  });
});

describe('a change of the membership', () => {
  it('is refused, with what to do, for a process that is not there, did not join, or has a used number or name', async () => {
    const { self, member: one } = await founded();
    const nobody = await addresses(2);
    await expect(add(one, nobody, true)).rejects.toMatchObject({ code: 9, message: expect.stringContaining('--join') });
    const founder = await addresses(2);
    await start(founder, [self, founder], false);
    await expect(add(one, founder, true)).rejects.toMatchObject({
      code: 9,
      message: expect.stringContaining('--join'),
    });
    const namesake = await joined(3, 'm1');
    running.set('namesake', namesake.member);
    await expect(add(one, namesake.self, true)).rejects.toMatchObject({
      message: expect.stringContaining('another name'),
    });
    expect(
      await perform(one, { type: 'change', changes: [{ type: 'remove', member: 9 }], waits: false }),
    ).toMatchObject({
      error: { code: 'MemberNotFound' },
    });
    running.set('m1', one);
  });

  it('has etcd’s texts for unknown members, voters that are promoted, known addresses and quorums at risk', async () => {
    const { self, member: one } = await founded();
    const ID = await idOf(one, 'm1');
    const failures: [string, Uint8Array, string][] = [
      ['Cluster/MemberRemove', MemberRemoveRequest.encode({ ID: 5n }).finish(), 'etcdserver: member not found'],
      ['Cluster/MemberPromote', MemberPromoteRequest.encode({ ID }).finish(), 'can only promote a learner member'],
      ['Cluster/MemberRemove', MemberRemoveRequest.encode({ ID }).finish(), 'no voter would be left'],
      [
        'Maintenance/MoveLeader',
        MoveLeaderRequest.encode({ targetID: 5n }).finish(),
        'etcdserver: bad leader transferee',
      ],
    ];
    for (const [path, message, text] of failures) await expect(call(one, path, message)).rejects.toThrow(text);
    await expect(add(one, self, true)).rejects.toThrow('etcdserver: Peer URLs already exists');
    const [two, three] = [await joined(2), await joined(3)];
    await add(one, two.self, false);
    await add(one, three.self, true);
    await three.member.close();
    running.delete('m3');
    const moved = MemberUpdateRequest.encode({ ID, peerURLs: [peerUrl(two.self)] }).finish();
    await expect(call(one, 'Cluster/MemberUpdate', moved)).rejects.toThrow('etcdserver: Peer URLs already exists');
    const promoted = MemberPromoteRequest.encode({ ID: await idOf(one, 'm3') }).finish();
    await expect(call(one, 'Cluster/MemberPromote', promoted)).rejects.toThrow('which is in sync with leader');
    expect(await get(two.member, 'first')).toBe('1');
  });

  it('that would leave the cluster without a majority of connected voters is refused with etcd’s text', async () => {
    const { member: one } = await founded();
    const [two, three] = [await joined(2), await joined(3)];
    for (const { self } of [two, three]) await add(one, self, false);
    expect(await get(three.member, 'first'), 'it knows by then that it is a member').toBe('1');
    await three.member.close();
    running.delete('m3');
    await expect.poll(async () => (await status(one)).peersReachable).toEqual(['m2']);
    await expect(remove(one, 'm2')).rejects.toThrow('re-configuration failed due to not enough started members');
    await remove(one, 'm3');
    expect((await list(two.member)).map(({ name }) => name)).toEqual(['m1', 'm2']);
    const back = await start(three.self, [three.self], true);
    expect(await back.stopped, 'who was away is told so by whomever it asks').toMatchObject({ code: 'Removed' });
    running.delete('m3');
  });

  it('moves the leader where it is asked to', async () => {
    const { member: one } = await founded();
    const two = await joined(2);
    await add(one, two.self, false);
    await call(one, 'Maintenance/MoveLeader', MoveLeaderRequest.encode({ targetID: await idOf(one, 'm2') }).finish());
    expect(await perform(one, { type: 'transfer', to: 1 })).toEqual({ member: 1 });
    expect(await perform(two.member, { type: 'transfer', to: 0 })).toEqual({ member: 2 });
  });
});
