import {
  type ChangeOutcome,
  type ClientPort,
  type Driver,
  type DriverOptions,
  PolderError,
  type RaftMessage,
  type Rejection,
} from '@polder/core';
import { encodeKvRequest, type KvRequest, type KvResult } from '@polder/core/kv';
import type { Store, StoreAnswer, StoreMember, StoreStatus } from '../etcd/store.ts';
import type { Roster } from '../membership/index.ts';
import type { MemberTelemetry } from '../observability/index.ts';
import type { RealWorld } from '../world/index.ts';

export type KvDriver = Driver<RaftMessage, KvResult, KvRequest, KvResult>;
export type KvDriverOptions = DriverOptions<RaftMessage, KvResult, KvRequest, KvResult>;

/** What a status tells of the data. */
interface KvView {
  revision(): number;
  compactRevision(): number;
  keyCount(): number;
  sizeBytes(): number;
}

type Outcome =
  | { readonly type: 'done'; readonly answer: StoreAnswer }
  | { readonly type: 'rejected'; readonly reason: Rejection };

interface Waiting {
  readonly resolve: (answer: StoreAnswer) => void;
  readonly reject: (error: PolderError) => void;
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
}

/** The smallest question: only that it is answered at all matters. */
const CONFIRMATION: KvRequest = { type: 'range', key: new Uint8Array([0]), countOnly: true } as KvRequest;

