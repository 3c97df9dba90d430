/** A hosted store, as etcd's API wants it. */
import type { SnapshotSealer } from '@polder/core';
import {
  type DurableKvStateMachine,
  encodeKvRequest,
  type KvRequest,
  type KvResult,
  type KvStateMachine,
} from '@polder/core/kv';
import { type Host, noSpace, type Placed } from '../embedding/index.ts';
import type { Store, StoreAnswer, StoreMember, StoreStatus } from '../etcd/store.ts';
import { id64 } from '../membership/index.ts';
import type { Room } from '../storage/index.ts';

export type KvMachine = KvStateMachine | DurableKvStateMachine;
export type KvHost = Host<KvResult, KvRequest, KvResult, KvMachine>;

/** The smallest question: only that it is answered at all matters. */
const CONFIRMATION: KvRequest = { type: 'range', key: new Uint8Array([0]), countOnly: true };

export class ServedStore implements Store {
  readonly #host: KvHost;
  readonly #room: Room;
  readonly #clusterId: bigint;
  #leaderChanges = 0;

  constructor(host: KvHost, room: Room) {
    this.#host = host;
    this.#room = room;
    this.#clusterId = id64(host.options.cluster);
    host.events.on('leader', ({ leader }) => {
      if (leader !== null) this.#leaderChanges++;
    });
  }

  async propose(request: KvRequest, signal: AbortSignal): Promise<StoreAnswer> {
    if (!this.#room.admits(request)) throw noSpace();
    return answerOf(await this.#host.propose(encodeKvRequest(request), { signal }));
  }

  /** A read of what is here needs no promise. */
  read(
    request: KvRequest,
    { serializable }: { readonly serializable: boolean },
    signal: AbortSignal,
  ): StoreAnswer | Promise<StoreAnswer> {
    if (serializable) return answerOf(this.#host.readLocally(request));
    return this.#host.read(request, { signal }).then(answerOf);
  }

  async confirm(signal: AbortSignal): Promise<void> {
    await this.#host.read(CONFIRMATION, { signal });
  }

  snapshot(): SnapshotSealer {
    return this.#host.snapshot();
  }

  status(): StoreStatus {
    const { role, term, leader, commitIndex, appliedIndex, lastIndex, configuration, configurationIndex } =
      this.#host.status();
    const { joint, nextMember } = configuration;
    const host = this.#host;
    const { machine } = host;
    return {
      clusterId: this.#clusterId,
      member: this.#host.options.self.id,
      name: this.#host.options.self.name,
      role,
      term,
      leader,
      commitIndex,
      appliedIndex,
      lastIndex,
      revision: machine.revision(),
      compactRevision: machine.compactRevision(),
      keys: machine.keyCount(),
      sizeBytes: machine.sizeBytes(),
      noSpace: this.#room.isFull,
      quotaBytes: this.#room.quotaBytes,
      leaderChanges: this.#leaderChanges,
      // Asked for by few, and never by an answer's header.
      get peersReachable() {
        return host.reachable().map(({ name }) => name);
      },
      configuration: { index: configurationIndex, joint, nextMember },
    };
  }

  members(): readonly StoreMember[] {
    return this.#host.roster.storeMembers;
  }
}

function answerOf({ term, index, value }: Placed<KvResult>): StoreAnswer {
  return { term, index, result: value };
}
