import type { RaftMessage, RaftRules, RaftTiming } from '../../consensus/raft/index.ts';
import { raftCodec } from '../../consensus/raft/index.ts';
import { type CheckpointOptions, type DriverObserver, decodeFrame } from '../../driver/index.ts';
import type { KvRequest } from '../../kv/index.ts';
import { Simulation } from '../simulation.ts';
import type { DiskSpeed } from '../world/member-world.ts';
import type { FrameVerdict } from '../world/network.ts';
import type { Invariants } from './invariants.ts';
import { exactly } from './membership.ts';
import { type RaftRun, raft } from './protocol.ts';
import type { Sabotage } from './sabotage.ts';
import type { RaftOutcome, RaftTypes } from './types.ts';

export interface ClusterOptions {
  readonly seed: number;
  /** How many; their ids are 1 to n. */
  readonly members: number;
  /** The cluster begins with members 1 to this; the others wait to be added. */
  readonly initial?: number;
  readonly leaseReads?: boolean;
  readonly timing?: Partial<RaftTiming>;
  readonly rules?: RaftRules;
  readonly diskSpeed?: DiskSpeed;
  /** A member makes a snapshot after so many entries, and keeps so many below it. */
  readonly snapshotEntries?: number;
  readonly trailingEntries?: number;
  readonly snapshotChunkBytes?: number;
  /** The state is in a durable store. */
  readonly durable?: boolean;
  readonly checkpoints?: CheckpointOptions;
  /** A member that stops by itself is a violation, unless the test expects it. */
  readonly mayStop?: boolean;
  readonly observer?: (member: number, nowUs: () => number) => DriverObserver<RaftMessage>;
  readonly sabotage?: Sabotage;
}

export type Outcome = { readonly type: 'pending' } | RaftOutcome;

type MessageFilter = (from: number, to: number, message: RaftMessage) => FrameVerdict;

const PENDING: Outcome = { type: 'pending' };

/** A Raft cluster for directed tests: one line a step. */
export class SimulatedCluster extends Simulation<RaftTypes> {
  /** Settled in this process; not part of the saved state. */
  readonly #outcomes = new Map<number, Outcome>();
  #refused = 0;

  constructor(options: ClusterOptions) {
    const { seed, members, diskSpeed, mayStop = false, ...others } = options;
    const protocol = raft(members, others);
    super(diskSpeed === undefined ? { protocol, seed, mayStop } : { protocol, seed, mayStop, diskSpeed });
    this.attach({
      onTimer: () => {},
      onOutcome: (id, outcome) => this.#outcomes.set(id, outcome),
      save: () => {},
      load: () => {},
    });
  }

  get invariants(): Invariants {
    return (this.protocolRun as RaftRun).invariants;
  }

  /** Decides about each message as it is sent; `null`: all are delivered. Not part of the saved state. */
  set filter(filter: MessageFilter | null) {
    this.network.filter =
      filter === null ? null : (from, to, frame) => filter(from, to, decodeFrame(raftCodec, frame).message);
  }

  /** The live leader of the highest term, or 0. It may be cut off; `run` until others agree if that matters. */
  leader(): number {
    let leader = { id: 0, term: -1 };
    for (const status of this.status()) {
      if (status?.role === 'leader' && status.term > leader.term) leader = status;
    }
    return leader.id;
  }

  propose(member: number, request: KvRequest): number {
    return this.#ask(member, 'propose', request);
  }

  /** Linearizable. */
  read(member: number, request: KvRequest): number {
    return this.#ask(member, 'read', request);
  }

  outcome(id: number): Outcome {
    return this.#outcomes.get(id) ?? PENDING;
  }

  transferLeadership(from: number, to: number): void {
    this.control(from, { type: 'transferLeadership', to });
  }

  /** In one step, as in `changeMembership(1, 'promote 4', 'remove 2')`; only a leader does it. */
  changeMembership(leader: number, ...changes: readonly string[]): void {
    this.control(leader, exactly(...changes));
  }

  /** As the member knows them. */
  voters(member: number): readonly number[] {
    const members = this.member(member).status()?.configuration.members ?? [];
    return members.filter(({ votes }) => votes).map(({ id }) => id);
  }

  /** How many frames the filter had held; each sets out now, `times` times. */
  releaseHeld(times = 1): number {
    return this.network.releaseHeld(this.nowUs, times);
  }

  #ask(member: number, kind: 'propose' | 'read', request: KvRequest): number {
    const id = this.ask(member, { kind, request });
    if (id !== 0) return id;
    this.#outcomes.set(--this.#refused, { type: 'rejected', reason: 'NoLeader' });
    return this.#refused;
  }
}

/** Directed tests in one line: `cluster(5, { seed: 7 })`. */
export function cluster(members: number, options: Omit<ClusterOptions, 'members'>): SimulatedCluster {
  return new SimulatedCluster({ ...options, members });
}
