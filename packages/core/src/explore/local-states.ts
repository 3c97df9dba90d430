/**
 * The states of single members. A system has far fewer of them than of the whole, and a replica is a function of what
 * it holds and is told: so each local state is kept once, and each step is computed once.
 */
import { AssertionError, assert, defined, unreachable } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { firstConfiguration } from '../consensus/configuration.ts';
import { writeEntry, writeList } from '../consensus/entry-codec.ts';
import type { Effect, Entry, LogRecord, Mark, Recovered, ReplicaEvent } from '../consensus/replica.ts';
import { outOfScope, withEntry, writeDisk, writeRecord, written } from './disk.ts';
import { byteKey, Interned } from './interned.ts';
import type { ExplorableSystem, MemberView, SystemBounds } from './system.ts';

export interface Envelope<Message> {
  readonly from: number;
  readonly to: number;
  readonly message: Message;
}

interface Local {
  readonly member: number;
  readonly nowUs: number;
  readonly saved: Uint8Array;
  /** Not durable yet: the records of one step each, with the mark of the last. */
  readonly pending: readonly { readonly mark: Mark; readonly records: readonly LogRecord[] }[];
  readonly persisted: Mark;
  /** What waits for a mark: messages by the number of their envelope. */
  readonly sends: readonly { readonly envelope: number; readonly after: Mark }[];
  readonly applies: readonly { readonly entry: Entry; readonly after: Mark }[];
  readonly view: MemberView;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What a local step leads to: a local state, and envelopes that are now under way. */
export interface LocalStep {
  readonly local: number;
  readonly sends: readonly number[];
}

export type LocalEvent =
  | { readonly type: 'timeout' | 'persist' | 'crash' }
  | { readonly type: 'propose'; readonly id: number }
  | { readonly type: 'deliver'; readonly envelope: number };

/** More than events of the other kinds; with the number of an envelope added it stays below this squared. */
const EVENTS = 0x4000000;
const PROPOSALS_MAX = 16;

export class LocalStates<Message> {
  readonly #system: ExplorableSystem<Message>;
  readonly #bounds: SystemBounds;
  readonly #locals = new Interned<Local>();
  readonly #envelopes = new Interned<Envelope<Message>>();
  /** By envelope: the receiver's place among the members. */
  readonly #receivers: number[] = [];
  readonly #entries = new Interned<Entry>();
  readonly #steps = new Map<number, LocalStep>();
  readonly #ignored = new Map<number, boolean>();

  constructor(system: ExplorableSystem<Message>, bounds: SystemBounds) {
    assert(bounds.proposals <= PROPOSALS_MAX, 'a small scope has few proposals');
    this.#system = system;
    this.#bounds = bounds;
  }

  /** Different local states of all members together. */
  get size(): number {
    return this.#locals.size;
  }

  get steps(): number {
    return this.#steps.size;
  }

  view(local: number): MemberView {
    return this.#locals.at(local).view;
  }

  envelope(number: number): Envelope<Message> {
    return this.#envelopes.at(number);
  }

  /** The receiver's place among the members. */
  receiver(envelope: number): number {
    return this.#receivers[envelope] as number;
  }

  /** Some records wait to become durable. */
  hasPending(local: number): boolean {
    return this.#locals.at(local).pending.length > 0;
  }

