import { PolderError } from '@polder/core';
import type { MembershipRequest, MembershipService, NumberedChange, Roster } from '../membership/index.ts';
import type { CallOptions } from './calls.ts';
import { NotLeaderError, OperationError } from './errors.ts';
import type { MemberAddresses } from './options.ts';

/** A member as the configuration has it. */
export interface MemberView extends MemberAddresses {
  /** Else it is a learner: it receives everything and has no say. */
  readonly votes: boolean;
}

/** The process of a new member: where it listens for its peers, or its name on a `LocalNetwork`. */
export type Joiner = { readonly peerHost?: string; readonly peerPort: number } | { readonly name: string };

interface MembershipHost {
  readonly changes: MembershipService;
  readonly roster: Roster;
  status(): { readonly configuration: { readonly nextMember: number } };
  leader(): MemberAddresses | null;
}

const TIMEOUT_MS_DEFAULT = 10_000;
const LOCAL_HOST = '127.0.0.1';
const UNKNOWN_CODES: readonly string[] = ['Unknown', 'Timeout'];

/**
 * Who the members are, and how that changes; asked at any member, done by the leader (a follower passes it on where the
 * leader has a `clientPort`, else it throws `NotLeader`). Throws an OperationError: with outcome `notApplied`
 * `MemberNotFound`, `InvalidChange`, `NotEnoughStarted`, `NotReachable`, `NotJoining`, `LearnerBehind`, `ChangeUnderWay`,
 * `NoLeader`, `NotLeader`, `Stopped`; with `unknown` `Unknown`, `Timeout` (after ten seconds, where none is given).
 */
export class MembershipClient {
  readonly #host: MembershipHost;

  constructor(host: MembershipHost) {
    this.#host = host;
  }

  /** As far as this member knows. */
  list(): readonly MemberView[] {
    return this.#host.roster.members.map(viewOf);
  }

  /** The least number that a new member may have. */
  get nextMember(): number {
    return this.#host.status().configuration.nextMember;
  }

  /** Adds a process that was started with `join: true`, as a learner. */
  async add(joiner: Joiner, options?: CallOptions): Promise<MemberView> {
    const address =
      'name' in joiner
        ? { host: joiner.name, port: 0 }
        : { host: joiner.peerHost ?? LOCAL_HOST, port: joiner.peerPort };
    const id = await this.#perform({ type: 'add', ...address }, options);
    const found = this.#host.roster.byId(id);
    return found === undefined ? { id, name: `member ${id}`, votes: false } : viewOf(found);
  }

  /** Lets a learner vote, as soon as it has caught up. */
  async promote(name: string, options?: CallOptions): Promise<void> {
    await this.#change([this.#named('promote', name)], options);
  }

  /** Makes a voter a learner. */
  async demote(name: string, options?: CallOptions): Promise<void> {
    await this.#change([this.#named('demote', name)], options);
  }

  /** It stops by itself, with code `Removed`. */
  async remove(name: string, options?: CallOptions): Promise<void> {
    await this.#change([this.#named('remove', name)], options);
  }

  /** In one step: a learner votes, and `old` is gone. */
  async replace(old: string, learner: string, options?: CallOptions): Promise<void> {
    await this.#change([this.#named('promote', learner), this.#named('remove', old)], options);
  }

  #named(type: NumberedChange['type'], name: string): NumberedChange {
    const member = this.#host.roster.members.find((each) => each.name === name);
    if (member !== undefined) return { type, member: member.id };
    const names = this.#host.roster.members.map((each) => each.name).join(', ');
    throw new OperationError('MemberNotFound', 'notApplied', `there is no member ${name}; there are ${names}`);
  }

  async #change(changes: readonly NumberedChange[], options?: CallOptions): Promise<void> {
    await this.#perform({ type: 'change', changes, waits: true }, options);
  }

  async #perform(request: MembershipRequest, { signal, timeoutMs }: CallOptions = {}): Promise<number> {
    const timeout = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS_DEFAULT);
    try {
      return await this.#host.changes.perform(
        request,
        signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      );
    } catch (error) {
      if (!(error instanceof PolderError)) throw error;
      if (error.code === 'NotLeader') throw new NotLeaderError(this.#host.leader());
      const outcome = UNKNOWN_CODES.includes(error.code) ? 'unknown' : 'notApplied';
      throw new OperationError(error.code, outcome, error.message, { cause: error });
    }
  }
}

export function viewOf(member: Roster['members'][number]): MemberView {
  const { id, name, votes, peerHost, peerPort, clientHost, clientPort } = member;
  const peers = peerPort === 0 ? {} : { peerHost, peerPort };
  const clients = clientPort === 0 ? {} : { clientHost, clientPort };
  return { id, name, votes, ...peers, ...clients };
}
