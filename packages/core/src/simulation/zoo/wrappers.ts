/** Small wrappers around a member's parts, each of which lets one thing go wrong. */
import { type QuorumPurpose, RAFT_RULES, type RaftRules } from '../../consensus/raft/index.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Effect, Entry, Outbox, Replica, ReplicaEvent, ReplicaStatus } from '../../consensus/replica.ts';
import type { StateMachine } from '../../consensus/state-machine.ts';
import type { KvRequest, KvResult } from '../../kv/index.ts';
import type { DiskOperation, DiskResult, World } from '../../world/world.ts';
import type { DiskPath, Sabotage, SabotagedMember } from '../raft/sabotage.ts';
import { WrappedReplica, WrappedStateMachine } from '../raft/wrapped.ts';

type RaftEffect = Effect<RaftMessage>;
type RaftEvent = ReplicaEvent<RaftMessage>;
type Received<T extends RaftMessage['type']> = Extract<RaftMessage, { type: T }>;

/** For this, half of the members is enough. */
export function halfIsEnough(purpose: QuorumPurpose): Partial<RaftRules> {
  const half = (members: number): number => Math.max(1, Math.floor(members / 2));
  return { majority: (members, asked) => (asked === purpose ? half(members) : RAFT_RULES.majority(members, asked)) };
}

/** What leaves the replica, changed; null: kept back. */
export function effects(change: (effect: RaftEffect) => RaftEffect | null): Sabotage['outbox'] {
  return (outbox) => ({
    put: (effect) => {
      const changed = change(effect);
      if (changed !== null) outbox.put(changed);
    },
  });
}

/** Messages of one type leave changed, or not at all. */
export function sent<T extends RaftMessage['type']>(
  type: T,
  change: (message: Received<T>, effect: Extract<RaftEffect, { type: 'send' }>) => RaftEffect | null,
): Sabotage['outbox'] {
  return effects((effect) =>
    effect.type === 'send' && effect.message.type === type ? change(effect.message as Received<T>, effect) : effect,
  );
}

/** What such a message waits for is forgotten. */
export function withoutMark(type: RaftMessage['type']): Sabotage['outbox'] {
  return sent(type, (_, effect) => ({ ...effect, after: 0 }));
}

/** A replica that is given other events than what happened. */
class RewrittenReplica extends WrappedReplica {
  readonly #rewrite: (event: RaftEvent, status: ReplicaStatus) => readonly RaftEvent[];

  constructor(
    replica: Replica<RaftMessage>,
    rewrite: (event: RaftEvent, status: ReplicaStatus) => readonly RaftEvent[],
  ) {
    super(replica);
    this.#rewrite = rewrite;
  }

  override step(nowUs: number, event: RaftEvent): void {
    for (const rewritten of this.#rewrite(event, this.status())) super.step(nowUs, rewritten);
  }
}

export type Rewrite = (event: RaftEvent, status: ReplicaStatus, self: SabotagedMember) => readonly RaftEvent[];

export function events(make: () => Rewrite): Sabotage['replica'] {
  return (replica, _, self) => {
    const rewrite = make();
    return new RewrittenReplica(replica, (event, status) => rewrite(event, status, self));
  };
}

/** Messages of one type arrive changed, or not at all. */
export function received<T extends RaftMessage['type']>(
  type: T,
  change: (message: Received<T>, status: ReplicaStatus) => RaftMessage | null,
): Sabotage['replica'] {
  return events(() => (event, status) => {
    if (event.type !== 'receive' || event.message.type !== type) return [event];
    const message = change(event.message as Received<T>, status);
    return message === null ? [] : [{ ...event, message }];
  });
}

/** Operations on the disk become others, and their results what the member expected. */
export function disk(
  change: (operation: DiskOperation) => { operation: DiskOperation; result: DiskResult } | null,
): Sabotage['disk'] {
  return ({ world, onResult }) => {
    const pretended = new Map<number, DiskResult>();
    return {
      world: withDisk(world, (token, operation) => {
        const changed = change(operation);
        if (changed !== null) pretended.set(token, changed.result);
        world.disk.submit(token, changed?.operation ?? operation);
      }),
      onResult: (token, result) => {
        const pretence = pretended.get(token);
        pretended.delete(token);
        return pretence ?? onResult(token, result);
      },
    };
  };
}

/** Errors of some operations are taken for success. */
export function ignoringErrors(types: readonly DiskOperation['type'][]): Sabotage['disk'] {
  return ({ world, onResult }: DiskPath): DiskPath => {
    const watched = new Set<number>();
    return {
      world: withDisk(world, (token, operation) => {
        if (types.includes(operation.type)) watched.add(token);
        world.disk.submit(token, operation);
      }),
      onResult: (token, result) => {
        const ignored = watched.delete(token) && result.type === 'error';
        return ignored ? { type: 'done' } : onResult(token, result);
      },
    };
  };
}

function withDisk(world: World, submit: World['disk']['submit']): World {
  return { clock: world.clock, network: world.network, random: world.random, disk: { submit } };
}

/** Entries reach the state machine changed. */
export class RewrittenStateMachine extends WrappedStateMachine<KvResult, KvRequest, KvResult> {
  readonly #rewrite: (entry: Entry) => Entry;

  constructor(machine: StateMachine<KvResult, KvRequest, KvResult>, rewrite: (entry: Entry) => Entry) {
    super(machine);
    this.#rewrite = rewrite;
  }

  override apply(entry: Entry): KvResult | null {
    return super.apply(this.#rewrite(entry));
  }
}

/** A replica that believes everything it writes to be durable at once. */
class ImpatientReplica extends WrappedReplica {
  readonly #written: () => number;

  constructor(replica: Replica<RaftMessage>, written: () => number) {
    super(replica);
    this.#written = written;
  }

  override step(nowUs: number, event: RaftEvent): void {
    if (event.type === 'persisted') return;
    super.step(nowUs, event);
    if (this.#written() > 0) super.step(nowUs, { type: 'persisted', mark: this.#written() });
  }
}

/** An outbox and a replica that belong together: what was written counts as durable. */
export function impatient(): Pick<Sabotage, 'outbox' | 'replica'> {
  const written = new WeakMap<Outbox<RaftMessage>, { mark: number }>();
  return {
    outbox: (inner) => {
      const seen = { mark: 0 };
      const outbox: Outbox<RaftMessage> = {
        put: (effect) => {
          if (effect.type === 'persist') seen.mark = effect.mark;
          inner.put(effect);
        },
      };
      written.set(outbox, seen);
      return outbox;
    },
    replica: (replica, outbox) => new ImpatientReplica(replica, () => written.get(outbox)?.mark ?? 0),
  };
}
