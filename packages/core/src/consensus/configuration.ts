/**
 * Who the members are, and who of them votes (Raft §6; dissertation §4). A configuration is an entry of the log, made
 * by a leader. A change of voters passes through a joint configuration, in which the old voters and the new ones must
 * both agree; the leader leaves it by itself.
 */
import { assert, unreachable } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readList, writeList } from './entry-codec.ts';
import type { Configuration, ConfiguredMember, Entry, MembershipChange } from './replica.ts';

export const CONFIGURED_MEMBERS_MAX = 31;
export const CONTEXT_BYTES_MAX = 4096;
const CHANGES_MAX = CONFIGURED_MEMBERS_MAX;
const NO_CONTEXT = new Uint8Array(0);

/** What a cluster begins with; without members: what one knows that is to be added to a cluster. */
export function firstConfiguration(
  ids: readonly number[],
  contextOf: (id: number) => Uint8Array = () => NO_CONTEXT,
): Configuration {
  const members = [...ids]
    .sort((a, b) => a - b)
    .map((id) => ({ id, directory: 0, context: contextOf(id), votes: true, voted: false, leaves: false }));
  return { members, joint: false, nextMember: (members.at(-1)?.id ?? 0) + 1 };
}

export function memberOf(configuration: Configuration, id: number): ConfiguredMember | undefined {
  return configuration.members.find((member) => member.id === id);
}

/** It was a member once, and will never be again. */
export function wasRemoved(configuration: Configuration, id: number): boolean {
  return id < configuration.nextMember && memberOf(configuration, id) === undefined;
}

/**
 * The configuration that follows, joint if voters change. Throws `InvalidChange`, saying what does not fit; nothing is
 * changed then.
 */
export function changed(configuration: Configuration, changes: readonly MembershipChange[]): Configuration {
  assert(!configuration.joint, 'a joint configuration is left before the next change');
  if (changes.length === 0 || changes.length > CHANGES_MAX)
    throw invalid(`1 to ${CHANGES_MAX} changes are made at once`);
  const touched = new Set(changes.map(({ id }) => id));
  if (touched.size !== changes.length) throw invalid('one member is changed twice');
  let next = configuration;
  for (const change of changes) next = changedBy(next, change);
  if (!next.members.some(({ votes, leaves }) => votes && !leaves)) throw invalid('no voter would be left');
  const joint = next.members.some(({ id, votes }) => votes !== (memberOf(configuration, id)?.votes ?? false));
  if (!joint) return { ...next, members: next.members.filter(({ leaves }) => !leaves) };
  const members = next.members.map((member) => ({
    ...member,
    voted: memberOf(configuration, member.id)?.votes ?? false,
  }));
  return { ...next, members, joint };
}

/** §6: the second step, once the joint configuration is committed. */
export function left(configuration: Configuration): Configuration {
  assert(configuration.joint, 'only a joint configuration is left');
  const members = configuration.members.filter(({ leaves }) => !leaves).map((member) => ({ ...member, voted: false }));
  return { ...configuration, members, joint: false };
}

function changedBy(configuration: Configuration, change: MembershipChange): Configuration {
  const { id } = change;
  const member = memberOf(configuration, id);
  if (change.type === 'addLearner') return added(configuration, change);
  if (member === undefined) throw invalid(`member ${id} is not in this cluster`);
  switch (change.type) {
    case 'promote':
      if (member.votes) throw invalid(`member ${id} votes already`);
      return replaced(configuration, { ...member, votes: true });
    case 'demote':
      if (!member.votes) throw invalid(`member ${id} is a learner already`);
      return replaced(configuration, { ...member, votes: false });
    case 'remove':
      return replaced(configuration, { ...member, votes: false, leaves: true });
    case 'readdress':
      checkContext(change.context);
      return replaced(configuration, { ...member, context: change.context });
    default:
      return unreachable(change);
  }
}

function added(
  configuration: Configuration,
  { id, directory, context }: Extract<MembershipChange, { type: 'addLearner' }>,
): Configuration {
  if (!Number.isSafeInteger(id) || id < configuration.nextMember) {
    throw invalid(`a new member's number is at least ${configuration.nextMember}: none is used twice`);
  }
  if (!Number.isSafeInteger(directory) || directory < 1) throw invalid('a new member names its data directory');
  checkContext(context);
  if (configuration.members.length >= CONFIGURED_MEMBERS_MAX) {
    throw invalid(`a cluster has at most ${CONFIGURED_MEMBERS_MAX} members`);
  }
  const member = { id, directory, context, votes: false, voted: false, leaves: false };
  return { ...configuration, members: [...configuration.members, member], nextMember: id + 1 };
}

function checkContext(context: Uint8Array): void {
  if (context.length > CONTEXT_BYTES_MAX) throw invalid(`a member's context has at most ${CONTEXT_BYTES_MAX} bytes`);
}

function replaced(configuration: Configuration, member: ConfiguredMember): Configuration {
  const members = configuration.members.map((other) => (other.id === member.id ? member : other));
  return { ...configuration, members };
}

function invalid(why: string): PolderError {
  return new PolderError('InvalidChange', `the membership was not changed: ${why}`);
}

/** An entry that its leader made itself holds nothing, or a configuration. */
export function isConfiguration(entry: Entry): boolean {
  return entry.origin === null && entry.command.length > 0;
}

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  const writer = new ByteWriter();
  writer.bool(configuration.joint);
  writer.varint(configuration.nextMember);
  writeList(writer, configuration.members, (to, member) => {
    to.varint(member.id);
    to.varint(member.directory);
    to.bytes(member.context);
    for (const flag of [member.votes, member.voted, member.leaves]) to.bool(flag);
  });
  return writer.finish();
}

/** Throws `MalformedBytes`. */
export function decodeConfiguration(bytes: Uint8Array): Configuration {
  const reader = new ByteReader(bytes);
  const joint = reader.bool();
  const nextMember = reader.varint();
  const members = readList(reader, (from) => ({
    id: from.varint(),
    directory: from.varint(),
    context: from.bytes(),
    votes: from.bool(),
    voted: from.bool(),
    leaves: from.bool(),
  }));
  reader.end();
  const ascending = members.every(({ id }, i) => id > (members[i - 1]?.id ?? 0) && id < nextMember);
  if (!ascending || members.length > CONFIGURED_MEMBERS_MAX) {
    throw new PolderError('MalformedBytes', 'a configuration contradicts itself: it is not of this version’s format');
  }
  return { members, joint, nextMember };
}

/** The sets of voters that must agree, each by its majority: two in a joint configuration. */
export function votingSets({ members, joint }: Configuration): readonly (readonly number[])[] {
  const incoming = members.filter(({ votes }) => votes).map(({ id }) => id);
  return joint ? [incoming, members.filter(({ voted }) => voted).map(({ id }) => id)] : [incoming];
}

export function mayVote(configuration: Configuration, id: number): boolean {
  const member = memberOf(configuration, id);
  return member !== undefined && (member.votes || member.voted);
}
