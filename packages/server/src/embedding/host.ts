/** A member whole, whatever its state machine: its disk, its peers, its replica, and those who wait for it. */
import {
  assert,
  type ChangeOutcome,
  type ClientPort,
  Driver,
  type DriverStatus,
  type DurableStateMachine,
  mayVote,
  type Network,
  type ProposalOutcome,
  Raft,
  type RaftMessage,
  type ReadOutcome,
  raftCodec,
  SnapshotSealer,
  type StateMachine,
} from '@polder/core';
import { realFileSystem } from '../disk/file-system.ts';
import { FileDisk } from '../disk/index.ts';
import { contextOf, MembershipService, memberId64, Roster } from '../membership/index.ts';
import { MemberTelemetry } from '../observability/index.ts';
import type { LmdbStorageOptions, StorageUsage } from '../storage/index.ts';
import { PeerTransport } from '../transport/index.ts';
import { RealRandom, RealWorld } from '../world/index.ts';
import { type CallOptions, Calls } from './calls.ts';
import { aborted, asError, NotLeaderError, OperationError, rejected, stopped, timedOut } from './errors.ts';
import { Announcer, type MemberEvents } from './events.ts';
import type { MemberTransport, OnChannelFrame } from './local-network.ts';
import { MembershipClient, viewOf } from './membership-client.ts';
import { MemoryDisk } from './memory-disk.ts';
import { type MemberAddresses, type MemberEnvironment, peerHost, type ResolvedOptions, whole } from './options.ts';

export interface ProposeOptions extends CallOptions {
  /** False: where this member does not lead, `NotLeader` at once, instead of passing it on to the leader. */
  readonly forward?: boolean;
}

export interface CloseOptions {
  /** False: leadership is not handed over first, so that the others have to miss this member, as after a crash. */
  readonly handOver?: boolean;
}

/** Where in the log an answer stands. */
export interface Placed<Value> {
  readonly term: number;
  readonly index: number;
  readonly value: Value;
}

/** The state machine as the host sees it. */
export interface Hosted<Result, Query, Answer, Machine extends StateMachine<Result, Query, Answer>> {
  readonly machine: Machine;
  /** The same machine, where its state outlives the process. */
  readonly durable?: DurableStateMachine<Result, Query, Answer>;
  /** For events. */
  readonly revision: () => number;
  /** Of the files that it stands on. */
  readonly usage?: () => StorageUsage;
  /** Lets go of what the machine stands on. */
  readonly close?: () => Promise<void>;
}

/** Where a machine may keep its state; null: in memory only. */
export type Place = LmdbStorageOptions | null;

const REPLICA_CHANNEL = 0;
/** How long a leader that closes waits for its successor. */
const HAND_OVER_MS = 1_000;
/** Beyond an election that the successor loses, and the next one. */
const TRANSFER_MS = 5_000;

interface Watcher {
  readonly isOver: (status: DriverStatus) => boolean;
  readonly resolve: () => void;
}

