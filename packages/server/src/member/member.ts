/** A member of a replicated store in the caller's own process, and (where asked for) the port its clients talk to. */
import { PolderError } from '@polder/core';
import { DurableKvStateMachine, type KvRequest, type KvResult, KvStateMachine } from '@polder/core/kv';
import {
  type CallOptions,
  clientHost,
  type EmbeddedOptions,
  Host,
  type Hosted,
  type MemberAddresses,
  type MemberEnvironment,
  type Place,
  type Placement,
  resolveOptions,
  type SessionToken,
} from '../embedding/index.ts';
import { startClientListener } from '../http/index.ts';
import { RegistersClient, RegistersService } from '../registers/index.ts';
import { LmdbStorage, QUOTA_BYTES, Room } from '../storage/index.ts';
import { linkFaults } from './links.ts';
import { type KvHost, type KvMachine, ServedStore } from './served-store.ts';
import { StoreClient } from './store-client.ts';
import { openStoreSession, StoreSession } from './store-session.ts';

export type MemberOptions = EmbeddedOptions &
  Placement & {
    /** Whether clients may break this member's links. */
    readonly breakable?: boolean;
    /**
     * Of a data directory. `lmdb`: a store on disk, larger than memory if need be, which is the default. `memory`: all of
     * it in memory, and snapshots in files.
     */
    readonly storage?: 'lmdb' | 'memory';
    /** When keys, values and their history take so much, writes end with `NoSpace` until there is room. Default: 2 GiB. */
    readonly quotaBytes?: number;
  };

/** One of a cluster that is told everything, as `polder serve` is. */
export type MemberConfig = Extract<MemberOptions, { members: readonly MemberAddresses[] }> & {
  readonly dataDirectory: string;
};

export interface MemberStatus {
  readonly role: 'follower' | 'precandidate' | 'candidate' | 'leader';
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly revision: number;
}

/** Made by `startMember`. */
export class Member extends StoreClient {
  readonly #host: KvHost;
  /** Where etcd's clients and browsers find it; null: it serves nobody outside its process. */
  readonly clientUrl: string | null;
  /** A keyspace of its own, without a leader, in which every request chooses its consistency (docs/REGISTERS.md). */
  readonly registers: RegistersClient;

  constructor(host: KvHost, room: Room, registers: RegistersClient, clientUrl: string | null) {
    super(host, room);
    this.#host = host;
    this.registers = registers;
    this.clientUrl = clientUrl;
  }

  status(): MemberStatus {
    const { role, term, commitIndex, appliedIndex } = this.#host.status();
    return { role, term, commitIndex, appliedIndex, revision: this.#host.machine.revision() };
  }

  /** Operations of which each happens once, however often it is tried. With a token: that one, continued. */
  async session(token?: SessionToken, options: CallOptions = {}): Promise<StoreSession> {
    return new StoreSession(this, token ?? (await openStoreSession(this, options)));
  }
}

/**
 * Starts a member: `startMember()` alone and in memory, `startMember({ dataDirectory })` alone on disk, and with
 * `members` and `name` one of a cluster. Resolves once its log is read; a leader may be known later. Throws
 * `UnknownMember`, `InvalidMembers`, `NoPeerAddress`, `NotBreakable`, `PortInUse`, `ListenFailed`, `CannotListen`, what
 * `FileDisk.open` throws, and `CorruptLog`, `CorruptSnapshot`, `DiskError`.
 */
export async function startMember(options: MemberOptions = {}, environment: MemberEnvironment = {}): Promise<Member> {
  const resolved = resolveOptions(options);
  const { logger } = resolved;
  const host: KvHost = await Host.start(resolved, (place) => hosted(place, options, environment), environment);
  const room = roomOf(host, options, environment);
  try {
    const registers = await registersOf(host);
    const clientUrl = await listen(host, room, registers, options.breakable ?? false);
    logger.info({ clientUrl, peerPort: host.tcp?.port ?? null }, 'started');
    host.events.on('leader', ({ leader, term }) =>
      logger.info({ term, leader: leader?.name ?? null }, 'leader changed'),
    );
    return new Member(host, room, registers, clientUrl);
  } catch (error) {
    await host.close({ handOver: false });
    throw error;
  }
}

/** They are held by the members that the cluster was made with: one that joins later has none. */
async function registersOf(host: KvHost): Promise<RegistersClient> {
  const { join = false, members, self } = host.options;
  return new RegistersClient(join ? null : await RegistersService.start(host), members, self.id);
}

function roomOf(host: KvHost, { quotaBytes = QUOTA_BYTES }: MemberOptions, { room: given }: MemberEnvironment): Room {
  const { dataDirectory = null, logger } = host.options;
  const room = new Room({
    directory: dataDirectory,
    usedBytes: () => host.machine.sizeBytes(),
    quotaBytes,
    storeIsFull: () => host.status().storeIsFull,
    onDisk: (isShort) => {
      if (!isShort) return logger.info('the disk has room again');
      logger.warn('the disk is nearly full: writes are refused here until there is room');
      // A peer may have room, and what a leader takes in is written everywhere.
      if (host.status().role === 'leader') host.transferLeadership().catch(() => undefined);
    },
    ...given,
  });
  host.onClose(async () => room.stop());
  return room;
}

function hosted(
  place: Place,
  { storage = 'lmdb' }: MemberOptions,
  { createStorage = (options) => new LmdbStorage(options) }: MemberEnvironment,
): Hosted<KvResult, KvRequest, KvResult, KvMachine> {
  if (place === null || storage === 'memory') {
    const machine = new KvStateMachine();
    return { machine, revision: () => machine.revision() };
  }
  const store = createStorage(place);
  const durable = new DurableKvStateMachine({ storage: store });
  const revision = (): number => durable.revision();
  return { machine: durable, durable, revision, usage: () => store.usage(), close: () => store.close() };
}

async function listen(
  host: KvHost,
  room: Room,
  registers: RegistersClient,
  breakable: boolean,
): Promise<string | null> {
  const { self, logger } = host.options;
  if (breakable && (host.tcp === null || self.clientPort === undefined)) {
    throw new PolderError('NotBreakable', 'only a member with a peerPort and a clientPort can be breakable');
  }
  if (self.clientPort === undefined) return null;
  const address = clientHost(self);
  const listener = await startClientListener({
    host: address,
    port: self.clientPort,
    store: new ServedStore(host, room),
    membership: host.changes,
    registers,
    usage: () => host.usage(),
    metrics: [(out) => host.telemetry.write(out), (out) => host.telemetry.writePeers(out, host.tcp)],
    faults: breakable && host.tcp !== null ? linkFaults(host.roster, self, host.tcp) : null,
    onBug: (error) => logger.error({ err: error }, 'a request failed for a reason that is no client’s'),
  });
  host.onClose(() => listener.close());
  return `http://${address.includes(':') ? `[${address}]` : address}:${listener.port}`;
}
