/** A member whole: its directory, its peers, its replica, and the port its clients talk to. */
import {
  type DiskResult,
  Driver,
  mayVote,
  PolderError,
  Raft,
  type RaftOptions,
  type RaftTiming,
  raftCodec,
} from '@polder/core';
import { DurableKvStateMachine, KvStateMachine } from '@polder/core/kv';
import { type Logger, pino } from 'pino';
import { realFileSystem } from '../disk/file-system.ts';
import { FileDisk, type FileSystem } from '../disk/index.ts';
import { type ClientListener, type Faults, type LinkRule, startClientListener } from '../http/index.ts';
import { contextOf, hostAndPort, id64, MembershipService, memberId64, Roster } from '../membership/index.ts';
import { MemberTelemetry } from '../observability/index.ts';
import { LmdbStorage, type LmdbStorageOptions, type MemberStorage } from '../storage/index.ts';
import { type LinkFault, PeerTransport } from '../transport/index.ts';
import { type EventSink, RealRandom, RealWorld } from '../world/index.ts';
import { type KvDriver, type KvDriverOptions, ReplicatedStore } from './replicated-store.ts';

export interface MemberAddresses {
  readonly name: string;
  /** 1 and up, the same on every member. */
  readonly id: number;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly clientHost: string;
  readonly clientPort: number;
}

export interface MemberConfig {
  readonly name: string;
  /** Members of other clusters are refused. */
  readonly cluster: string;
  /** Whom the cluster begins with, the same at each of them; of one that joins: itself, and others to look for. */
  readonly members: readonly MemberAddresses[];
  /** This member is to be added to a cluster that runs, under a number that nobody had. */
  readonly join?: boolean;
  readonly dataDirectory: string;
  /** Whether clients may break this member's links. */
  readonly breakable: boolean;
  readonly logLevel: string;
  readonly timing?: Partial<RaftTiming>;
  /** Requests that take longer are logged, with where the time went. Default 500; null: none. */
  readonly slowRequestMs?: number | null;
  /** `lmdb`: a store on disk, larger than memory if need be. `memory`: all of it in memory, and snapshots in files. */
  readonly storage?: 'lmdb' | 'memory';
}

export interface Member {
  readonly clientUrl: string;
  /** Hands leadership over, ends calls under way, and lets the directory go. */
  stop(): Promise<void>;
  /** null: it was asked to stop. */
  readonly stopped: Promise<Error | null>;
}

/** What a test puts in the place of the machine. */
export interface MemberEnvironment {
  readonly fileSystem?: FileSystem;
  readonly createStorage?: (options: LmdbStorageOptions) => MemberStorage;
  /** Small ones, so that little is written before something happens. */
  readonly sizes?: Pick<KvDriverOptions, 'snapshotEntries' | 'trailingEntries' | 'segmentBytes' | 'checkpoints'>;
}

/** How long a leader that stops waits for its successor. */
const HAND_OVER_MS = 1_000;

/**
 * Starts a member. Throws what its parts throw, by code: `UnknownMember`, those of `FileDisk.open`,
 * `PortInUse`, and those of `opened`.
 */
export async function startMember(config: MemberConfig, environment: MemberEnvironment = {}): Promise<Member> {
  const self = config.members.find(({ name }) => name === config.name);
  if (self === undefined) {
    const names = config.members.map(({ name }) => name).join(', ');
    throw new PolderError('UnknownMember', `member ${config.name} is not among the members: ${names}`);
  }
  const logger = pino({ level: config.logLevel, base: { member: config.name } });
  const owner = { cluster: config.cluster, member: config.name };
  const telemetry = newTelemetry(config, self, logger, () => assembled);
  const fileSystem = telemetry.disk.measured(environment.fileSystem ?? realFileSystem);
  const disk = await FileDisk.open(config.dataDirectory, { ...owner, fileSystem });
  const assembled: Assembled = assemble(config, self, disk, telemetry, logger, environment);
  try {
    await assembled.transport.listen();
    assembled.world.run(() => assembled.driver.start());
    await opened(assembled);
    const listener = await listen(config, self, assembled, logger);
    logger.info({ clientPort: listener.port, peerPort: assembled.transport.port }, 'started');
    return running(assembled, listener, self, disk, logger);
  } catch (error) {
    assembled.world.stop();
    telemetry.stop();
    await assembled.transport.close();
    await assembled.storage?.close();
    await disk.close();
    throw error;
  }
}

interface Assembled {
  readonly world: RealWorld;
  readonly transport: PeerTransport;
  readonly driver: KvDriver;
  readonly store: ReplicatedStore;
  readonly telemetry: MemberTelemetry;
  /** null: the data is in memory. */
  readonly storage: MemberStorage | null;
  readonly roster: Roster;
  readonly membership: MembershipService;
  readonly started: PromiseWithResolvers<undefined>;
  readonly stopped: PromiseWithResolvers<Error | null>;
  /** Resolves when another member leads, or none of this one's peers can. */
  handedOver: (() => void) | null;
}

