/** The registers of three real members: real sockets that break, real files. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from '@polder/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemberAddresses } from '../embedding/index.ts';
import { LocalNetwork, type Member, startMember } from '../index.ts';
import { loopbackMembers } from '../testing/free-ports.test-support.ts';
import type { RegistersClient, RegisterWriteOptions } from './index.ts';

let directory = '';
let running: Member[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-registers-'));
});

afterEach(async () => {
  await Promise.all(running.map((member) => member.close({ handOver: false })));
  running = [];
  await rm(directory, { recursive: true, force: true });
});

async function start(members: readonly MemberAddresses[], name: string): Promise<Member> {
  const member = await startMember({ name, members, dataDirectory: join(directory, name), breakable: true });
  running.push(member);
  return member;
}

async function trio(members: readonly MemberAddresses[]): Promise<[Member, Member, Member]> {
  const [one, two, three] = await Promise.all(members.map(({ name }) => start(members, name)));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three members were started');
  return [one, two, three];
}

/** Until the members know each other's directories: a new store needs all of them once. */
async function strongly(registers: RegistersClient, key: string, value: string): Promise<void> {
  for (;;) {
    const refusal = await registers.write(key, value, { level: 'strong', timeoutMs: 2_000 }).then(
      () => null,
      (error: { code: string }) => error.code,
    );
    if (refusal === null) return;
    expect(['NotJoined', 'NoMajority', 'TimedOut']).toContain(refusal);
  }
}

async function valueOf(registers: RegistersClient, key: string): Promise<string | null> {
  const { value } = await registers.read(key);
  return value === null ? null : text(value);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

async function links(member: Member, mode: 'block' | 'clear'): Promise<void> {
  const response = await fetch(`${member.clientUrl}/polder/links`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ peer: '*', direction: 'both', mode }]),
  });
  expect(response.status).toBe(200);
}

