/** Members that are added to, and taken from, a cluster inside one process. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Member, startMember } from '../member/index.ts';
import { LocalNetwork } from './local-network.ts';
import { type Replicated, startReplicated } from './replicated.ts';

const TIMING = { electionTimeoutUs: 200_000, heartbeatUs: 20_000 };
const running: AsyncDisposable[] = [];

afterEach(async () => {
  for (const member of running.splice(0)) await member[Symbol.asyncDispose]();
});

async function started(network: LocalNetwork, id: number, joins: boolean, name = `m${id}`): Promise<Member> {
  const member = await startMember({ name, members: [{ name, id }], network, join: joins, timing: TIMING });
  running.push(member);
  return member;
}

/** A sum that only grows: its state is a number. */
const sum = () => {
  let total = 0;
  return {
    apply: (by: number) => (total += by),
    snapshot: () => total,
    restore: (state: number) => {
      total = state;
    },
    view: () => total,
  };
};

describe('an embedded member', () => {
  it('adds a joiner as a learner, lets it vote, and is replaced by another in one step', async () => {
    const network = new LocalNetwork();
    const one = await started(network, 1, false);
    await one.put('key', 'value');
    const two = await started(network, one.membership.nextMember, true);
    expect(await one.membership.add({ name: 'm2' })).toMatchObject({ id: 2, name: 'm2', votes: false });
    await one.membership.promote('m2');
    await started(network, 3, true);
    await one.membership.add({ name: 'm3' });
    await one.membership.replace('m1', 'm3');
    expect(await one.stopped).toMatchObject({ code: 'Removed' });
    expect(Buffer.from((await two.get('key'))?.value ?? '').toString()).toBe('value');
    expect(two.membership.list().map(({ name, votes }) => [name, votes])).toEqual([
      ['m2', true],
      ['m3', true],
    ]);
  });

  it('tells with an event who the members are', async () => {
    const network = new LocalNetwork();
    const one = await started(network, 1, false);
    await one.put('key', 'value');
    await started(network, 2, true);
    const told = once(one.events, 'members');
    await one.membership.add({ name: 'm2' });
    expect((await told)[0]).toMatchObject({ members: [{ name: 'm1' }, { name: 'm2', votes: false }] });
  });

  it('says what is wrong, and that nothing was changed: where nobody is, who did not join, and who does not lead', async () => {
    const network = new LocalNetwork();
    const one = await started(network, 1, false);
    await one.put('key', 'value');
    const nothing = { outcome: 'notApplied' };
    await expect(one.membership.add({ name: 'm9' })).rejects.toMatchObject({ ...nothing, code: 'NotReachable' });
    await expect(one.membership.remove('m1')).rejects.toMatchObject({ ...nothing, code: 'InvalidChange' });
    await expect(one.membership.remove('m9')).rejects.toMatchObject({ ...nothing, code: 'MemberNotFound' });
    const two = await started(network, 2, true);
    await one.membership.add({ name: 'm2' });
    await two.get('key');
    const asked = two.membership.remove('m1', { timeoutMs: 100 });
    await expect(asked).rejects.toMatchObject({ ...nothing, code: 'NotLeader', leader: { name: 'm1' } });
  });

  it('with a state machine of one’s own: a joiner catches up by its snapshot, and finds its place again after a restart', async () => {
    const network = new LocalNetwork();
    const directory = await mkdtemp(join(tmpdir(), 'polder-embedded-'));
    const start = async (id: number, joins: boolean): Promise<Replicated<number, number, number>> => {
      const name = `m${id}`;
      const place = { name, members: [{ name, id }], join: joins, dataDirectory: join(directory, name) };
      const sizes = { snapshotEntries: 5, trailingEntries: 1 };
      const options = { ...place, network, timing: TIMING, stateMachine: sum };
      const member = await startReplicated<number, number, number, number>(options, { sizes });
      running.push(member);
      return member;
    };
    const one = await start(1, false);
    for (let n = 1; n <= 20; n++) await one.propose(n);
    const two = await start(2, true);
    await one.membership.add({ name: 'm2' });
    await one.membership.promote('m2');
    expect(await two.read((total) => total)).toBe(210);
    for (let n = 1; n <= 20; n++) await one.propose(0);
    await two.close();
    const again = await start(2, true);
    expect(await again.propose(1)).toBe(211);
    await one.close();
    await again.close();
    await rm(directory, { recursive: true, force: true });
  });
});