  /** See `ExplorableSystem.ignores`. */
  ignores(local: number, envelope: number): boolean {
    if (this.#system.ignores === undefined) return false;
    const key = local * EVENTS + envelope;
    const known = this.#ignored.get(key);
    if (known !== undefined) return known;
    const ignored = this.#system.ignores(this.view(local), this.#envelopes.at(envelope).message);
    this.#ignored.set(key, ignored);
    return ignored;
  }

  start(member: number): LocalStep {
    return this.#boot(member, 0, this.#system.disk(member));
  }

  step(local: number, event: LocalEvent): LocalStep {
    const key = local * EVENTS + eventKey(event);
    const known = this.#steps.get(key);
    if (known !== undefined) return known;
    const step = this.#compute(this.#locals.at(local), event);
    this.#steps.set(key, step);
    return step;
  }

  #compute(local: Local, event: LocalEvent): LocalStep {
    const { member, nowUs, view } = local;
    switch (event.type) {
      case 'crash':
        return this.#boot(member, nowUs, { ...view.disk, boot: view.disk.boot + 1 });
      case 'persist': {
        const { mark } = defined(local.pending[0], 'something waits to become durable');
        return this.#run(durable(local, mark), { type: 'persisted', mark });
      }
      case 'timeout':
        return this.#run(local, { type: 'tick' });
      case 'propose':
        return this.#run(local, { type: 'propose', id: event.id, command: Uint8Array.of(event.id) });
      case 'deliver': {
        const { from, message } = this.#envelopes.at(event.envelope);
        return this.#run(local, { type: 'receive', from, directory: this.#system.directoryOf(from), message });
      }
      default:
        return unreachable(event);
    }
  }

  #boot(member: number, nowUs: number, disk: Recovered): LocalStep {
    const status = {
      role: 'follower',
      term: 0,
      leader: 0,
      commitIndex: 0,
      lastIndex: 0,
      firstIndex: 1,
      registered: true,
      configuration: firstConfiguration(this.#system.members),
      configurationIndex: 0,
    } as const;
    const log = disk.entries.map((entry) => this.#entry(entry));
    const view = { member, status, log, disk, applied: [], failure: null };
    const nothing = { pending: [], persisted: 0, sends: [], applies: [] };
    return this.#run(
      { member, nowUs, saved: new Uint8Array(0), ...nothing, view },
      {
        type: 'start',
        recovered: disk,
        configuration: new Uint8Array(0),
      },
    );
  }

  /** One event and the flush that ends its batch; what becomes durable at once is told at once. */
  #run(from: Local, event: ReplicaEvent<Message>): LocalStep {
    const sends: number[] = [];
    let local = this.#stepped(from, event, sends);
    while (this.#bounds.persists === 'immediate' && local.view.failure === null) {
      const mark = local.pending.at(-1)?.mark;
      if (mark === undefined) break;
      local = this.#stepped(durable(local, mark), { type: 'persisted', mark }, sends);
    }
    const settled = local;
    return { local: this.#locals.numberOf(keyOfLocal(settled), () => settled), sends };
  }

  #stepped(from: Local, event: ReplicaEvent<Message>, sends: number[]): Local {
    const effects: Effect<Message>[] = [];
    const replica = this.#system.create(from.member, { put: (effect) => effects.push(effect) });
    if (event.type !== 'start') replica.load(new ByteReader(from.saved));
    const dueUs = event.type === 'tick' ? replica.deadlineUs() : 0;
    const nowUs = Number.isFinite(dueUs) ? Math.max(from.nowUs, dueUs) : from.nowUs;
    const to: Mutable<Local> = { ...from, nowUs };
    try {
      for (let next: ReplicaEvent<Message> | null = event; next !== null; ) {
        replica.step(nowUs, next);
        replica.step(nowUs, { type: 'flush' });
        this.#take(to, effects.splice(0));
        const index = this.#release(to, sends);
        next = index > 0 ? { type: 'applied', index } : null;
      }
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      return { ...from, view: { ...from.view, failure: error.message } };
    }
    const writer = new ByteWriter();
    replica.save(writer);
    to.saved = writer.finish();
    to.view = { ...to.view, status: replica.status() };
    return to;
  }

