import { EventEmitter } from 'node:events';
import type { Role } from '@polder/core';
import type { MemberView } from './membership-client.ts';
import type { MemberAddresses } from './options.ts';

/** Each event says how things are now, so that a listener that came late or missed one is right after the next. */
export interface MemberEventMap {
  /** Another leader, or none known. */
  readonly leader: readonly [{ readonly leader: MemberAddresses | null; readonly term: number }];
  /** This member's own role. */
  readonly role: readonly [{ readonly role: Role; readonly term: number }];
  /** Entries were applied here; one event for a batch. `revision` is the store's, or the index where there is no store. */
  readonly applied: readonly [{ readonly index: number; readonly revision: number }];
  /** Who the members are, by the newest configuration that this member knows; during a change, more than once. */
  readonly members: readonly [{ readonly members: readonly MemberView[] }];
  /** The last event. `error` null: it was closed. */
  readonly stopped: readonly [{ readonly error: Error | null }];
}

/** Node's own emitter: `on`, `once`, and `for await (const [change] of on(events, 'leader'))` with `node:events`. */
export type MemberEvents = EventEmitter<{ [Name in keyof MemberEventMap]: [...MemberEventMap[Name]] }>;

interface Observed {
  readonly role: Role;
  readonly term: number;
  readonly leader: number;
  readonly appliedIndex: number;
}

/** Compares what is with what was told, and tells the difference. */
export class Announcer {
  readonly events: MemberEvents = new EventEmitter();
  readonly #addressesOf: (id: number) => MemberAddresses | null;
  readonly #revision: () => number;
  #told: Observed = { role: 'follower', term: 0, leader: 0, appliedIndex: 0 };

  constructor(addressesOf: (id: number) => MemberAddresses | null, revision: () => number) {
    this.#addressesOf = addressesOf;
    this.#revision = revision;
  }

  observe(now: Observed): void {
    const { role, term, leader, appliedIndex } = now;
    const told = this.#told;
    this.#told = now;
    if (role !== told.role) this.#tell(() => this.events.emit('role', { role, term }));
    if (leader !== told.leader) {
      this.#tell(() => this.events.emit('leader', { leader: this.#addressesOf(leader), term }));
    }
    if (appliedIndex === told.appliedIndex || this.events.listenerCount('applied') === 0) return;
    const revision = this.#revision();
    this.#tell(() => this.events.emit('applied', { index: appliedIndex, revision }));
  }

  membersChanged(list: () => readonly MemberView[]): void {
    this.#tell(() => this.events.emit('members', { members: list() }));
  }

  stopped(error: Error | null): void {
    this.#tell(() => this.events.emit('stopped', { error }));
  }

  /** Later, so that a listener that throws is an uncaught exception of its own and no failure of the member. */
  #tell(emit: () => void): void {
    process.nextTick(emit);
  }
}
