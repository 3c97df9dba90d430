/** Raft over the key-value state machine, as production runs it, for the simulated world. */
import { assert, defined } from '../../base/assert.ts';
import { ByteReader, ByteWriter, equalBytes, text } from '../../base/bytes.ts';
import { PolderError } from '../../base/error.ts';
import { firstConfiguration, memberOf, votingSets } from '../../consensus/configuration.ts';
import { RAFT_MESSAGE_TYPES } from '../../consensus/raft/index.ts';
import { raftSystem, SystemModel } from '../../explore/index.ts';
import { encodeKvRequest, type KvResponse } from '../../kv/index.ts';
import { type ExplorationBounds, type ExplorationReport, exploreModel } from '../exploration.ts';
import type { Answer, Environment, Json, Process, Protocol, ProtocolRun, RunContext } from '../protocol.ts';
import { Invariants } from './invariants.ts';
import { hasWalked } from './membership.ts';
import { RaftProcess } from './process.ts';
import type { RaftOutcome, RaftRequest, RaftSimulationOptions, RaftStatus, RaftTypes } from './types.ts';

/** A cluster of `members` members; and the names of what Raft promises (Raft paper, Figure 3), for `always`. */
export const raft = Object.assign(protocol, {
  electionSafety: { rule: 'Election Safety' },
  oneVotePerTerm: { rule: 'One vote per term' },
  leaderAppendOnly: { rule: 'Leader Append-Only' },
  logMatching: { rule: 'Log Matching' },
  leaderCompleteness: { rule: 'Leader Completeness' },
  stateMachineSafety: { rule: 'State Machine Safety' },
  /** For `sometimes`: a leader was followed by another. */
  leaderChanged: (view: { readonly counts: Readonly<Record<string, number>> }): boolean =>
    (view.counts['elections'] ?? 0) > 1,
});

function protocol(members: number, options: RaftSimulationOptions = {}): Protocol<RaftTypes> {
  return {
    name: 'raft',
    members,
    // Who votes changes: what a majority of them can bear is not known beforehand.
    ...(options.initial === undefined ? {} : { damagedMembers: 0 }),
    frameKinds: RAFT_MESSAGE_TYPES,
    kindOf,
    encodeRequest: encodeRaftRequest,
    answerOf,
    ...(options.sabotage?.readsDamagedFrames === true ? { damage: flipBit } : {}),
    explore: (bounds) => exploreRaft(members, options, bounds),
    begin: (context) => new RaftRun(members, options, context),
  };
}

/** Replicas alone, without log, driver and state machine: see explore/SPEC.md for what its states are. */
function exploreRaft(members: number, options: RaftSimulationOptions, bounds: ExplorationBounds): ExplorationReport {
  const { timeouts = 2, crashes = 0, duplicates = 0, operations = [] } = bounds;
  const rules = { ...options.rules, ...options.sabotage?.rules };
  const persists = crashes > 0 ? 'delayed' : 'immediate';
  const limits = { timeouts, crashes, duplicates, proposals: operations.length, drops: 0, persists } as const;
  return exploreModel(new SystemModel(raftSystem({ members, rules }), limits), bounds);
}

/** Invariants see every member of a run. */
export class RaftRun implements ProtocolRun<RaftTypes> {
  readonly invariants: Invariants;
  readonly #options: RaftSimulationOptions;
  readonly #context: RunContext;
  readonly #members: number;
  /** By member: of the disk that it has now. */
  #directories = new Map<number, number>();

  constructor(members: number, options: RaftSimulationOptions, context: RunContext) {
    this.#members = members;
    this.#options = options;
    this.#context = context;
    this.invariants = new Invariants(members, context.violated);
  }