  #take(local: Mutable<Local>, effects: readonly Effect<Message>[]): void {
    const records: LogRecord[] = [];
    let last: Mark = 0;
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          if (this.#system.carries?.(effect.message) === false) break;
          local.sends = [...local.sends, { envelope: this.#envelopeOf(local.member, effect), after: effect.after }];
          break;
        case 'persist':
          records.push(effect.record);
          last = effect.mark;
          break;
        case 'apply':
          local.applies = [...local.applies, { entry: this.#entry(effect.entry), after: effect.after }];
          break;
        case 'readReady':
        case 'rejected':
        case 'changed':
          break;
        case 'stop':
          throw new AssertionError(effect.message);
        case 'readSnapshot':
        case 'closeSnapshot':
        case 'storeSnapshot':
        case 'installSnapshot':
          throw outOfScope('the transfer of a snapshot');
        default:
          unreachable(effect);
      }
    }
    if (records.length === 0) return;
    local.pending = [...local.pending, { mark: last, records }];
    let { log } = local.view;
    for (const record of records) if (record.type === 'entry') log = withEntry(log, this.#entry(record.entry));
    local.view = { ...local.view, log };
  }

  /** Lets out what waits for nothing any more; returns the index up to which entries were applied, 0 for none. */
  #release(local: Mutable<Local>, sends: number[]): number {
    const ready = (held: { readonly after: Mark }) => held.after <= local.persisted;
    for (const { envelope } of local.sends.filter(ready)) sends.push(envelope);
    local.sends = local.sends.filter((held) => !ready(held));
    // In index order: one that waits holds back those behind it.
    const waits = local.applies.findIndex((held) => !ready(held));
    const applied = local.applies.slice(0, waits === -1 ? local.applies.length : waits).map((held) => held.entry);
    local.applies = local.applies.slice(applied.length);
    local.view = { ...local.view, applied: [...local.view.applied, ...applied] };
    return applied.at(-1)?.index ?? 0;
  }

  #envelopeOf(from: number, { to, message }: { readonly to: number; readonly message: Message }): number {
    const writer = new ByteWriter(64);
    writer.varint(from);
    writer.varint(to);
    this.#system.codec.encode(writer, message);
    const number = this.#envelopes.numberOf(byteKey(writer.finish()), () => ({ from, to, message }));
    this.#receivers[number] = this.#system.members.indexOf(to);
    return number;
  }

  #entry(entry: Entry): Entry {
    const writer = new ByteWriter(32);
    writeEntry(writer, entry);
    return this.#entries.at(this.#entries.numberOf(byteKey(writer.finish()), () => entry));
  }
}

function eventKey(event: LocalEvent): number {
  switch (event.type) {
    case 'timeout':
      return 0;
    case 'persist':
      return 1;
    case 'crash':
      return 2;
    case 'propose':
      return 3 + event.id;
    case 'deliver':
      return 4 + PROPOSALS_MAX + event.envelope;
    default:
      return unreachable(event);
  }
}

function durable(local: Local, mark: Mark): Local {
  let { disk } = local.view;
  for (const group of local.pending) if (group.mark <= mark) disk = group.records.reduce(written, disk);
  const pending = local.pending.filter((group) => group.mark > mark);
  return { ...local, persisted: mark, pending, view: { ...local.view, disk } };
}

/** The log follows from the disk and what is pending, the status from the replica. */
function keyOfLocal(local: Local): string {
  const writer = new ByteWriter(512);
  writer.varint(local.member);
  writer.varint(local.nowUs);
  writer.bytes(local.saved);
  writeDisk(writer, local.view.disk);
  writeList(writer, local.pending, (to, group) => {
    to.varint(group.mark);
    writeList(to, group.records, writeRecord);
  });
  writer.varint(local.persisted);
  writeList(writer, local.sends, (to, { envelope, after }) => {
    to.varint(envelope);
    to.varint(after);
  });
  writeList(writer, local.applies, (to, { entry, after }) => {
    writeEntry(to, entry);
    to.varint(after);
  });
  writeList(writer, local.view.applied, writeEntry);
  writer.string(local.view.failure ?? '');
  return byteKey(writer.finish());
}