export class Host<Result, Query, Answer, Machine extends StateMachine<Result, Query, Answer>>
  implements ClientPort<Result, Answer>
{
  readonly options: ResolvedOptions;
  readonly telemetry: MemberTelemetry;
  /** null: it has no peers, or they are in this process. */
  readonly tcp: PeerTransport | null;
  /** Who the members are, as the newest configuration has it. */
  readonly roster: Roster;
  readonly changes: MembershipService;
  readonly membership: MembershipClient;
  /** Resolves once nothing of it is left: null if it was closed, else why it could not go on. */
  readonly stopped: Promise<Error | null>;
  readonly #disk: FileDisk | MemoryDisk;
  readonly #transport: MemberTransport;
  readonly #world: RealWorld;
  readonly #driver: Driver<RaftMessage, Result, Query, Answer>;
  readonly #hosted: Hosted<Result, Query, Answer, Machine>;
  readonly #announcer: Announcer;
  readonly #proposals: Calls<Placed<Result>>;
  readonly #reads: Calls<Placed<Answer>>;
  readonly #watchers = new Set<Watcher>();
  readonly #channels = new Map<number, (from: number, directory: number, frame: Uint8Array) => void>();
  readonly #onClose: (() => Promise<void>)[] = [];
  readonly #isOpen: Promise<Error | null>;
  #opened: (error: Error | null) => void = () => undefined;
  #settleStopped: (error: Error | null) => void = () => undefined;
  #ending: Promise<void> | null = null;
  #released: Promise<void> | null = null;

  private constructor(
    options: ResolvedOptions,
    telemetry: MemberTelemetry,
    disk: FileDisk | MemoryDisk,
    host: (place: Place) => Hosted<Result, Query, Answer, Machine>,
    { sizes = {} }: MemberEnvironment,
  ) {
    this.options = options;
    this.telemetry = telemetry;
    this.#proposals = new Calls<Placed<Result>>(telemetry.requests.watch('proposal'));
    this.#reads = new Calls<Placed<Answer>>(telemetry.requests.watch('read'));
    this.#disk = disk;
    this.stopped = new Promise((resolve) => {
      this.#settleStopped = resolve;
    });
    this.#isOpen = new Promise((resolve) => {
      this.#opened = resolve;
    });
    this.#hosted = host(this.#place());
    if (this.#hosted.durable !== undefined) telemetry.watchStore();
    this.#announcer = new Announcer((id) => this.addressesOf(id), this.#hosted.revision);
    const { cluster, members, self } = options;
    this.roster = new Roster({
      cluster,
      member: self.id,
      given: members.map(whole),
      onPeers: (peers) => this.#transport.setPeers(peers),
    });
    this.tcp = options.network === undefined && options.self.peerPort !== undefined ? this.#newTcp() : null;
    this.#transport = this.tcp ?? this.#newTransport();
    const network = this.#transport;
    this.changes = this.#newChanges();
    this.membership = new MembershipClient(this);
    this.#world = new RealWorld({ network, disk, onFailure: (error) => this.#fail(asError(error)) });
    this.#driver = this.#newDriver(sizes);
    this.#world.attach({
      onFrame: (from, frame) => this.#driver.onFrame(from, frame),
      onDisk: (token, result) => this.#driver.onDisk(token, result),
      onWake: () => this.#driver.onWake(),
      onUnreachable: (peer) => this.#driver.onUnreachable(peer),
      turn: () => this.#turn(),
    });
  }

  /** Throws those of `FileDisk.open`, `PortInUse`, `ListenFailed`, and `CorruptLog`, `CorruptSnapshot`, `DiskError`. */
  static async start<Result, Query, Answer, Machine extends StateMachine<Result, Query, Answer>>(
    options: ResolvedOptions,
    host: (place: Place) => Hosted<Result, Query, Answer, Machine>,
    environment: MemberEnvironment = {},
  ): Promise<Host<Result, Query, Answer, Machine>> {
    const { cluster, dataDirectory, self } = options;
    const telemetry = newTelemetry(options, () => started);
    const fileSystem = telemetry.disk.measured(environment.fileSystem ?? realFileSystem);
    const owner = { cluster, member: self.name, fileSystem };
    const disk = dataDirectory === undefined ? new MemoryDisk() : await FileDisk.open(dataDirectory, owner);
    const started: Host<Result, Query, Answer, Machine> = new Host(options, telemetry, disk, host, environment);
    try {
      await started.#open();
      return started;
    } catch (error) {
      await started.#release();
      throw error;
    }
  }

  async #open(): Promise<void> {
    await this.#transport.listen();
    this.#world.run(() => this.#driver.start());
    const error = await this.#isOpen;
    if (error !== null) throw error;
  }

  #place(): Place {
    const disk = this.#disk;
    if (disk instanceof MemoryDisk) return null;
    const { cluster, self } = this.options;
    return {
      directory: disk.directory,
      // A store belongs to its directory: it is of no use to a member that was made anew.
      owner: `${cluster}/${self.name}#${disk.identity.directory}`,
      deliver: (token, result) => this.#world.run((sink) => sink.onDisk(token, result)),
      onCommitted: (seconds) => this.telemetry.onStoreCommitted(seconds),
    };
  }

  #newTcp(): PeerTransport {
    const { cluster, self, join = false, logger } = this.options;
    return new PeerTransport({
      cluster,
      member: self.id,
      directory: this.#disk.identity.directory,
      host: peerHost(self),
      port: self.peerPort ?? 0,
      about: whole(self),
      joins: join,
      peers: this.roster.peers(),
      directoryOf: (id) => this.roster.byId(id)?.directory ?? 0,
      logger,
      onFrame: (...received) => this.#onFrame(...received),
      onLink: (peer, up) => {
        if (up) this.telemetry.onLinkUp();
        else this.#world.onUnreachable(peer);
      },
    });
  }

  #newTransport(): MemberTransport {
    const { network, self, join: joins = false } = this.options;
    const introduction = { member: self.id, about: whole(self), joins };
    const onFrame: OnChannelFrame = (...received) => this.#onFrame(...received);
    return network?.join(introduction, this.#disk.identity.directory, onFrame) ?? NO_PEERS;
  }

  #onFrame(from: number, directory: number, frame: Uint8Array, channel: number): void {
    if (channel === REPLICA_CHANNEL) return this.#world.onFrame(from, directory, frame);
    this.#channels.get(channel)?.(from, directory, frame);
  }

  /** For what stands beside the replica: its frames go over the same links. What comes before its call is lost. */
  openChannel(channel: number, onFrame: (from: number, directory: number, frame: Uint8Array) => void): Network {
    assert(channel !== REPLICA_CHANNEL && !this.#channels.has(channel), 'each has a channel of its own');
    this.#channels.set(channel, onFrame);
    return { send: (to, frame) => this.#transport.send(to, frame, channel) };
  }

  #newChanges(): MembershipService {
    return new MembershipService({
      driver: () => this.#driver,
      schedule: () => this.#world.schedule(),
      roster: this.roster,
      transport: this.#transport,
      member: this.options.self.id,
    });
  }

  #newDriver(sizes: NonNullable<MemberEnvironment['sizes']>): Driver<RaftMessage, Result, Query, Answer> {
    const { self, members, timing = {}, join = false, leaseReads = false } = this.options;
    const { directory } = this.#disk.identity;
    // A joiner begins with nobody, and learns from what it is sent who the members are.
    const first = { members: join ? [] : members.map(({ id }) => id), contextOf: contextOf(members.map(whole)) };
    const raft = { member: self.id, ...first, directory, leaseReads, random: new RealRandom() };
    return new Driver({
      member: self.id,
      directory,
      world: this.#world,
      codec: raftCodec,
      stateMachine: this.#hosted.machine,
      ...(this.#hosted.durable === undefined ? {} : { durable: this.#hosted.durable }),
      ...sizes,
      clients: this,
      observer: this.telemetry.progress,
      createReplica: (outbox) => new Raft({ ...raft, timing }, outbox),
    });
  }

  // ── what can be asked ───────────────────────────────────────────────────────────────────────────────────────

  get machine(): Machine {
    return this.#hosted.machine;
  }

  /** null: it stands on no files. */
  usage(): StorageUsage | null {
    return this.#hosted.usage?.() ?? null;
  }

  get events(): MemberEvents {
    return this.#announcer.events;
  }

  status(): DriverStatus {
    return this.#driver.status();
  }

  /** null: none is known here. */
  leader(): MemberAddresses | null {
    return this.addressesOf(this.status().leader);
  }

  addressesOf(id: number): MemberAddresses | null {
    const known = this.roster.byId(id);
    if (known !== undefined) return viewOf(known);
    return this.options.members.find((member) => member.id === id) ?? null;
  }

  reachable(): MemberAddresses[] {
    return this.#transport.reachable().flatMap((id) => this.addressesOf(id) ?? []);
  }

  propose(command: Uint8Array, options: ProposeOptions = {}): Promise<Placed<Result>> {
    const refusal = this.#refusal(options.signal);
    if (refusal !== null) return Promise.reject(refusal);
    if (options.forward === false && this.status().role !== 'leader') {
      return Promise.reject(new NotLeaderError(this.leader()));
    }
    const outcome = this.#proposals.wait(this.#driver.propose(command), options);
    this.#world.schedule();
    return outcome;
  }

  /** Linearizable. */
  read(query: Query, options: CallOptions = {}): Promise<Placed<Answer>> {
    const refusal = this.#refusal(options.signal);
    if (refusal !== null) return Promise.reject(refusal);
    const outcome = this.#reads.wait(this.#driver.read(query), options);
    this.#world.schedule();
    return outcome;
  }

  /** As it is here and now: it may be behind. */
  readLocally(query: Query): Placed<Answer> {
    const { term, appliedIndex: index } = this.status();
    return { term, index, value: this.#driver.query(query) };
  }

  /** The state as it is here and now, as a snapshot's file; to be closed. Throws `Stopped`. */
  snapshot(): SnapshotSealer {
    const refusal = this.#refusal(undefined);
    if (refusal !== null) throw refusal;
    const { name, source } = this.#driver.openSnapshot();
    return new SnapshotSealer(name, source);
  }

  /**
   * Makes another member lead: `to`, or the first that is reachable. Resolves with the member that leads then, which
   * is another one where the election went so. Throws `NotLeader`, `UnknownMember`, `NotReachable`, or `Timeout` after
   * five seconds at most: then leadership may or may not still change.
   */
  async transferLeadership(to?: string, options: CallOptions = {}): Promise<MemberAddresses> {
    const refusal = this.#refusal(options.signal);
    if (refusal !== null) throw refusal;
    if (this.status().role !== 'leader') throw new NotLeaderError(this.leader());
    const { self } = this.options;
    const named = this.roster.members.find(({ name }) => name === to);
    if (to !== undefined && named === undefined) throw unfit('UnknownMember', `there is no member named ${to}`);
    if (named?.id === self.id) return self;
    const successor = this.#successors().find((id) => named === undefined || id === named.id);
    if (successor === undefined) throw unfit('NotReachable', `${to ?? 'no other member'} is not reachable from here`);
    this.#driver.transferLeadership(successor);
    this.#world.schedule();
    await this.until(({ leader }) => leader !== 0 && leader !== self.id, { timeoutMs: TRANSFER_MS, ...options });
    return this.leader() ?? this.addressesOf(successor) ?? self;
  }

  /** The voters that could lead now. */
  #successors(): number[] {
    const { configuration } = this.status();
    return this.#transport.reachable().filter((id) => mayVote(configuration, id));
  }

  /** Waits for a turn after which it holds. Throws `Timeout`, `Aborted`, `Stopped`. */
  async until(isOver: (status: DriverStatus) => boolean, { signal, timeoutMs }: CallOptions = {}): Promise<void> {
    const refusal = this.#refusal(signal);
    if (refusal !== null) throw refusal;
    if (isOver(this.status())) return;
    const waits = AbortSignal.any([
      ...(signal === undefined ? [] : [signal]),
      ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
    ]);
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#watchers.delete(watcher);
        reject(signal?.aborted === true ? aborted(signal, true) : timedOut());
      };
      const watcher: Watcher = {
        isOver,
        resolve: () => {
          waits.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      waits.addEventListener('abort', onAbort, { once: true });
      this.#watchers.add(watcher);
    });
    if (!isOver(this.status())) throw stopped();
  }

  #refusal(signal: AbortSignal | undefined): OperationError | null {
    if (this.#ending !== null) return stopped();
    return signal?.aborted === true ? aborted(signal, false) : null;
  }

  // ── what the driver answers ─────────────────────────────────────────────────────────────────────────────────

  onProposed(id: number, outcome: ProposalOutcome<Result>): void {
    if (outcome.type === 'rejected') return this.#proposals.fail(id, rejected(outcome.reason, this.leader()));
    this.#proposals.done(id, { term: outcome.term, index: outcome.index, value: outcome.result });
  }

  onRead(id: number, outcome: ReadOutcome<Answer>): void {
    if (outcome.type === 'rejected') return this.#reads.fail(id, rejected(outcome.reason, this.leader()));
    this.#reads.done(id, { term: outcome.term, index: outcome.index, value: outcome.answer });
  }

  onChanged(id: number, outcome: ChangeOutcome): void {
    this.changes.onChanged(id, outcome);
  }

  onStarted(): void {
    this.#opened(null);
  }

  onStopped(error: Error): void {
    this.#fail(error);
  }

  #turn(): void {
    this.#driver.turn();
    const status = this.#driver.status();
    if (this.roster.observe(status.configuration)) this.#announcer.membersChanged(() => this.membership.list());
    this.#announcer.observe(status);
    for (const watcher of this.#watchers) {
      if (!watcher.isOver(status)) continue;
      this.#watchers.delete(watcher);
      watcher.resolve();
    }
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** What stands on this member goes before it does. */
  onClose(close: () => Promise<void>): void {
    this.#onClose.push(close);
  }

  /** Hands leadership over, answers whoever waits `Unknown`, and lets everything go: twice is once. */
  close({ handOver = true }: CloseOptions = {}): Promise<void> {
    this.#ending ??= this.#close(handOver);
    return this.#ending;
  }

  async #close(handOver: boolean): Promise<void> {
    // Not before `#ending` is set: from then on nothing new is taken in.
    await Promise.resolve();
    if (handOver) await this.#handOver();
    await this.#end(null);
    this.options.logger.info('stopped');
  }

  /** Something that stands on this member cannot go on, and so neither can it. */
  fail(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.options.logger.fatal({ err: error }, 'stopped');
    this.#opened(error);
    this.#ending ??= this.#end(error);
  }

  async #end(error: Error | null): Promise<void> {
    this.#world.stop();
    const unknown = (): OperationError => rejected('Unknown', null);
    this.#proposals.failAll(unknown);
    this.#reads.failAll(unknown);
    this.changes.end();
    for (const watcher of this.#watchers) watcher.resolve();
    this.#watchers.clear();
    await this.#release();
    this.#announcer.stopped(error);
    this.#settleStopped(error);
  }

  #release(): Promise<void> {
    this.#released ??= (async () => {
      this.#world.stop();
      this.telemetry.stop();
      for (const close of this.#onClose) await close();
      await this.#transport.close();
      await this.#hosted.close?.();
      await this.#disk.close();
    })();
    return this.#released;
  }

  async #handOver(): Promise<void> {
    const [successor] = this.#successors();
    if (this.status().role !== 'leader' || successor === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, HAND_OVER_MS);
      this.#watchers.add({
        isOver: ({ role }) => role !== 'leader',
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      });
      this.#driver.transferLeadership(successor);
      this.#world.schedule();
    });
  }
}

function newTelemetry(
  { self, cluster, logger, slowRequestMs }: ResolvedOptions,
  host: () => Pick<Host<never, never, never, never>, 'status' | 'tcp' | 'roster'>,
): MemberTelemetry {
  return new MemberTelemetry({
    name: self.name,
    member: self.id,
    status: () => host().status(),
    peers: () => (host().tcp === null ? [] : host().roster.peers()),
    idOf: (member) => memberId64(cluster, member),
    logger,
    slowRequestMs: slowRequestMs === null ? Number.POSITIVE_INFINITY : slowRequestMs,
  });
}

/** Of a member that is alone. */
const NO_PEERS: MemberTransport = {
  listen: async () => {},
  send: () => {},
  reachable: () => [],
  close: async () => {},
  setPeers: () => {},
  ask: async () => {
    throw unfit('NotReachable', 'this member has no peerPort, and no network');
  },
};

function unfit(code: string, what: string): OperationError {
  return new OperationError(code, 'notApplied', `${what}: name one of the other members that runs`);
}
