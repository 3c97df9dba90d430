/** A hosted store, as etcd's API wants it. */
import { createHash } from 'node:crypto';
import {
  type DurableKvStateMachine,
  encodeKvRequest,
  type KvRequest,
  type KvResult,
  type KvStateMachine,
} from '@polder/core/kv';
import { clientHost, type Host, type MemberAddresses, type Placed, peerHost } from '../embedding/index.ts';
import type { Store, StoreAnswer, StoreMember, StoreStatus } from '../etcd/store.ts';

export type KvMachine = KvStateMachine | DurableKvStateMachine;
export type KvHost = Host<KvResult, KvRequest, KvResult, KvMachine>;

/** The smallest question: only that it is answered at all matters. */
const CONFIRMATION: KvRequest = { type: 'range', key: new Uint8Array([0]), countOnly: true };

export class ServedStore implements Store {
  readonly #host: KvHost;
  readonly #members: readonly StoreMember[];
  readonly #clusterId: bigint;
  #leaderChanges = 0;

  constructor(host: KvHost) {
    const { cluster, members } = host.options;
    this.#host = host;
    this.#clusterId = id64(cluster);
    this.#members = members.map((member) => storeMember(cluster, member));
    host.events.on('leader', ({ leader }) => {
      if (leader !== null) this.#leaderChanges++;
    });
  }

  async propose(request: KvRequest, signal: AbortSignal): Promise<StoreAnswer> {
    return answerOf(await this.#host.propose(encodeKvRequest(request), { signal }));
  }

  async read(
    request: KvRequest,
    { serializable }: { readonly serializable: boolean },
    signal: AbortSignal,
  ): Promise<StoreAnswer> {
    return answerOf(serializable ? this.#host.readLocally(request) : await this.#host.read(request, { signal }));
  }

  async confirm(signal: AbortSignal): Promise<void> {
    await this.#host.read(CONFIRMATION, { signal });
  }

  status(): StoreStatus {
    const { role, term, leader, commitIndex, appliedIndex, lastIndex } = this.#host.status();
    const { machine } = this.#host;
    return {
      clusterId: this.#clusterId,
      member: this.#host.options.self.id,
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
      leaderChanges: this.#leaderChanges,
      peersReachable: this.#host.reachable().map(({ name }) => name),
    };
  }

  members(): readonly StoreMember[] {
    return this.#members;
  }
}

function answerOf({ term, index, value }: Placed<KvResult>): StoreAnswer {
  return { term, index, result: value };
}

function storeMember(cluster: string, member: MemberAddresses): StoreMember {
  const { id, name, peerPort, clientPort } = member;
  return {
    number: id,
    id: id64(`${cluster}/${name}`),
    name,
    peerUrls: peerPort === undefined ? [] : [`http://${peerHost(member)}:${peerPort}`],
    clientUrls: clientPort === undefined ? [] : [`http://${clientHost(member)}:${clientPort}`],
  };
}

/** etcd's clients want 64-bit ids; the same name gives the same one on every member. */
function id64(name: string): bigint {
  return createHash('sha256').update(name).digest().readBigUInt64BE();
}