describe('registers', () => {
  it('serve every level, and tell who took part', async () => {
    const [one, two] = await trio(await loopbackMembers(3));
    await strongly(one.registers, 'name', 'taken');
    const read = await two.registers.read('name', { level: 'strong' });
    expect(read).toMatchObject({ level: 'strong', stalenessMs: 0 });
    expect(read.reached.length).toBeGreaterThanOrEqual(2);
    expect(read.value && text(read.value)).toBe('taken');

    for (const level of ['weak', 'eventual', 'causal'] as const) {
      const written = await one.registers.write(`at/${level}`, level, { level });
      expect(written).toMatchObject({ level, reached: [1] });
    }
    const { entries, more } = await one.registers.range('at/', { limit: 2 });
    expect(entries.map(({ key }) => key)).toEqual(['at/causal', 'at/eventual']);
    expect(more).toBe(true);

    const session = await one.registers.write('question', 'why', { level: 'causal', token: new Uint8Array(0) });
    const moved = session.token === null ? {} : { token: session.token };
    const seen = await two.registers.read('question', { level: 'causal', ...moved });
    expect(seen.value && text(seen.value)).toBe('why');

    await one.registers.delete('name', { level: 'strong' });
    expect((await two.registers.read('name', { level: 'strong' })).value).toBeNull();
    expect(await one.get('at/weak')).toBeNull();
  });

  it('cut off refuse strong, answer the weaker levels, and come together once the links are mended', async () => {
    const [one, two, three] = await trio(await loopbackMembers(3));
    await strongly(one.registers, 'x', 'old');
    await links(one, 'block');

    const refused = one.registers.write('x', 's', { level: 'strong', timeoutMs: 300 });
    await expect(refused).rejects.toMatchObject({ code: 'NoMajority', outcome: 'notApplied' });
    const read = one.registers.read('x', { level: 'strong', timeoutMs: 300 });
    await expect(read).rejects.toMatchObject({ code: 'NoMajority', outcome: 'notApplied' });
    const less = await one.registers.write('y', 'less', { level: 'strong', degradeTo: 'eventual', timeoutMs: 300 });
    expect(less).toMatchObject({ level: 'eventual', reached: [1] });
    for (const level of ['weak', 'eventual', 'causal'] as const) await one.registers.write(level, 'here', { level });
    expect((await two.registers.write('z', 'there', { level: 'strong' })).level).toBe('strong');

    await links(one, 'clear');
    for (const { registers } of [one, two, three]) {
      for (const [key, value] of [
        ['y', 'less'],
        ['z', 'there'],
        ['eventual', 'here'],
        ['causal', 'here'],
      ] as const) {
        await until(async () => (await valueOf(registers, key)) === value);
      }
    }
    await until(async () => [two, three].every((each) => each.registers.status().hintBacklog === 0));
    expect(two.registers.status().vector).toEqual(one.registers.status().vector);
  });

  it('hold what they acknowledged over a stop and a start, whatever the replica beside them holds', async () => {
    const members = await loopbackMembers(3);
    const first = await start(members, 'm1');
    await first.registers.write('kept', 'here');
    await first.close();
    running = [];
    const again = await start(members, 'm1');
    expect(await valueOf(again.registers, 'kept')).toBe('here');
    await again.close();
    await expect(again.registers.read('kept')).rejects.toMatchObject({ code: 'Stopped', outcome: 'notApplied' });
  });

  it('speak JSON, and say when a key is in the other keyspace', async () => {
    const [one] = await trio(await loopbackMembers(3));
    const ask = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${one.clientUrl}/polder/registers/${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.json() };
    };
    await strongly(one.registers, 'ready', 'yes');
    const written = await ask('write', { key: 'k', value: 'v', level: 'causal', token: '' });
    expect(written).toMatchObject({ status: 200, body: { key: 'k', level: 'causal', reached: [1] } });
    const read = await ask('read', { key: 'k', level: 'strong', token: (written.body as { token: string }).token });
    expect(read).toMatchObject({ status: 200, body: { value: 'v', level: 'strong' } });
    expect(await ask('write', { key: 'k/b', valueBase64: '/w==' })).toMatchObject({ status: 200 });
    const range = await ask('range', { prefix: 'k' });
    expect(range.body).toMatchObject({
      entries: [
        { key: 'k', value: 'v' },
        { key: 'k/b', valueBase64: '/w==' },
      ],
    });
    expect(await ask('delete', { key: 'k' })).toMatchObject({ status: 200 });

    await one.put('elsewhere', 'v', { timeoutMs: 5_000 });
    expect((await ask('read', { key: 'elsewhere' })).body).toMatchObject({ value: null, tag: null, isInStore: true });
    expect((await ask('read', { key: 'nowhere' })).body).not.toHaveProperty('isInStore');

    for (const bad of [{}, { key: 'k', level: 'best' }, { key: 'k', token: 'AAAA' }, { key: 'k', degradeTo: 'weak' }]) {
      expect(await ask('read', bad)).toMatchObject({ status: 400, body: { error: { outcome: 'notApplied' } } });
    }
    await links(one, 'block');
    const refused = await ask('write', { key: 'k', value: 'w', level: 'strong', timeoutMs: 200 });
    expect(refused).toMatchObject({ status: 503, body: { error: { code: 'NoMajority', outcome: 'notApplied' } } });
    const status = await (await fetch(`${one.clientUrl}/polder/registers/status`)).json();
    expect(status).toMatchObject({ state: 'ready', records: expect.any(Number), vector: expect.any(Object) });
  });

  it('need neither sockets nor files', async () => {
    const network = new LocalNetwork();
    const members = [1, 2, 3].map((id) => ({ name: `m${id}`, id }));
    running = await Promise.all(members.map(({ name }) => startMember({ name, members, network })));
    const [one, two] = running;
    if (one === undefined || two === undefined) throw new Error('three members were started');
    await strongly(one.registers, 'k', 'v');
    expect(text((await two.registers.read('k', { level: 'strong' })).value ?? new Uint8Array(0))).toBe('v');
    expect(one.registers.status()).toMatchObject({ state: 'ready', peers: [{ name: 'm2' }, { name: 'm3' }] });
    const aborted = one.registers.write('k', 'w', { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'Cancelled', outcome: 'notApplied' });
    const malformed = one.registers.write('k', 'w', { level: 'strong', tag: 'mine' });
    await expect(malformed).rejects.toMatchObject({ code: 'InvalidRequest', outcome: 'notApplied' });
  });
});

/** What must not compile. Nothing here runs. */
export async function misuse({ registers }: Member): Promise<void> {
  // @ts-expect-error: there is nothing less than eventual to fall back to here
  await registers.write('k', 'v', { level: 'eventual', degradeTo: 'weak' });
  // @ts-expect-error: strong is not less
  await registers.write('k', 'v', { level: 'strong', degradeTo: 'strong' });
  // @ts-expect-error: only strong writes are repeated under their tag
  await registers.write('k', 'v', { level: 'causal', tag: '1.0@1.1.1' });
  // @ts-expect-error: a range is not strong
  await registers.range('k', { level: 'strong' });
  // @ts-expect-error: a read has no tag to repeat
  await registers.read('k', { level: 'strong', tag: '1.0@1.1.1' });
  const fits: RegisterWriteOptions = { level: 'strong', degradeTo: 'causal', tag: '1.0@1.1.1' };
  await registers.write('k', 'v', fits);
}
