/** The store from inside a process: members that share a process, joined by memory. */
import { execFile } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import {
  LocalNetwork,
  type Member,
  type MemberOptions,
  NotLeaderError,
  SESSION_PREFIX,
  startMember,
  text,
} from '../index.ts';

const TIMING = { electionTimeoutUs: 150_000, heartbeatUs: 15_000, proposalTimeoutUs: 5_000_000 };

let running: Member[] = [];

afterEach(async () => {
  await Promise.all(running.map((member) => member.close({ handOver: false })));
  running = [];
});

async function started(options: MemberOptions): Promise<Member> {
  const member = await startMember({ timing: TIMING, ...options });
  running.push(member);
  return member;
}

interface Trio {
  readonly network: LocalNetwork;
  readonly leader: Member;
  readonly followers: readonly [Member, Member];
}

async function trio(): Promise<Trio> {
  const network = new LocalNetwork();
  const members = ['a', 'b', 'c'].map((name, i) => ({ name, id: i + 1 }));
  const all = await Promise.all(members.map(({ name }) => started({ name, members, network })));
  for (;;) {
    await all[0]?.put('ready', '');
    const leader = all.find((member) => member.status().role === 'leader');
    const [one, two] = all.filter((member) => member !== leader);
    if (leader !== undefined && one !== undefined && two !== undefined)
      return { network, leader, followers: [one, two] };
  }
}

describe('a member that is alone', () => {
  it('needs nothing to keep a store in memory', async () => {
    const member = await started({});
    expect(await member.put('greeting', 'hello')).toEqual({ revision: 2, previous: null });
    const found = await member.get('greeting');
    expect(found && text(found.value)).toBe('hello');
    expect(member.clientUrl).toBeNull();
  });

  it('needs only a directory to keep it beyond its process', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'polder-embedded-'));
    try {
      const first = await startMember({ dataDirectory, timing: TIMING });
      await first.put('key', 'value');
      await first.close();
      const again = await startMember({ dataDirectory, timing: TIMING });
      expect(text((await again.get('key'))?.value ?? new Uint8Array(0))).toBe('value');
      await again.close();
    } finally {
      await rm(dataDirectory, { recursive: true, force: true });
    }
  });

  it('does what etcd does: ranges, deletes, transactions, old revisions, compaction', async () => {
    const member = await started({});
    for (const key of ['a/1', 'a/2', 'a/3', 'b']) await member.put(key, key);
    const range = await member.range({ prefix: 'a/' }, { limit: 2 });
    expect(range.kvs.map(({ key }) => text(key))).toEqual(['a/1', 'a/2']);
    expect(range).toMatchObject({ more: true, count: 3 });
    expect((await member.range({ from: 'a/3' })).count).toBe(2);
    expect(await member.delete({ from: 'a/2', to: 'b' }, { previous: true })).toMatchObject({ deleted: 2 });
    expect((await member.range({ prefix: '' }, { countOnly: true })).count).toBe(2);
    expect((await member.range({ prefix: 'a/' }, { revision: range.revision })).count).toBe(3);
    const swapped = await member.txn({
      compare: [{ target: 'value', key: 'b', result: 'equal', value: 'b' }],
      success: [{ type: 'put', key: 'b', value: 'c' }],
      failure: [{ type: 'range', key: 'b' }],
    });
    expect(swapped.succeeded).toBe(true);
    await member.compact(swapped.revision);
    await expect(member.get('b', { revision: 2 })).rejects.toMatchObject({ code: 'Compacted', outcome: 'notApplied' });
    await expect(member.put('', 'no key')).rejects.toMatchObject({ code: 'EmptyKey', outcome: 'notApplied' });
  });

  it('leaves nothing behind when it is closed: no timer, no socket, no file', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'polder-embedded-'));
    const fixture = fileURLToPath(new URL('./exit.fixture.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [fixture, dataDirectory], { timeout: 30_000 });
    expect(JSON.parse(stdout)).toEqual({ outcome: 'unknown', held: [], files: 0 });
    await rm(dataDirectory, { recursive: true, force: true });
  });
});

