/** How a member is told who it is, whom it talks to and where it keeps its data. */
import { type DriverOptions, PolderError, type RaftTiming } from '@polder/core';
import { type Logger, pino } from 'pino';
import type { FileSystem } from '../disk/index.ts';
import type { NumberedMember } from '../membership/index.ts';
import type { LmdbStorageOptions, MemberStorage, RoomOptions } from '../storage/index.ts';
import type { LocalNetwork } from './local-network.ts';

export interface MemberAddresses {
  readonly name: string;
  /** 1 and up, the same on every member. */
  readonly id: number;
  /** Default: 127.0.0.1. */
  readonly peerHost?: string;
  /** Where the other members find it; needless for a single member and on a `LocalNetwork`. */
  readonly peerPort?: number;
  /** Default: 127.0.0.1. */
  readonly clientHost?: string;
  /** Where it serves etcd's API and HTTP, 0 for any free port; without it, nowhere. */
  readonly clientPort?: number;
}

export interface EmbeddedOptions {
  /** Members of other clusters are refused. Default: "polder". */
  readonly cluster?: string;
  /** Where its log and snapshots are; without it they are in memory, and gone when it stops. */
  readonly dataDirectory?: string;
  /**
   * This member is to be added to a cluster that runs, by `membership.add` at one of its members. `members` has this
   * one, with a number that nobody had (`nextMember` of `membership`), and may have others to look for.
   */
  readonly join?: boolean;
  /** Joins members of one process without sockets. */
  readonly network?: LocalNetwork;
  /** Elections, heartbeats, and how long an operation is tried. */
  readonly timing?: Partial<RaftTiming>;
  /**
   * A leader answers linearizable reads without a round to a majority (see RaftOptions). The same at every member.
   * A killed leader is then replaced after a whole election time-out. Default: off.
   */
  readonly leaseReads?: boolean;
  /** Requests that take longer are logged, with where the time went. Default: 500; null: none. */
  readonly slowRequestMs?: number | null;
  /** Of pino, to stdout. Default: "silent". */
  readonly logLevel?: string;
}

/** A cluster's list comes with this member's own name; without a list it is alone. */
export type Placement =
  | { readonly name: string; readonly members: readonly MemberAddresses[] }
  | { readonly name?: string; readonly members?: undefined };

type AnyDriverOptions = DriverOptions<unknown, unknown, unknown, unknown>;

/** What a test puts in the place of the machine. */
export interface MemberEnvironment {
  readonly fileSystem?: FileSystem;
  readonly createStorage?: (options: LmdbStorageOptions) => MemberStorage;
  readonly room?: Pick<RoomOptions, 'spaceOf' | 'everyMs'>;
  /** Small ones, so that little is written before something happens. */
  readonly sizes?: Pick<AnyDriverOptions, 'snapshotEntries' | 'trailingEntries' | 'segmentBytes' | 'checkpoints'>;
}

export interface ResolvedOptions extends EmbeddedOptions {
  readonly cluster: string;
  readonly self: MemberAddresses;
  readonly members: readonly MemberAddresses[];
  readonly logger: Logger;
}

const ALONE = 'm1';
/** Who is alone need not wait for a leader that there may be. */
const TIMING_ALONE: Partial<RaftTiming> = { electionTimeoutUs: 100_000, electionSpreadUs: 0 };

/** Throws `UnknownMember`, `InvalidMembers` or `NoPeerAddress`. */
export function resolveOptions(options: EmbeddedOptions & Placement): ResolvedOptions {
  const name = options.name ?? ALONE;
  const members = options.members ?? [{ name, id: 1 }];
  const self = members.find((member) => member.name === name);
  const names = members.map((member) => member.name).join(', ');
  if (self === undefined) {
    throw new PolderError('UnknownMember', `member ${name} is not among the members: ${names}`);
  }
  const unique = (key: 'id' | 'name'): boolean => new Set(members.map((member) => member[key])).size === members.length;
  if (!unique('id') || !unique('name') || members.some(({ id }) => !Number.isSafeInteger(id) || id < 1)) {
    throw new PolderError('InvalidMembers', `every member needs a name and an id from 1 of its own: ${names}`);
  }
  const homeless = members.find(({ peerPort }) => peerPort === undefined);
  if (members.length > 1 && options.network === undefined && homeless !== undefined) {
    const message = `member ${homeless.name} has no peerPort: give each member one, or all of them one LocalNetwork`;
    throw new PolderError('NoPeerAddress', message);
  }
  const logger = pino({ level: options.logLevel ?? 'silent', base: { member: name } });
  const timing = { ...(isAlone(options, members) ? TIMING_ALONE : {}), ...options.timing };
  return { ...options, cluster: options.cluster ?? 'polder', self, members, timing, logger };
}

/** And stays so: nobody can be added who could reach it. */
function isAlone({ network, join }: EmbeddedOptions, members: readonly MemberAddresses[]): boolean {
  return members.length === 1 && members[0]?.peerPort === undefined && network === undefined && join !== true;
}

/** As the configuration says it of each; port 0: it has none. */
export function whole(member: MemberAddresses): NumberedMember {
  const { id, name, peerPort = 0, clientPort = 0 } = member;
  return { id, name, peerHost: peerHost(member), peerPort, clientHost: clientHost(member), clientPort };
}

export function peerHost(member: MemberAddresses): string {
  return member.peerHost ?? '127.0.0.1';
}

export function clientHost(member: MemberAddresses): string {
  return member.clientHost ?? '127.0.0.1';
}