/** Promises over a driver that knows none: every call ends with its outcome, its signal, or the member. */
export class ReplicatedStore implements Store, ClientPort<KvResult, KvResult> {
  readonly #driver: () => KvDriver;
  readonly #world: RealWorld;
  readonly #machine: KvView;
  readonly #roster: Roster;
  readonly #environment: Pick<StoreStatus, 'clusterId' | 'member' | 'name'> & {
    readonly peersReachable: () => string[];
  };
  readonly #telemetry: MemberTelemetry;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onChange: (id: number, outcome: ChangeOutcome) => void;
  readonly #onStart: () => void;
  readonly #onEnd: (error: Error) => void;
  #stopped: Error | null = null;
  #leader = 0;
  #leaderChanges = 0;

  constructor(options: {
    readonly driver: () => KvDriver;
    readonly world: RealWorld;
    readonly machine: KvView;
    readonly roster: Roster;
    readonly environment: Pick<StoreStatus, 'clusterId' | 'member' | 'name'> & {
      readonly peersReachable: () => string[];
    };
    readonly onChanged: (id: number, outcome: ChangeOutcome) => void;
    readonly telemetry: MemberTelemetry;
    readonly onStarted: () => void;
    readonly onStopped: (error: Error) => void;
  }) {
    this.#driver = options.driver;
    this.#world = options.world;
    this.#machine = options.machine;
    this.#roster = options.roster;
    this.#environment = options.environment;
    this.#onChange = options.onChanged;
    this.#telemetry = options.telemetry;
    this.#onStart = options.onStarted;
    this.#onEnd = options.onStopped;
  }

  propose(request: KvRequest, signal: AbortSignal): Promise<StoreAnswer> {
    const command = encodeKvRequest(request);
    return this.#wait('proposal', signal, (driver) => driver.propose(command));
  }

  async read(
    request: KvRequest,
    options: { readonly serializable: boolean },
    signal: AbortSignal,
  ): Promise<StoreAnswer> {
    if (!options.serializable) return this.#wait('read', signal, (driver) => driver.read(request));
    const { term, appliedIndex: index } = this.#driver().status();
    return { term, index, result: this.#driver().query(request) };
  }

  async confirm(signal: AbortSignal): Promise<void> {
    await this.#wait('read', signal, (driver) => driver.read(CONFIRMATION));
  }

  #wait(kind: 'proposal' | 'read', signal: AbortSignal, ask: (driver: KvDriver) => number): Promise<StoreAnswer> {
    if (this.#stopped !== null) return Promise.reject(stopped());
    if (signal.aborted) return Promise.reject(timedOut());
    return new Promise((resolve, reject) => {
      const id = ask(this.#driver());
      this.#telemetry.requests.asked(id, kind);
      const onAbort = (): void => {
        this.#waiting.delete(id);
        this.#telemetry.requests.failedWith(id, 'Timeout');
        reject(timedOut());
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, { resolve, reject, signal, onAbort });
      this.#world.schedule();
    });
  }

  onProposed(id: number, outcome: Parameters<ClientPort<KvResult, KvResult>['onProposed']>[1]): void {
    if (outcome.type === 'rejected') return this.#settle(id, outcome);
    const { term, index, result } = outcome;
    this.#settle(id, { type: 'done', answer: { term, index, result } });
  }

  onRead(id: number, outcome: Parameters<ClientPort<KvResult, KvResult>['onRead']>[1]): void {
    if (outcome.type === 'rejected') return this.#settle(id, outcome);
    const { term, index, answer } = outcome;
    this.#settle(id, { type: 'done', answer: { term, index, result: answer } });
  }

  onChanged(id: number, outcome: ChangeOutcome): void {
    this.#onChange(id, outcome);
  }

  #settle(id: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.signal.removeEventListener('abort', waiting.onAbort);
    if (outcome.type === 'done') this.#telemetry.requests.done(id, outcome.answer.index);
    else this.#telemetry.requests.failedWith(id, outcome.reason);
    if (outcome.type === 'done') waiting.resolve(outcome.answer);
    else waiting.reject(rejection(outcome.reason));
  }

  onStarted(): void {
    this.#onStart();
  }

  onStopped(error: Error): void {
    this.end(error);
    this.#onEnd(error);
  }

  /** Whoever waits still learns that the outcome is not known. */
  end(error: Error): void {
    this.#stopped ??= error;
    for (const [id] of this.#waiting) this.#settle(id, { type: 'rejected', reason: 'Unknown' });
  }

  /** After a turn. */
  observe(): number {
    const { leader, configuration } = this.#driver().status();
    this.#roster.observe(configuration);
    if (leader !== this.#leader) {
      this.#leader = leader;
      if (leader !== 0) this.#leaderChanges++;
    }
    return this.#leader;
  }

  status(): StoreStatus {
    const { role, term, leader, commitIndex, appliedIndex, lastIndex, configuration, configurationIndex } =
      this.#driver().status();
    const { clusterId, member, name, peersReachable } = this.#environment;
    return {
      clusterId,
      member,
      name,
      role,
      term,
      leader,
      commitIndex,
      appliedIndex,
      lastIndex,
      revision: this.#machine.revision(),
      compactRevision: this.#machine.compactRevision(),
      keys: this.#machine.keyCount(),
      sizeBytes: this.#machine.sizeBytes(),
      leaderChanges: this.#leaderChanges,
      peersReachable: peersReachable(),
      configuration: {
        index: configurationIndex,
        joint: configuration.joint,
        nextMember: configuration.nextMember,
      },
    };
  }

  members(): readonly StoreMember[] {
    return this.#roster.storeMembers;
  }
}

function rejection(reason: Rejection): PolderError {
  switch (reason) {
    case 'NoLeader':
      return new PolderError('NoLeader', 'no leader was found in time, and nothing was changed: try again');
    case 'NotApplied':
      return new PolderError('NotApplied', 'nothing was changed: try again');
    case 'Overloaded':
      return new PolderError('TooManyRequests', 'too many requests wait here: try again later, with fewer at a time');
    case 'NotLeader':
    case 'ChangeUnderWay':
    case 'InvalidChange':
    case 'LearnerBehind':
      return new PolderError(reason, 'the membership was not changed');
    case 'Unknown':
      return new PolderError('Unknown', 'it may or may not take effect: read before trying again');
  }
}

function timedOut(): PolderError {
  return new PolderError('Timeout', 'the request ended before its outcome was known: read before trying again');
}

function stopped(): PolderError {
  return new PolderError('Stopped', 'this member is stopping, and nothing was changed: ask another one');
}
