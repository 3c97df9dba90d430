import { PolderError, SnapshotSealer } from '@polder/core';
import { encodeKvRequest, type KvRequest, KvStateMachine } from '@polder/core/kv';
import type { Store, StoreAnswer, StoreMember, StoreStatus } from '../../etcd/index.ts';

/** Above 2^53, as etcd's ids are: a client or handler that passes them through doubles is caught. */
export const CLUSTER_ID = 0xcdf818194e3a8c33n;
export const MEMBER_ID = 0x8e9e05c52164694dn;

/** One member without a log: the real state machine behind the API under test. */
export class MemoryStore implements Store {
  readonly #machine = new KvStateMachine();
  #index = 0;
  /** Set to have every request fail with this code. */
  failure: string | null = null;
  /** Set to have requests wait for their deadline. */
  stuck = false;

  async propose(request: KvRequest, signal: AbortSignal): Promise<StoreAnswer> {
    await this.#gate(signal);
    this.#index++;
    const result = this.#machine.apply({
      term: 7,
      index: this.#index,
      origin: { member: 1, boot: 1, sequence: this.#index, acknowledgedThrough: this.#index - 1 },
      command: encodeKvRequest(request),
    });
    if (result === null) throw new Error('the session table refused a fresh proposal');
    return { term: 7, index: this.#index, result };
  }

  async read(request: KvRequest, options: { serializable: boolean }, signal: AbortSignal): Promise<StoreAnswer> {
    if (!options.serializable) await this.#gate(signal);
    return { term: 7, index: this.#index, result: this.#machine.query(request) };
  }

  async confirm(signal: AbortSignal): Promise<void> {
    await this.#gate(signal);
  }

  snapshot(): SnapshotSealer {
    return new SnapshotSealer({ index: this.#index, term: 7 }, this.#machine.openSnapshot());
  }

  status(): StoreStatus {
    return {
      clusterId: CLUSTER_ID,
      member: 1,
      name: 'a',
      role: 'leader',
      term: 7,
      leader: this.failure === 'NoLeader' ? 0 : 1,
      commitIndex: this.#index,
      appliedIndex: this.#index,
      lastIndex: this.#index,
      revision: this.#machine.revision(),
      compactRevision: this.#machine.compactRevision(),
      keys: this.#machine.keyCount(),
      sizeBytes: this.#machine.sizeBytes(),
      noSpace: this.failure === 'NoSpace',
      quotaBytes: 2 ** 31,
      leaderChanges: 1,
      peersReachable: [],
      configuration: { index: 0, joint: false, nextMember: 2 },
    };
  }

  members(): readonly StoreMember[] {
    return [
      {
        number: 1,
        id: MEMBER_ID,
        name: 'a',
        peerUrls: ['http://127.0.0.1:2380'],
        clientUrls: ['http://127.0.0.1:2379'],
        isLearner: false,
      },
    ];
  }

  async #gate(signal: AbortSignal): Promise<void> {
    if (this.stuck) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    if (this.failure !== null) throw new PolderError(this.failure, 'as the test asked');
    if (signal.aborted) throw new PolderError('Timeout', 'the deadline has passed');
  }
}