describe('members of one process', () => {
  it('elect a leader, and a write through a follower is read through another', async () => {
    const { followers } = await trio();
    await followers[0].put('key', 'value');
    expect(text((await followers[1].get('key'))?.value ?? new Uint8Array(0))).toBe('value');
  });

  it('refuse where they do not lead, if asked not to forward, and name who does', async () => {
    const { leader, followers } = await trio();
    const error = await followers[0].put('key', 'value', { forward: false }).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error).toMatchObject({ code: 'NotLeader', outcome: 'notApplied', leader: { name: leader.name } });
    expect(await leader.put('key', 'value', { forward: false })).toMatchObject({ previous: null });
  });

  it('tell who leads: as it is, and as it changes', async () => {
    const { leader, followers } = await trio();
    const [one] = followers;
    const heard = once(leader.events, 'role');
    expect((await leader.transferLeadership(one.name)).name).toBe(one.name);
    expect(await heard).toMatchObject([{ role: 'follower' }]);
    expect(one.status().role).toBe('leader');
    await leader.put('key', 'value');
    expect(leader.leader()?.name).toBe(one.name);
    await expect(leader.transferLeadership()).rejects.toBeInstanceOf(NotLeaderError);
    await expect(one.transferLeadership('nobody')).rejects.toMatchObject({ code: 'UnknownMember' });
  });

  it('tell what they have applied, and that they have stopped', async () => {
    const { leader, followers } = await trio();
    const heard = on(followers[0].events, 'applied');
    const { revision } = await leader.put('key', 'value');
    for await (const [applied] of heard) if (applied.revision === revision) break;
    const stopped = once(leader.events, 'stopped');
    await leader.close();
    expect(await stopped).toEqual([{ error: null }]);
    expect(await leader.stopped).toBeNull();
  });

  it('R23: end a wait by signal or time as unknown, and an aborted one before it begins as not applied', async () => {
    const { network, leader, followers } = await trio();
    for (const { name } of followers) network.cut(name);
    const controller = new AbortController();
    const write = leader.put('key', 'value', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(write).rejects.toMatchObject({ code: 'Aborted', outcome: 'unknown', cause: { message: 'enough' } });
    await expect(leader.put('key', 'value', { timeoutMs: 5 })).rejects.toMatchObject({
      code: 'Timeout',
      outcome: 'unknown',
    });
    await expect(leader.put('key', 'value', { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'Aborted',
      outcome: 'notApplied',
    });
    await leader.close();
    await expect(leader.put('key', 'value')).rejects.toMatchObject({ code: 'Stopped', outcome: 'notApplied' });
  });

  it('hand leadership over when they close, unless asked not to', async () => {
    const { leader, followers } = await trio();
    await leader.close();
    expect(leader.status().role).not.toBe('leader');
    await followers[0].put('key', 'value');
    const next = followers.find((member) => member.status().role === 'leader');
    await next?.close({ handOver: false });
    expect(next?.status().role).toBe('leader');
  });
});

describe('a session', () => {
  it('R21: happens once though it is tried again through another member, and says when it happened', async () => {
    const { leader, followers } = await trio();
    const session = await leader.session();
    await session.put('before', '');
    const { token } = session;
    const first = await session.txn({ success: [{ type: 'put', key: 'orders', value: '1' }] });
    expect(first).toMatchObject({ succeeded: true, responses: [{ type: 'put' }] });
    await leader.put('orders', '2');
    const again = await (await followers[0].session(token)).txn({
      success: [{ type: 'put', key: 'orders', value: '1' }],
    });
    expect(again).toEqual({ revision: first.revision, succeeded: true, responses: null });
    expect(text((await leader.get('orders'))?.value ?? new Uint8Array(0))).toBe('2');
  });

  it('R21: tries a write whose answer was lost until it has one', async () => {
    const { network, leader, followers } = await trio();
    const [one, two] = followers;
    const session = await leader.session();
    await session.put('count', '1');
    network.cut(leader.name);
    const write = session.put('count', '2', { timeoutMs: 10 }).catch((failure: unknown) => failure);
    expect(await write).toMatchObject({ outcome: 'unknown' });
    await expect((await one.session(session.token)).put('count', '2')).resolves.toMatchObject({ succeeded: true });
    network.heal(leader.name);
    const retried = await session.put('count', '2', { retry: true });
    expect(retried).toMatchObject({ responses: null });
    expect((await two.get('count'))?.version).toBe(2);
  });

  it('once closed is refused everywhere, and never done', async () => {
    const { leader, followers } = await trio();
    const session = await leader.session();
    await session.put('key', '1');
    const { token } = session;
    await session.close();
    await expect(session.put('key', '2')).rejects.toMatchObject({ code: 'SessionEnded' });
    await expect((await followers[0].session(token)).put('key', '2')).rejects.toMatchObject({ code: 'SessionEnded' });
    expect((await leader.get('key'))?.version).toBe(1);
  });

  it('whose key comes back later is not brought back by it', async () => {
    const { leader } = await trio();
    const session = await leader.session();
    const key = `${SESSION_PREFIX}${session.token.id.split('@')[0]}`;
    const [mark] = (await leader.range({ prefix: key })).kvs;
    await leader.delete(key);
    await leader.put(key, mark?.value ?? '');
    await expect(session.put('key', '1')).rejects.toMatchObject({ code: 'SessionEnded' });
    expect(await leader.get('key')).toBeNull();
  });

  it('that two holders use is refused to the one behind', async () => {
    const { leader, followers } = await trio();
    const session = await leader.session();
    await session.put('key', '1');
    const { token } = session;
    await session.put('key', '2');
    await session.put('key', '3');
    await expect((await followers[0].session(token)).put('key', '4')).rejects.toMatchObject({ code: 'SessionMisused' });
  });
});
