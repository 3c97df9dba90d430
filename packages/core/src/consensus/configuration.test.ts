import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changed,
  decodeConfiguration,
  encodeConfiguration,
  firstConfiguration,
  left,
  memberOf,
  votingSets,
  wasRemoved,
} from './configuration.ts';
import type { Configuration, MembershipChange } from './replica.ts';

const CONTEXT = Uint8Array.of(7);
const add = (id: number): MembershipChange => ({ type: 'addLearner', id, directory: 100 + id, context: CONTEXT });
const promote = (id: number): MembershipChange => ({ type: 'promote', id });
const demote = (id: number): MembershipChange => ({ type: 'demote', id });
const remove = (id: number): MembershipChange => ({ type: 'remove', id });
const readdress = (id: number, context: Uint8Array): MembershipChange => ({ type: 'readdress', id, context });

const whole = (configuration: Configuration): Configuration =>
  configuration.joint ? left(configuration) : configuration;
const voters = (configuration: Configuration): readonly number[] => votingSets(configuration)[0] ?? [];

describe('a change of membership', () => {
  it('adds a learner in one step: it has no say', () => {
    const next = changed(firstConfiguration([1, 2, 3]), [add(4)]);
    expect(next.joint).toBe(false);
    expect(votingSets(next)).toEqual([[1, 2, 3]]);
    expect(memberOf(next, 4)).toMatchObject({ directory: 104, context: CONTEXT, votes: false });
  });

  it('R14: of voters passes through both majorities, of the old ones and of the new ones', () => {
    const learner = changed(firstConfiguration([1, 2, 3]), [add(4)]);
    const joint = changed(learner, [promote(4), remove(1)]);
    expect(votingSets(joint)).toEqual([
      [2, 3, 4],
      [1, 2, 3],
    ]);
    expect(votingSets(left(joint))).toEqual([[2, 3, 4]]);
    expect(memberOf(joint, 1)).toBeDefined();
    expect(memberOf(left(joint), 1)).toBeUndefined();
  });

  it('R16: leaves a demoted voter its vote until the joint configuration is left', () => {
    const joint = changed(firstConfiguration([1, 2, 3]), [demote(3)]);
    expect(votingSets(joint)[1]).toContain(3);
    expect(memberOf(left(joint), 3)).toMatchObject({ votes: false, voted: false });
  });

  it('R26: never uses a number twice, also when its member is gone', () => {
    const grown = changed(firstConfiguration([1, 2, 3]), [add(7)]);
    const gone = changed(grown, [remove(7)]);
    expect(wasRemoved(gone, 7)).toBe(true);
    expect(wasRemoved(gone, 8)).toBe(false);
    expect(() => changed(gone, [add(7)])).toThrow('at least 8');
  });

  it('of an address replaces what is said of one member, and neither its vote nor its directory nor anyone else', () => {
    const first = firstConfiguration([1, 2, 3], (id) => Uint8Array.of(id));
    const next = changed(first, [readdress(2, CONTEXT)]);
    expect(next.joint).toBe(false);
    expect(memberOf(next, 2)).toEqual({ ...memberOf(first, 2), context: CONTEXT });
    expect([memberOf(next, 1), memberOf(next, 3)]).toEqual([memberOf(first, 1), memberOf(first, 3)]);
    expect(decodeConfiguration(encodeConfiguration(next))).toEqual(next);
  });

  it.each<[string, readonly MembershipChange[], string]>([
    ['nothing', [], '1 to 31 changes'],
    ['one member twice', [promote(1), remove(1)], 'changed twice'],
    ['a stranger', [promote(9)], 'not in this cluster'],
    ['a voter that votes already', [promote(1)], 'votes already'],
    ['every voter', [remove(1), demote(2), remove(3)], 'no voter would be left'],
    ['a newcomer without a directory', [{ ...add(4), directory: 0 } as MembershipChange], 'data directory'],
    ['a newcomer with too long a context', [{ ...add(4), context: new Uint8Array(5000) } as MembershipChange], '4096'],
    ['too long an address', [readdress(1, new Uint8Array(5000))], '4096'],
    ['a newcomer with an old number', [add(2)], 'at least 4'],
  ])('refuses %s, and says why', (_, changes, why) => {
    const configuration = firstConfiguration([1, 2, 3]);
    expect(() => changed(configuration, changes)).toThrow(why);
    expect(configuration).toEqual(firstConfiguration([1, 2, 3]));
  });

  it('any walk of changes keeps a voter, its bytes, and a majority of the old in every step', () => {
    const change = fc.record({ kind: fc.constantFrom(add, promote, demote, remove), pick: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (steps) => {
        let configuration = firstConfiguration([1, 2, 3]);
        for (const step of steps) {
          const before = configuration;
          const changes = step.map(({ kind, pick }) => kind(kind === add ? before.nextMember : 1 + pick));
          let next: Configuration;
          try {
            next = changed(before, changes);
          } catch {
            continue;
          }
          expect(decodeConfiguration(encodeConfiguration(next))).toEqual(next);
          if (next.joint) expect(votingSets(next)[1]).toEqual(voters(before));
          else expect(voters(next)).toEqual(voters(before));
          configuration = whole(next);
          expect(voters(configuration).length).toBeGreaterThan(0);
          expect(configuration.members.every(({ voted, leaves }) => !voted && !leaves)).toBe(true);
        }
      }),
    );
  });

  it.each([
    ['cut short', encodeConfiguration(firstConfiguration([1, 2])).slice(0, -1)],
    [
      'with ids that do not ascend',
      encodeConfiguration({
        ...firstConfiguration([1, 2]),
        members: [...firstConfiguration([1, 2]).members].reverse(),
      }),
    ],
    ['with an id that is yet to come', encodeConfiguration({ ...firstConfiguration([1, 2]), nextMember: 2 })],
  ])('is not read from bytes that are %s', (_, bytes) => {
    expect(() => decodeConfiguration(bytes)).toThrow(expect.objectContaining({ code: 'MalformedBytes' }));
  });
});