function newTelemetry(
  { cluster, slowRequestMs }: MemberConfig,
  self: MemberAddresses,
  logger: Logger,
  assembled: () => Assembled,
): MemberTelemetry {
  return new MemberTelemetry({
    name: self.name,
    member: self.id,
    status: () => assembled().driver.status(),
    peers: () => assembled().roster.peers(),
    idOf: (member) => memberId64(cluster, member),
    logger,
    slowRequestMs: slowRequestMs === null ? Number.POSITIVE_INFINITY : slowRequestMs,
  });
}

function assemble(
  config: MemberConfig,
  self: MemberAddresses,
  disk: FileDisk,
  telemetry: MemberTelemetry,
  logger: Logger,
  environment: MemberEnvironment,
): Assembled {
  const started = withResolvers<undefined>();
  const stopped = withResolvers<Error | null>();
  const roster = new Roster({
    cluster: config.cluster,
    member: self.id,
    given: config.members,
    onPeers: (peers) => transport.setPeers(peers),
  });
  const transport: PeerTransport = new PeerTransport({
    ...announcement(config, self, disk),
    peers: roster.peers(),
    logger,
    onFrame: (from, directory, frame) => world.onFrame(from, directory, frame),
    onLink: (_, up) => telemetry.onLink(up),
  });
  const world: RealWorld = new RealWorld({ network: transport, disk, onFailure: (error) => fail(asError(error)) });
  const deliver = (token: number, result: DiskResult): void => world.run((events) => events.onDisk(token, result));
  const storage = storageOf(config, disk, telemetry, environment, deliver);
  const durable = storage === null ? null : new DurableKvStateMachine({ storage });
  const machine = durable ?? new KvStateMachine();
  const fail = (error: Error): void => {
    logger.fatal({ err: error }, 'stopped');
    world.stop();
    store.end(error);
    membership.end();
    stopped.resolve(error);
  };
  const membership: MembershipService = new MembershipService({
    driver: () => driver,
    schedule: () => world.schedule(),
    roster,
    transport,
    member: self.id,
  });
  const store: ReplicatedStore = new ReplicatedStore({
    driver: () => driver,
    world,
    machine,
    roster,
    environment: surroundings(config.cluster, self, transport, roster),
    onChanged: (id, outcome) => membership.onChanged(id, outcome),
    telemetry,
    onStarted: () => started.resolve(undefined),
    onStopped: fail,
  });
  const driver: KvDriver = new Driver({
    member: self.id,
    directory: disk.identity.directory,
    world,
    codec: raftCodec,
    stateMachine: machine,
    ...(durable === null ? {} : { durable }),
    ...environment.sizes,
    clients: store,
    observer: telemetry.progress,
    createReplica: (outbox) => new Raft(raftOptions(config, self.id, disk.identity.directory), outbox),
  });
  const parts = { world, transport, driver, store, telemetry, storage, roster, membership, started, stopped };
  const assembled: Assembled = { ...parts, handedOver: null };
  world.attach(sink(assembled, logger));
  return assembled;
}

/** What it tells its peers of itself. */
function announcement({ cluster, join }: MemberConfig, self: MemberAddresses, disk: FileDisk) {
  const { directory } = disk.identity;
  return {
    cluster,
    member: self.id,
    directory,
    host: self.peerHost,
    port: self.peerPort,
    about: self,
    joins: join === true,
  };
}

function surroundings(cluster: string, { id, name }: MemberAddresses, transport: PeerTransport, roster: Roster) {
  const peersReachable = (): string[] => transport.reachable().map((peer) => roster.nameOf(peer));
  return { clusterId: id64(cluster), member: id, name, peersReachable };
}

/** Of a joiner: nobody votes yet, and what it is sent tells it who does. */
function raftOptions(config: MemberConfig, member: number, directory: number): RaftOptions {
  return {
    member,
    members: config.join === true ? [] : config.members.map(({ id }) => id),
    contextOf: contextOf(config.members),
    directory,
    random: new RealRandom(),
    ...(config.timing === undefined ? {} : { timing: config.timing }),
  };
}

function storageOf(
  { cluster, name, storage }: MemberConfig,
  disk: FileDisk,
  telemetry: MemberTelemetry,
  { createStorage = (options) => new LmdbStorage(options) }: MemberEnvironment,
  deliver: (token: number, result: DiskResult) => void,
): MemberStorage | null {
  if (storage === 'memory') return null;
  // A store belongs to its directory: it is of no use to a member that was made anew.
  const owner = `${cluster}/${name}#${disk.identity.directory}`;
  return createStorage({ directory: disk.directory, owner, deliver, onCommitted: telemetry.watchStore() });
}

