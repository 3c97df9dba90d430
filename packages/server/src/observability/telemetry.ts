/** What one member knows of its own work: requests, phases, disk, peers. Serves `/metrics`, the slow log and spans. */
import { performance } from 'node:perf_hooks';
import type { Configuration, DriverStatus } from '@polder/core';
import type { Logger } from 'pino';
import type { PeerTraffic, PeerTransport, TransportCounters } from '../transport/index.ts';
import type { Exposition } from './exposition.ts';
import { DISK_SECONDS, Histogram } from './histogram.ts';
import { DiskMeter } from './measured-file-system.ts';
import { PeerProbe, type ProbedPeer } from './peer-probe.ts';
import { processMetrics } from './process-metrics.ts';
import { Progress } from './progress.ts';
import { Requests } from './requests.ts';

export interface MemberTelemetryOptions {
  /** Its name, and its number in the cluster. */
  readonly name: string;
  readonly member: number;
  readonly status: () => DriverStatus;
  /** Who they are now. */
  readonly peers: () => readonly ProbedPeer[];
  /** The 64-bit id that etcd's clients see, of a member's number. */
  readonly idOf: (member: number) => bigint;
  readonly logger: Pick<Logger, 'warn'>;
  /** Requests that take longer are logged, with where the time went. Default 500; Infinity: none. */
  readonly slowRequestMs?: number | undefined;
}

const SLOW_REQUEST_MS = 500;

export class MemberTelemetry {
  /** Give it to the driver. */
  readonly progress: Progress;
  readonly requests: Requests;
  /** Give its `measured` file system to the disk. */
  readonly disk: DiskMeter;
  readonly #options: MemberTelemetryOptions;
  /** null: the store is in memory and commits nothing. */
  #commitSeconds: Histogram | null = null;
  readonly #probe: PeerProbe;

  constructor(options: MemberTelemetryOptions) {
    this.#options = options;
    const { member, name, logger, status, peers, slowRequestMs = SLOW_REQUEST_MS } = options;
    const configuration = (): Configuration => status().configuration;
    this.progress = new Progress({ member, nowUs: monotonicUs, configuration });
    this.disk = new DiskMeter(monotonicUs);
    this.requests = new Requests({
      member: name,
      progress: this.progress,
      nowUs: monotonicUs,
      wallMs: () => Date.now(),
      status,
      logger,
      slowRequestMs,
    });
    this.#probe = new PeerProbe(peers, monotonicUs);
  }

  /** The store is on disk: it will tell how long its commits take. */
  watchStore(): void {
    this.#commitSeconds = new Histogram(DISK_SECONDS);
  }

  onStoreCommitted(seconds: number): void {
    this.#commitSeconds?.observe(seconds);
  }

  /** A peer can be sent to: measure the way there now, and every few seconds. */
  onLinkUp(): void {
    this.#probe.probe();
  }

  stop(): void {
    this.#probe.stop();
  }

  write(out: Exposition): void {
    const { requests, progress, disk } = this;
    const { waiting, failed, seconds } = requests;
    const { configuration } = this.#options.status();
    const learns = configuration.members.some(({ id, votes }) => id === this.#options.member && !votes);
    out.gauge('etcd_server_is_learner', 'Whether this member does not vote. 1 is yes, 0 is no.', learns ? 1 : 0);
    out.gauge('etcd_server_proposals_pending', 'Proposals that wait here for their outcome.', waiting.proposal);
    out.counter(
      'etcd_server_proposals_failed_total',
      'Proposals that failed here, or whose outcome is unknown.',
      failed.proposal,
    );
    out.counter('etcd_server_read_indexes_failed_total', 'Linearizable reads that failed here.', failed.read);
    out.counter(
      'etcd_server_slow_apply_total',
      'Runs of entries that took over 100 ms to apply.',
      progress.slowApplies,
    );
    out.histogram('etcd_disk_wal_fsync_duration_seconds', 'How long fdatasync of the log took.', disk.logSyncSeconds);
    if (this.#commitSeconds !== null) {
      const help = 'How long a durable commit of the store took.';
      out.histogram('etcd_disk_backend_commit_duration_seconds', help, this.#commitSeconds);
    }
    out.counter('etcd_disk_wal_write_bytes_total', 'Bytes written to the log.', disk.logBytesWritten);
    out.histogram('polder_request_seconds', 'Proposals and linearizable reads, from asked to answered.', [
      [{ kind: 'proposal' }, seconds.proposal],
      [{ kind: 'read' }, seconds.read],
    ]);
    processMetrics(out);
  }

  /** `transport`: null without peers over TCP. */
  writePeers(out: Exposition, transport: Pick<PeerTransport, 'counters' | 'traffic'> | null): void {
    if (transport === null) return;
    const { counters } = transport;
    const traffic = transport.traffic();
    const idOf = (member: number): string => this.#options.idOf(member).toString(16);
    const each = (label: 'To' | 'From', value: (peer: PeerTraffic) => number) =>
      traffic.map((peer) => [{ [label]: idOf(peer.peer) }, value(peer)] as const);
    out.counter(
      'etcd_network_peer_sent_bytes_total',
      'Bytes sent to a peer.',
      each('To', ({ bytesSent }) => bytesSent),
    );
    out.counter(
      'etcd_network_peer_received_bytes_total',
      'Bytes of frames received from a peer.',
      each('From', ({ bytesReceived }) => bytesReceived),
    );
    out.counter(
      'etcd_network_peer_sent_failures_total',
      'Frames for a peer that was away, or too slow.',
      each('To', ({ sendFailures }) => sendFailures),
    );
    const local = idOf(this.#options.member);
    out.gauge(
      'etcd_network_active_peers',
      'Whether a peer is connected.',
      traffic.map(({ peer, reachable }) => [{ Local: local, Remote: idOf(peer) }, reachable ? 1 : 0] as const),
    );
    out.histogram(
      'etcd_network_peer_round_trip_time_seconds',
      'How long it took to make a TCP connection to a peer.',
      this.#probe.seconds.map(([peer, seconds]) => [{ To: idOf(peer) }, seconds] as const),
    );
    out.counter('polder_peer_connections_lost_total', 'Connections to peers that broke.', counters.connectionsLost);
    out.counter(
      'polder_peer_frames_refused_total',
      'Frames and handshakes that were not believed, by why.',
      REFUSALS.map((reason) => [{ reason }, counters[reason]] as const),
    );
  }
}

const REFUSALS = [
  'garbage',
  'oversize',
  'checksum',
  'handshakeTimeouts',
  'WrongCluster',
  'WrongMember',
  'DirectoryMismatch',
  'VersionMismatch',
] as const satisfies readonly (keyof TransportCounters)[];

function monotonicUs(): number {
  return performance.now() * 1_000;
}