  createProcess(environment: Environment<RaftOutcome>): Process<RaftStatus> {
    this.#directories.set(environment.member, environment.directory);
    const directoryOf = (member: number) => this.#directories.get(member) ?? 0;
    return new RaftProcess(environment, this.#options, this.invariants, directoryOf);
  }

  lost(request: Uint8Array): RaftOutcome {
    return { type: 'rejected', reason: isRead(request) ? 'NotApplied' : 'Unknown' };
  }

  onAnswered(outcome: RaftOutcome): void {
    if (outcome.type === 'applied') this.invariants.onAcknowledged(outcome.index, outcome.term);
  }

  onCrashed(member: number): void {
    this.invariants.onCrash(member);
  }

  onWiped(member: number): void {
    this.invariants.onWiped(member);
  }

  counts(): Readonly<Record<string, number>> {
    const { elections, appliedIndex, acknowledgedIndex, snapshotsInstalled, membershipChanges } = this.invariants;
    const { configuration } = this.invariants;
    const walked = configuration !== null && hasWalked(configuration) ? 1 : 0;
    const changed = this.#options.initial === undefined ? {} : { membershipChanges, walked };
    return { elections, applied: appliedIndex, acknowledged: acknowledgedIndex, snapshotsInstalled, ...changed };
  }

  /** A member that a committed configuration has left out stops by itself; it may start again, and stops again. */
  mayStop(member: number, error: Error): boolean {
    return error instanceof PolderError && error.code === 'Removed' && this.invariants.isRemoved(member);
  }

  suffices(running: readonly RaftStatus[]): string | null {
    const ids = new Set(running.map(({ member }) => member));
    for (const set of this.#configuration(running).sets) {
      const up = set.filter((id) => ids.has(id)).length;
      if (up * 2 <= set.length) return `only ${up} of ${set.length} voters run`;
    }
    return null;
  }

  /** The newest that was committed anywhere. */
  #configuration(running: readonly RaftStatus[]) {
    const { members, initial = members } = { members: this.#members, ...this.#options };
    const first = firstConfiguration(Array.from({ length: initial }, (_, i) => i + 1));
    const configuration = this.invariants.configuration ?? first;
    const inIt = running.filter(({ member }) => memberOf(configuration, member) !== undefined);
    return { sets: votingSets(configuration), inIt, joint: configuration.joint };
  }

  settled(running: readonly RaftStatus[], stateOf: (id: number) => Uint8Array | null): string | null {
    const last = this.invariants.appliedIndex;
    const { inIt: members, joint } = this.#configuration(running);
    if (joint) return 'the membership is still changing';
    const behind = members.find((status) => status.appliedIndex !== last || status.lastIndex !== last);
    if (behind !== undefined) {
      const { member, appliedIndex, lastIndex } = behind;
      return `member ${member} has applied ${appliedIndex} of ${last} and its log ends at ${lastIndex}`;
    }
    const first = defined(members[0], 'some member runs').member;
    for (const { member } of members) {
      if (same(stateOf(first), stateOf(member))) continue;
      this.#context.violated('Convergence', `members ${first} and ${member} applied the same, yet their states differ`);
    }
    if (this.invariants.acknowledgedIndex > last) {
      this.#context.violated('Acknowledged', 'an acknowledged write is beyond what was applied');
    }
    return null;
  }

  stateOf(process: Process<RaftStatus>): Uint8Array | null {
    assert(process instanceof RaftProcess, 'a process of this run');
    return process.stateBytes();
  }

  sweep(): void {
    this.invariants.sweep();
  }

  save(writer: ByteWriter): void {
    this.invariants.save(writer);
    writer.string(JSON.stringify([...this.#directories]));
  }

  load(reader: ByteReader): void {
    this.invariants.load(reader);
    this.#directories = new Map(JSON.parse(reader.string()));
  }
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && equalBytes(a, b);
}

function answerOf(outcome: RaftOutcome): Answer {
  if (outcome.type === 'rejected') {
    return { completion: outcome.reason === 'Unknown' ? 'info' : 'fail', value: outcome.reason };
  }
  const result = outcome.type === 'applied' ? outcome.result : outcome.answer;
  if (result.type === 'error') return { completion: 'fail', value: result.code };
  return { completion: 'ok', value: valueOf(result.response) };
}

/** A response as the workloads read it. */
export interface KvAnswer {
  readonly [name: string]: Json;
  readonly kvs: readonly { readonly key: string; readonly value: string; readonly mod: number }[];
  readonly succeeded: boolean;
}

function valueOf(response: KvResponse): KvAnswer {
  switch (response.type) {
    case 'range':
      return {
        kvs: response.kvs.map((kv) => ({ key: text(kv.key), value: text(kv.value), mod: kv.modRevision })),
        succeeded: true,
      };
    case 'txn': {
      const ranges = response.responses.map((inner) => valueOf(inner));
      return { kvs: ranges.flatMap((range) => range.kvs), succeeded: response.succeeded };
    }
    default:
      return { kvs: [], succeeded: true };
  }
}

function encodeRaftRequest({ kind, request }: RaftRequest): Uint8Array {
  const writer = new ByteWriter();
  writer.bool(kind === 'read');
  writer.bytes(encodeKvRequest(request));
  return writer.finish();
}

function isRead(request: Uint8Array): boolean {
  return request[0] === 1;
}

/** What a wire without a checksum delivers. */
function flipBit(frame: Uint8Array, word: number): Uint8Array {
  const flipped = frame.slice();
  const bit = word % (flipped.length * 8);
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
}

/** Behind the sender's directory stands the kind. */
function kindOf(frame: Uint8Array): number {
  const reader = new ByteReader(frame);
  reader.varint();
  return reader.u8();
}