/** The log is read back, or the member cannot start from it: `CorruptLog`, `CorruptSnapshot`, `DiskError`. */
async function opened({ started, stopped }: Assembled): Promise<void> {
  const error = await Promise.race([started.promise, stopped.promise]);
  if (error instanceof Error) throw error;
}

/** The driver as the world's sink, with an eye on who leads. */
function sink(assembled: Assembled, logger: Logger): EventSink {
  const { driver, store, roster } = assembled;
  let leader = 0;
  return {
    onFrame: (from, frame) => driver.onFrame(from, frame),
    onDisk: (token, result) => driver.onDisk(token, result),
    onWake: () => driver.onWake(),
    turn: () => {
      driver.turn();
      const now = store.observe();
      if (now === leader) return;
      leader = now;
      const term = driver.status().term;
      logger.info({ term, leader: leader === 0 ? null : roster.nameOf(leader) }, 'leader changed');
      if (driver.status().role !== 'leader') assembled.handedOver?.();
    },
  };
}

async function listen(
  config: MemberConfig,
  self: MemberAddresses,
  { store, transport, storage, telemetry, roster, membership }: Assembled,
  logger: Logger,
): Promise<ClientListener> {
  return startClientListener({
    host: self.clientHost,
    port: self.clientPort,
    store,
    membership,
    faults: config.breakable ? linkFaults(roster, self, transport) : null,
    ...(storage === null ? {} : { usage: () => storage.usage() }),
    metrics: [
      (out) => telemetry.write(out),
      (out) => telemetry.writePeers(out, transport.counters, transport.traffic()),
    ],
    onBug: (error) => logger.error({ err: error }, 'a request failed for a reason that is no client’s'),
  });
}

function running(
  assembled: Assembled,
  listener: ClientListener,
  self: MemberAddresses,
  disk: FileDisk,
  logger: Logger,
): Member {
  const { world, transport, store, storage, telemetry, membership, stopped } = assembled;
  let ending: Promise<void> | null = null;
  const release = async (): Promise<void> => {
    world.stop();
    telemetry.stop();
    await listener.close();
    await transport.close();
    await storage?.close();
    await disk.close();
  };
  const stop = async (): Promise<void> => {
    await handOver(assembled);
    store.end(new PolderError('Stopped', 'the member stops'));
    membership.end();
    await release();
    logger.info('stopped');
    stopped.resolve(null);
  };
  const ended = stopped.promise.then(async (error) => {
    if (error !== null) await release();
    return error;
  });
  return {
    clientUrl: `http://${hostAndPort(self.clientHost, listener.port)}`,
    stop: () => {
      ending ??= stop();
      return ending;
    },
    stopped: ended,
  };
}

/** Asks a voter that is connected to lead, and waits a little until it does. */
async function handOver(assembled: Assembled): Promise<void> {
  const { driver, transport, world } = assembled;
  const { configuration } = driver.status();
  const successor = transport.reachable().find((id) => mayVote(configuration, id));
  if (driver.status().role !== 'leader' || successor === undefined) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, HAND_OVER_MS);
    assembled.handedOver = () => {
      clearTimeout(timer);
      resolve();
    };
    driver.transferLeadership(successor);
    world.schedule();
  });
}

function linkFaults(roster: Roster, self: MemberAddresses, transport: PeerTransport): Faults {
  const inForce = new Map<string, LinkRule>();
  return {
    apply: (rules) => {
      for (const rule of rules) {
        for (const { id, name } of roster.members) {
          if (id === self.id || (rule.peer !== '*' && rule.peer !== name)) continue;
          transport.setLink(id, rule.direction, linkFault(rule));
          for (const direction of rule.direction === 'both' ? ['in', 'out'] : [rule.direction]) {
            if (rule.mode === 'clear') inForce.delete(`${name} ${direction}`);
            else inForce.set(`${name} ${direction}`, rule);
          }
        }
      }
    },
    list: () => [...inForce].map(([link, rule]) => `${link} ${describe(rule)}`),
  };
}

function linkFault(rule: LinkRule): LinkFault {
  switch (rule.mode) {
    case 'clear':
    case 'block':
      return { type: rule.mode };
    case 'delay':
      return { type: 'delay', delayMs: rule.delayMs ?? 0 };
    case 'drop':
      return { type: 'drop', rate: rule.dropRate ?? 0 };
  }
}

function describe(rule: LinkRule): string {
  if (rule.mode === 'delay') return `delay ${rule.delayMs ?? 0} ms`;
  return rule.mode === 'drop' ? `drop ${rule.dropRate ?? 0}` : rule.mode;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle(value) };
}
