/**
 * The seed text's `DistributedNode` (section 1) on real messages. Keys begin with their consistency level: `weak` stays
 * on the node, `eventual` spreads by itself, `strong` asks a majority. Without mistakes a strong operation is the
 * register of Attiya, Bar-Noy and Dolev (1995). A failed node of the text keeps its memory: so it is paused here, not
 * crashed, and nothing is stored.
 */
import type { Participant, Self } from '../../participants/index.ts';
import type { Json } from '../../protocol.ts';
import type { Intent } from '../../workloads/index.ts';
import type { SeedMistakes } from './mistakes.ts';

export interface DataRecord {
  readonly value: Json;
  readonly version: number;
  readonly member: number;
  readonly wallMs: number;
}

export type StoreMessage =
  | { readonly type: 'ping' }
  | { readonly type: 'ask'; readonly id: number; readonly key: string }
  | { readonly type: 'answer'; readonly id: number; readonly record: DataRecord | null }
  | { readonly type: 'write'; readonly key: string; readonly record: DataRecord }
  | { readonly type: 'written'; readonly key: string; readonly record: DataRecord };

/** A strong operation: first it asks, then it writes. */
interface Operation {
  readonly id: number;
  readonly intent: Intent;
  readonly required: number;
  /** Who has answered, in this phase; itself included. */
  heard: number[];
  /** The newest it heard of. */
  newest: DataRecord | null;
  /** What it writes; null: it still asks. */
  writes: DataRecord | null;
}

export interface StoreState {
  data: { [key: string]: DataRecord };
  operations: Operation[];
  /** By peer: the keys that it is not known to have as new as they are here. */
  owed: { [peer: number]: string[] };
  reached: number[];
  /** What waits for the lock: clients' questions (from 0) and peers' messages. */
  queue: ({ from: number; message: StoreMessage } | { id: number; intent: Intent })[];
}

const TICK_US = 50_000;
const SILENCE_US = 200_000;
/** The text's 5 seconds. */
const TIMEOUT_US = 400_000;

export class SeedStore implements Participant<StoreMessage> {
  state: StoreState = { data: {}, operations: [], owed: {}, reached: [], queue: [] };
  readonly #self: Self<StoreMessage>;
  readonly #mistakes: SeedMistakes;

  constructor(self: Self<StoreMessage>, mistakes: SeedMistakes) {
    this.#self = self;
    this.#mistakes = mistakes;
  }

  onStart(): void {
    this.state.reached = this.#others();
    for (const peer of this.state.reached) this.#self.setTimer(`silence ${peer}`, SILENCE_US);
    this.#self.setTimer('tick', TICK_US);
  }

