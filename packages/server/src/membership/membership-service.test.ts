import type { DriverStatus, MembershipChange, Rejection } from '@polder/core';
import { describe, expect, it } from 'vitest';
import { encodeMemberContext } from '../transport/index.ts';
import { type MembershipRequest, MembershipService, Roster } from './index.ts';

const member = (id: number) => ({
  id,
  directory: 0,
  context: encodeMemberContext({ name: `m${id}`, peerHost: 'h', peerPort: id, clientHost: 'h', clientPort: 0 }),
  votes: true,
  voted: false,
  leaves: false,
});
const REMOVE: MembershipRequest = { type: 'change', changes: [{ type: 'remove', member: 3 }], waits: false };

/** A leader of three that answers each change with the next of these; null: not at all. */
function leader(answers: (Rejection | 'changed' | null)[], role: DriverStatus['role'] = 'leader') {
  const asked: (readonly MembershipChange[])[] = [];
  const configuration = { members: [1, 2, 3].map(member), joint: false, nextMember: 4 };
  const status = { role, leader: role === 'leader' ? 1 : 2, configuration } as unknown as DriverStatus;
  const roster = new Roster({ cluster: 'test', member: 1, given: [], onPeers: () => undefined });
  roster.observe(configuration);
  const service: MembershipService = new MembershipService({
    roster,
    member: 1,
    schedule: () => undefined,
    transport: { ask: () => Promise.reject(new Error('nobody is asked')), reachable: () => [2, 3] },
    driver: () => ({
      status: () => status,
      transferLeadership: () => undefined,
      changeMembership: (changes) => {
        asked.push(changes);
        const [id, answer] = [asked.length, answers[asked.length - 1] ?? null];
        const outcome = answer === 'changed' ? ({ type: 'changed', index: 9 } as const) : null;
        if (outcome !== null) queueMicrotask(() => service.onChanged(id, outcome));
        else if (answer !== null && answer !== 'changed') {
          queueMicrotask(() => service.onChanged(id, { type: 'rejected', reason: answer }));
        }
        return id;
      },
    }),
  });
  return { service, asked };
}

const soon = (): AbortSignal => AbortSignal.timeout(60);

describe('the membership at its leader', () => {
  it('waits for an earlier change to be complete, and then makes its own', async () => {
    const { service, asked } = leader(['ChangeUnderWay', 'ChangeUnderWay', 'changed']);
    expect(await service.perform(REMOVE, AbortSignal.timeout(5_000))).toBe(3);
    expect(asked).toHaveLength(3);
  });

  it('waits for a learner to catch up only where asked to', async () => {
    const { service } = leader(['LearnerBehind', 'LearnerBehind', 'changed']);
    await expect(service.perform(REMOVE, AbortSignal.timeout(5_000))).rejects.toMatchObject({ code: 'LearnerBehind' });
    expect(await service.perform({ ...REMOVE, waits: true }, AbortSignal.timeout(5_000))).toBe(3);
  });

  it('R23: never tries a change again whose outcome is not known', async () => {
    const { service, asked } = leader(['Unknown', 'changed']);
    await expect(service.perform(REMOVE, soon())).rejects.toMatchObject({ code: 'Unknown' });
    expect(asked).toHaveLength(1);
  });

  it('R23: says Timeout, which is unknown, when the time is up first, and Unknown when the member stops first', async () => {
    const { service } = leader([]);
    await expect(service.perform(REMOVE, soon())).rejects.toMatchObject({ code: 'Timeout' });
    const pending = service.perform(REMOVE, AbortSignal.timeout(5_000));
    service.end();
    await expect(pending).rejects.toMatchObject({ code: 'Unknown' });
    await expect(service.perform(REMOVE, soon())).rejects.toMatchObject({ code: 'Stopped' });
  });

  it('is named by a follower that cannot pass the request on, or was passed it', async () => {
    const { service, asked } = leader([], 'follower');
    await expect(service.perform(REMOVE, soon())).rejects.toThrow('m2 leads');
    await expect(service.perform(REMOVE, soon(), true)).rejects.toMatchObject({ code: 'NotLeader' });
    expect(asked).toEqual([]);
  });
});
