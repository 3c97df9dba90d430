import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import {
  changed,
  decodeConfiguration,
  firstConfiguration,
  isConfiguration,
  left,
  mayVote,
  memberOf,
  wasRemoved,
} from '../configuration.ts';
import type { Configuration, Effect, Entry, MembershipChange, Rejection } from '../replica.ts';
import { Configurations } from './configurations.ts';
import { Electorate } from './electorate.ts';
import type { RaftOptions } from './options.ts';
import { RAFT_RULES, type RaftRules } from './rules.ts';

/**
 * Who this member believes, who it sends to, and whose agreement counts (§6; dissertation §4):
 *
 *   simple ── change of voters ──► joint, both sets agree ── committed ──► simple, made by the leader by itself
 *      └───── change of learners ──────────────────────────────────────────────►┘
 */
export class Membership {
  readonly #member: number;
  readonly #directory: number;
  readonly #joins: boolean;
  readonly #rules: RaftRules;
  readonly #configurations: Configurations;
  #electorate: Electorate;
  #others: readonly number[];

  constructor({ member, directory, members, contextOf, rules = RAFT_RULES }: RaftOptions) {
    this.#member = member;
    this.#directory = directory;
    this.#joins = members.length === 0;
    this.#rules = rules;
    const first = firstConfiguration(members, contextOf);
    this.#configurations = new Configurations(first);
    this.#electorate = new Electorate(first, rules);
    this.#others = this.#othersIn(first);
  }

  get latest(): Configuration {
    return this.#configurations.latest;
  }

  get latestIndex(): number {
    return this.#configurations.latestIndex;
  }

  get electorate(): Electorate {
    return this.#electorate;
  }

  /** Everyone else, learners and those about to leave among them. */
  get others(): readonly number[] {
    return this.#others;
  }

  mayVote(id: number): boolean {
    return mayVote(this.latest, id);
  }

  /**
   * In the newest configuration, or in an earlier one while the newest is not known to be committed: the others may
   * need this member to lead once more, for it may be the only one that has the newest (PITFALLS R16; dissertation §4.2.2).
   */
  mayStillVote(id: number, commitIndex: number): boolean {
    return this.#configurations.since(commitIndex).some((configuration) => mayVote(configuration, id));
  }

  has(id: number): boolean {
    return memberOf(this.latest, id) !== undefined;
  }

  // ── with the log (§6: in force from when it is appended) ──────────────────────────────────────────────────────

  recover(index: number, configuration: Uint8Array, entries: readonly Entry[]): void {
    this.install(index, configuration, index);
    for (const entry of entries) if (entry.index > index) this.append(entry);
  }

  append(entry: Entry): void {
    if (!isConfiguration(entry)) return;
    this.#configurations.append(entry.index, decodeConfiguration(entry.command));
    this.#use();
  }

  truncateFrom(index: number): void {
    if (this.#rules.revertsConfiguration() && this.#configurations.truncateFrom(index)) this.#use();
  }

  /** What a snapshot holds, or this member's own state; empty: nothing was changed before `index`. */
  install(index: number, configuration: Uint8Array, lastIndex: number): void {
    const holds = configuration.length > 0;
    const base = holds ? decodeConfiguration(configuration) : this.#configurations.committed(index);
    this.#configurations.install(index, base, lastIndex);
    this.#use();
  }

  compact(through: number): void {
    this.#configurations.compact(through);
  }

  #use(): void {
    this.#electorate = new Electorate(this.latest, this.#rules);
    this.#others = this.#othersIn(this.latest);
  }

  #othersIn({ members }: Configuration): readonly number[] {
    return members.map(({ id }) => id).filter((id) => id !== this.#member);
  }

  // ── who may speak (PITFALLS R12, R26) ─────────────────────────────────────────────────────────────────────────

  /** Of those that a committed configuration has left out nothing is believed; they may not know it yet. */
  judge(from: number, directory: number, commitIndex: number): 'heard' | 'removed' | 'replaced' {
    if (wasRemoved(this.#configurations.committed(commitIndex), from)) return 'removed';
    const known = memberOf(this.latest, from)?.directory ?? 0;
    return known !== 0 && known !== directory ? 'replaced' : 'heard';
  }

  /** It is to be added and not yet known by this directory, or never will be. */
  get isStranger(): boolean {
    return this.#joins && memberOf(this.latest, this.#member)?.directory !== this.#directory;
  }

  /** The directory of this member is not the one that it has in the configuration: it may not go on. */
  get isReplaced(): boolean {
    const own = memberOf(this.latest, this.#member);
    return own !== undefined && (this.#joins || own.directory !== 0) && own.directory !== this.#directory;
  }

  isRemoved(commitIndex: number): boolean {
    return wasRemoved(this.#configurations.committed(commitIndex), this.#member);
  }

  // ── changes, at the leader ────────────────────────────────────────────────────────────────────────────────────

  /** No change is under way (dissertation §4.1): the newest configuration is committed, and not joint. */
  isSettled(commitIndex: number): boolean {
    return this.#rules.isSettled(this.latestIndex, commitIndex) && !this.latest.joint;
  }

  /** Who was a member at `index` and is none now. */
  leftSince(index: number): readonly number[] {
    const before = this.#configurations.committed(index).members.map(({ id }) => id);
    return before.filter((id) => id !== this.#member && !this.has(id));
  }

  /** A joint configuration that may be left. */
  mayLeave(commitIndex: number): boolean {
    return this.latest.joint && this.#rules.mayLeaveJoint(this.latestIndex, commitIndex);
  }

  /** What to append; or why not. */
  next(
    changes: readonly MembershipChange[],
    leader: { readonly commitIndex: number; readonly mayChange: boolean; readonly isCaughtUp: (id: number) => boolean },
  ): Configuration | Rejection {
    if (!leader.mayChange || !this.isSettled(leader.commitIndex)) return 'ChangeUnderWay';
    try {
      const next = changed(this.latest, changes);
      const behind = changes.some(({ type, id }) => type === 'promote' && !leader.isCaughtUp(id));
      return behind ? 'LearnerBehind' : next;
    } catch {
      return 'InvalidChange';
    }
  }

  left(): Configuration {
    return left(this.latest);
  }

  save(writer: ByteWriter): void {
    this.#configurations.save(writer);
  }

  load(reader: ByteReader): void {
    this.#configurations.load(reader);
    this.#use();
  }
}

/** The name means another directory, for good (PITFALLS R26). */
export function replacedMember(member: number, directory: number): Effect<never> {
  const message =
    `the cluster knows member ${member} by another data directory than ${directory}: a new directory may not speak under ` +
    'an old name. Restore the old directory, or remove the member and add this one under a new name.';
  return { type: 'stop', code: 'DirectoryReplaced', message };
}

export function removedMember(member: number): Effect<never> {
  const message = `member ${member} was removed from the cluster, for good. Delete its data directory; to come back it is added as a new member.`;
  return { type: 'stop', code: 'Removed', message };
}