  onMessage(from: number, message: StoreMessage): void {
    this.#heardFrom(from);
    if (message.type === 'ping') return;
    const isRequest = message.type === 'ask' || message.type === 'write';
    if (isRequest && this.#locked()) this.state.queue.push({ from, message });
    else this.#handle(from, message);
  }

  onOperation(id: number, intent: Intent): void {
    if (this.#locked()) this.state.queue.push({ id, intent });
    else this.#begin(id, intent);
  }

  onTimer(name: string): void {
    if (name === 'tick') return this.#tick();
    const [what, number] = name.split(' ');
    if (what === 'silence') return this.#outOfReach(Number(number));
    const operation = this.state.operations.find(({ id }) => id === Number(number));
    if (operation !== undefined) this.#giveUp(operation);
  }

  #handle(from: number, message: Exclude<StoreMessage, { type: 'ping' }>): void {
    switch (message.type) {
      case 'ask':
        return this.#self.send(from, { type: 'answer', id: message.id, record: this.#get(message.key) });
      case 'answer': {
        const operation = this.state.operations.find(({ id, writes }) => id === message.id && writes === null);
        return operation === undefined ? undefined : this.#heard(operation, from, message.record);
      }
      case 'write': {
        this.#apply(message.key, message.record);
        return this.#self.send(from, { type: 'written', key: message.key, record: message.record });
      }
      case 'written': {
        const { key, record } = message;
        if (!this.#isNewer(this.#get(key), record)) this.#settle(from, key);
        for (const operation of [...this.state.operations]) {
          const { writes, intent } = operation;
          const covers = writes !== null && intent.key === key && !this.#isNewer(writes, record);
          if (covers) this.#heard(operation, from, null);
        }
      }
    }
  }

  #begin(id: number, intent: Intent): void {
    const { f, key, value } = intent;
    if (!key.startsWith('strong')) {
      if (f === 'read') return this.#self.ok(id, this.#get(key)?.value ?? null);
      this.#apply(key, this.#newRecord(value, this.#get(key)));
      if (key.startsWith('eventual')) this.#propagate(key);
      return this.#self.ok(id, value);
    }
    const counted = this.#mistakes.countsOnlyReachable ? this.state.reached.length + 1 : this.#self.members.length;
    const required = Math.floor(counted / 2) + 1;
    const operation: Operation = { id, intent, required, heard: [], newest: null, writes: null };
    this.state.operations.push(operation);
    if (!this.#mistakes.locksWhileWaiting) this.#self.setTimer(`operation ${id}`, TIMEOUT_US);
    if (f === 'write' && this.#mistakes.ordersByWallClock) return this.#write(operation);
    for (const peer of this.#peers()) this.#self.send(peer, { type: 'ask', id, key });
    this.#heard(operation, this.#self.member, this.#get(key));
  }

  /** One more has answered, with what it has; or has taken what is written. */
  #heard(operation: Operation, from: number, record: DataRecord | null): void {
    const asks = operation.writes === null;
    if (this.#isNewer(record, operation.newest)) operation.newest = record;
    const { f } = operation.intent;
    if (asks && f === 'read' && this.#mistakes.readsOnlyHolders && record === null) return;
    if (!operation.heard.includes(from)) operation.heard.push(from);
    if (operation.heard.length < operation.required) return;
    const isDone = f === 'read' && (this.#mistakes.readsOnlyHolders || operation.newest === null);
    if (asks && !isDone) return this.#write(operation);
    this.#self.ok(operation.id, f === 'read' ? (operation.newest?.value ?? null) : operation.intent.value);
    this.#finish(operation);
  }

  /** A write gets its place behind everything heard of; a read writes back what it found. */
  #write(operation: Operation): void {
    const { f, key, value } = operation.intent;
    const own = this.#get(key);
    const before = this.#isNewer(own, operation.newest) ? own : operation.newest;
    const record = f === 'read' && before !== null ? operation.newest : this.#newRecord(value, before);
    if (record === null) return;
    operation.writes = record;
    operation.heard = [];
    this.#apply(key, record);
    this.#propagate(key);
    this.#heard(operation, this.#self.member, null);
  }

  #giveUp(operation: Operation): void {
    const { id, intent, writes } = operation;
    this.#finish(operation);
    if (intent.f === 'read' || writes === null) return this.#self.fail(id, 'no majority');
    if (!this.#mistakes.rollsBackByDeleting) return this.#self.answer(id, { completion: 'info', value: 'no majority' });
    const own = this.#get(intent.key);
    if (own?.member === writes.member && own.version === writes.version) delete this.state.data[intent.key];
    this.#self.fail(id, 'rolled back');
  }

  /** Gives the lock back. */
  #finish(operation: Operation): void {
    const { state } = this;
    state.operations = state.operations.filter((other) => other !== operation);
    this.#self.cancelTimer(`operation ${operation.id}`);
    while (!this.#locked()) {
      const next = state.queue.shift();
      if (next === undefined) return;
      if ('id' in next) this.#begin(next.id, next.intent);
      else this.onMessage(next.from, next.message);
    }
  }

  #tick(): void {
    this.#self.setTimer('tick', TICK_US);
    this.#self.broadcast({ type: 'ping' });
    if (this.#mistakes.sendsOnce) return;
    for (const peer of this.#peers()) {
      for (const key of this.state.owed[peer] ?? []) this.#sendRecord(peer, key);
      for (const { id, intent, writes, heard } of this.state.operations)
        if (writes === null && !heard.includes(peer)) this.#self.send(peer, { type: 'ask', id, key: intent.key });
    }
  }

  #propagate(key: string): void {
    for (const peer of this.#peers()) {
      this.#settle(peer, key);
      this.state.owed[peer]?.push(key);
      this.#sendRecord(peer, key);
    }
  }

  #sendRecord(peer: number, key: string): void {
    const record = this.#get(key);
    if (record !== null) this.#self.send(peer, { type: 'write', key, record });
  }

  #settle(peer: number, key: string): void {
    this.state.owed[peer] = (this.state.owed[peer] ?? []).filter((owed) => owed !== key);
  }

  #heardFrom(peer: number): void {
    if (!this.state.reached.includes(peer)) this.state.reached.push(peer);
    this.#self.setTimer(`silence ${peer}`, SILENCE_US);
  }

  #outOfReach(peer: number): void {
    this.state.reached = this.state.reached.filter((other) => other !== peer);
    if (this.#mistakes.healsWithoutExchange) this.state.owed[peer] = [];
  }

  #apply(key: string, record: DataRecord): void {
    if (this.#isNewer(record, this.#get(key))) this.state.data[key] = record;
  }

  #newRecord(value: Json, before: DataRecord | null): DataRecord {
    const { member } = this.#self;
    return { value, version: (before?.version ?? 0) + 1, member, wallMs: this.#self.wallMs() };
  }

  #isNewer(record: DataRecord | null, than: DataRecord | null): boolean {
    if (record === null || than === null) return record !== null;
    if (this.#mistakes.ordersByWallClock) return record.wallMs > than.wallMs;
    return record.version !== than.version ? record.version > than.version : record.member > than.member;
  }

  #get(key: string): DataRecord | null {
    return this.state.data[key] ?? null;
  }

  #others(): number[] {
    return this.#self.members.filter((member) => member !== this.#self.member);
  }

  #peers(): readonly number[] {
    return this.#mistakes.healsWithoutExchange ? this.state.reached : this.#others();
  }

  #locked(): boolean {
    return this.#mistakes.locksWhileWaiting && this.state.operations.length > 0;
  }
}

/** What a healed store owes: of every key that spreads, the same record everywhere. */
export function whatDiffers(states: readonly StoreState[]): string | null {
  const keys = new Set(states.flatMap(({ data }) => Object.keys(data)));
  for (const key of [...keys].sort()) {
    if (key.startsWith('weak')) continue;
    const records = new Set(states.map(({ data }) => JSON.stringify(data[key] ?? null)));
    if (records.size > 1) return `members hold different values of ${key}: ${[...records].join(', ')}`;
  }
  return null;
}
