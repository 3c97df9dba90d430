/** What an operator of a simulated cluster asks for: plain steps, made into changes by the leader's configuration. */
import { AssertionError, assert, unreachable } from '../../base/assert.ts';
import type { Configuration, MembershipChange } from '../../consensus/replica.ts';
import type { FaultSource } from '../faults/source.ts';
import { now } from '../faults/source.ts';
import type { Control } from '../protocol.ts';

const STEPS = ['grow', 'learn', 'learn', 'exchange', 'exchange', 'shrink', 'demote'] as const;

export type MembershipStep = (typeof STEPS)[number] | 'walk' | 'exactly';

/** The walk grows to this size, replaces every member, and shrinks to one. */
const WALK_VOTERS = 5;

export interface Spares {
  /** Members with ids up to this exist; those above the cluster's `nextMember` wait to be added. */
  readonly lastId: number;
  readonly directoryOf: (member: number) => number;
}

/** Asks whoever leads to change the membership; what exactly depends on who the members are when it does. */
export function membershipChange(): FaultSource {
  return {
    name: 'membership change',
    weight: 8,
    plan: (scene, draw) => {
      const leader = scene.leader();
      const step = STEPS[draw(STEPS.length)] ?? 'grow';
      const pick = draw(1 << 16);
      return leader === 0 ? [] : now({ type: 'control', member: leader, command: control(step, pick) });
    },
  };
}

/** Asks for the next step from one member to five, to five others, to one. */
export function membershipWalk(): FaultSource {
  return {
    name: 'membership walk',
    weight: 12,
    plan: (scene) => {
      const leader = scene.leader();
      return leader === 0 ? [] : now({ type: 'control', member: leader, command: control('walk', 0) });
    },
  };
}

function control(step: MembershipStep, pick: number): Control {
  return { type: 'changeMembership', step, pick };
}

/** None: the step has no meaning for these members. */
export function changesFor(configuration: Configuration, command: Control, spares: Spares): MembershipChange[] {
  const step = command['step'] as MembershipStep;
  const pick = Number(command['pick']);
  switch (step) {
    case 'grow':
      return grown(configuration, spares);
    case 'learn':
      return added(configuration, spares);
    case 'exchange':
      return exchanged(configuration, pick, spares);
    case 'shrink':
      return shrunk(configuration, pick);
    case 'demote':
      return demoted(configuration, pick);
    case 'exactly':
      return String(command['changes'])
        .split(',')
        .map((change) => parsed(change.trim(), spares));
    case 'walk':
      return walked(configuration, spares);
    default:
      return unreachable(step);
  }
}

/** These changes, in one step: `add 4`, `promote 4`, `demote 1`, `remove 2`. */
export function exactly(...changes: readonly string[]): Control {
  return { type: 'changeMembership', step: 'exactly', changes: changes.join(', ') };
}

function parsed(change: string, { directoryOf }: Spares): MembershipChange {
  const [verb, number] = change.split(' ');
  const id = Number(number);
  switch (verb) {
    case 'add':
      return { type: 'addLearner', id, directory: directoryOf(id), context: Uint8Array.of(id) };
    case 'promote':
    case 'demote':
    case 'remove':
      return { type: verb, id };
    default:
      throw new AssertionError(`a change of membership is one of add, promote, demote, remove: not "${change}"`);
  }
}

function voters({ members }: Configuration): number[] {
  return members.filter(({ votes }) => votes).map(({ id }) => id);
}

function learners({ members }: Configuration): number[] {
  return members.filter(({ votes }) => !votes).map(({ id }) => id);
}

/** A learner is promoted, or else one is added. */
function grown(configuration: Configuration, spares: Spares): MembershipChange[] {
  const [learner] = learners(configuration);
  return learner === undefined ? added(configuration, spares) : [{ type: 'promote', id: learner }];
}

function added({ nextMember: id }: Configuration, { lastId, directoryOf }: Spares): MembershipChange[] {
  if (id > lastId) return [];
  return [{ type: 'addLearner', id, directory: directoryOf(id), context: Uint8Array.of(id) }];
}

/** In one step: every learner votes, and as many voters go. */
function exchanged(configuration: Configuration, pick: number, spares: Spares): MembershipChange[] {
  const [incoming, ids] = [learners(configuration), voters(configuration)];
  if (incoming.length === 0) return added(configuration, spares);
  const first = pick % ids.length;
  const outgoing = [...ids.slice(first), ...ids.slice(0, first)].slice(0, incoming.length);
  return [
    ...incoming.map((id) => ({ type: 'promote', id }) as const),
    ...outgoing.map((id) => ({ type: 'remove', id }) as const),
  ];
}

function shrunk(configuration: Configuration, pick: number): MembershipChange[] {
  return voters(configuration).length > 1 ? removedOne(voters(configuration), pick) : [];
}

function demoted(configuration: Configuration, pick: number): MembershipChange[] {
  const ids = voters(configuration);
  const id = ids[pick % ids.length];
  return ids.length > 1 && id !== undefined ? [{ type: 'demote', id }] : [];
}

function removedOne(ids: readonly number[], pick: number): MembershipChange[] {
  const id = ids[pick % ids.length];
  assert(id !== undefined, 'there is a voter to remove');
  return [{ type: 'remove', id }];
}

function walked(configuration: Configuration, spares: Spares): MembershipChange[] {
  const ids = voters(configuration);
  const first = ids.filter((id) => id <= WALK_VOTERS);
  const grows = first.length > 0 && configuration.nextMember <= WALK_VOTERS;
  const [learner] = learners(configuration);
  if (grows || (first.length === ids.length && ids.length < WALK_VOTERS)) return grown(configuration, spares);
  if (first.length > 0) {
    if (learner === undefined) return added(configuration, spares);
    return [{ type: 'promote', id: learner }, ...removedOne(first, 0)];
  }
  return shrunk(configuration, 0);
}

/** The walk has come to its end: one is left, and none of those that the cluster began or grew with. */
export function hasWalked(configuration: Configuration): boolean {
  const ids = voters(configuration);
  return ids.length === 1 && configuration.members.length === 1 && (ids[0] ?? 0) > WALK_VOTERS;
}
