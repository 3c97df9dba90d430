import { createHash } from 'node:crypto';
import type { Configuration, ConfiguredMember } from '@polder/core';
import type { StoreMember } from '../etcd/store.ts';
import { decodeMemberContext, encodeMemberContext, type MemberContext, type PeerAddress } from '../transport/index.ts';

export interface NumberedMember extends MemberContext {
  readonly id: number;
}

export interface RosterMember extends NumberedMember {
  readonly directory: number;
  /** Else it is a learner; in a joint configuration: among the new voters. */
  readonly votes: boolean;
  /** Gone when the change under way is complete. */
  readonly leaves: boolean;
}

export interface RosterOptions {
  readonly cluster: string;
  readonly member: number;
  /** What this process was started with: where to look as long as no configuration says more. */
  readonly given: readonly NumberedMember[];
  /** The others, and where they are. */
  readonly onPeers: (peers: readonly PeerAddress[]) => void;
}

/** Who the members are and where, as the newest configuration has it. */
export class Roster {
  readonly #options: RosterOptions;
  #configuration: Configuration | null = null;
  #members: readonly RosterMember[] = [];
  #storeMembers: readonly StoreMember[] = [];

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  get members(): readonly RosterMember[] {
    return this.#members;
  }

  /** As etcd's clients see them. */
  get storeMembers(): readonly StoreMember[] {
    return this.#storeMembers;
  }

  byId(id: number): RosterMember | undefined {
    return this.#members.find((member) => member.id === id);
  }

  /** For whoever reads a log; a member that left has a number only. */
  nameOf(id: number): string {
    return this.byId(id)?.name ?? this.#given(id)?.name ?? `member ${id}`;
  }

  /** After a turn: the configuration is another object when it has changed. */
  observe(configuration: Configuration): boolean {
    if (configuration === this.#configuration) return false;
    this.#configuration = configuration;
    this.#members = configuration.members.map((member) => this.#member(member));
    this.#storeMembers = this.#members.map((member) => storeMember(this.#options.cluster, member));
    this.#options.onPeers(this.peers());
    return true;
  }

  /** Until this member has heard of any configuration: those that it was given. */
  peers(): PeerAddress[] {
    const known: readonly NumberedMember[] = this.#members.length > 0 ? this.#members : this.#options.given;
    return known
      .filter(({ id, peerPort }) => id !== this.#options.member && peerPort !== 0)
      .map(({ id, peerHost, peerPort }) => {
        const given = this.#given(id);
        const others = given === undefined ? [] : [{ host: given.peerHost, port: given.peerPort }];
        return { id, host: peerHost, port: peerPort, others };
      });
  }

  #member({ id, directory, context, votes, leaves }: ConfiguredMember): RosterMember {
    return { ...this.#contextOf(id, context), id, directory, votes, leaves };
  }

  #contextOf(id: number, context: Uint8Array): MemberContext {
    try {
      return decodeMemberContext(context);
    } catch {
      const nowhere = { name: `member-${id}`, peerHost: '', peerPort: 0, clientHost: '', clientPort: 0 };
      return this.#given(id) ?? nowhere;
    }
  }

  #given(id: number): NumberedMember | undefined {
    return this.#options.given.find((member) => member.id === id);
  }
}

/** What the first configuration says of the members that a cluster begins with. */
export function contextOf(given: readonly NumberedMember[]): (id: number) => Uint8Array {
  return (id) => {
    const member = given.find((each) => each.id === id);
    return member === undefined ? new Uint8Array(0) : encodeMemberContext(member);
  };
}

function storeMember(cluster: string, member: RosterMember): StoreMember {
  return {
    number: member.id,
    id: memberId64(cluster, member.id),
    name: member.name,
    peerUrls: urls(member.peerHost, member.peerPort),
    clientUrls: urls(member.clientHost, member.clientPort),
    isLearner: !member.votes,
  };
}

/** Port 0: it listens nowhere. */
function urls(host: string, port: number): string[] {
  return port === 0 ? [] : [`http://${hostAndPort(host, port)}`];
}

export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Of a member's number, which is never used twice; its name may come back. */
export function memberId64(cluster: string, id: number): bigint {
  return id64(`${cluster}/${id}`);
}

/** etcd's clients want 64-bit ids; the same text gives the same one on every member. */
export function id64(text: string): bigint {
  return createHash('sha256').update(text).digest().readBigUInt64BE();
}
