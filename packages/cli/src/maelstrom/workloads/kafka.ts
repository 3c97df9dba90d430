import type { Invocation } from '../operation.ts';
import type { Body } from '../protocol.ts';
import { type Batch, checkLog, type OffsetMessage } from './kafka-checker.ts';
import {
  type Call,
  field,
  isArray,
  isInteger,
  isRecord,
  type Session,
  type Workload,
  type WorkloadOptions,
  WrongReply,
} from './workload.ts';

const DEFAULT_KEYS = 4;
const DEFAULT_WRITES_PER_KEY = 256;
const MAX_POLLS_IN_DRAIN = 10_000;

/**
 * Logs by key: `send` appends, `poll` reads on from where the client is, `commit` stores how far it has come, `assign`
 * starts it again from what is committed. In the end everyone reads all logs from the beginning (`drain`).
 */
export function logWorkload({ stream, keyCount, maxWritesPerKey }: WorkloadOptions): Workload {
  const slots = Array.from({ length: keyCount ?? DEFAULT_KEYS }, (_, key) => ({ key: `${key}`, used: 0 }));
  const everyKey = slots.map(({ key }) => key);
  let nextMessage = 0;
  const send = (): Invocation => {
    const slot = stream.pick(slots);
    if (slot.used++ >= (maxWritesPerKey ?? DEFAULT_WRITES_PER_KEY)) {
      slot.key = `${everyKey.length}`;
      slot.used = 1;
      everyKey.push(slot.key);
    }
    return { f: 'send', value: { key: slot.key, message: nextMessage++ } };
  };
  return {
    session: (call) => new LogSession(call, everyKey),
    next: () => {
      const chance = stream.below(16);
      if (chance < 8) return send();
      if (chance < 14) return { f: 'poll', value: null };
      if (chance < 15) return { f: 'commit', value: null };
      const keys = slots.map(({ key }) => key).filter(() => stream.below(2) === 0);
      return { f: 'assign', value: keys.length === 0 ? [stream.pick(slots).key] : keys };
    },
    final: { f: 'drain', value: null },
    check: checkLog,
  };
}

class LogSession implements Session {
  readonly #call: Call;
  readonly #everyKey: readonly string[];
  /** The next offset to read, of each assigned key. */
  #next: Record<string, number>;
  readonly #seen = new Map<string, number>();

  constructor(call: Call, everyKey: readonly string[]) {
    this.#call = call;
    this.#everyKey = everyKey;
    this.#next = fromTheStart(everyKey);
  }

  async perform({ f, value }: Invocation): Promise<unknown> {
    switch (f) {
      case 'send': {
        const { key, message } = value as { key: string; message: unknown };
        const reply = await this.#call({ type: 'send', key, msg: message });
        return field(reply, 'offset', isInteger, 'an integer');
      }
      case 'poll':
        return [await this.#poll()];
      case 'commit':
        return this.#commit();
      case 'assign':
        return this.#assign(value as string[]);
      default:
        return this.#drain();
    }
  }

  async #poll(): Promise<Batch> {
    const from = { ...this.#next };
    const messages = messagesOf(await this.#call({ type: 'poll', offsets: from }), from);
    for (const [key, pairs] of Object.entries(messages)) {
      if (pairs.length === 0) continue;
      const highest = pairs.reduce((most, [offset]) => Math.max(most, offset), 0);
      this.#next[key] = Math.max(this.#next[key] ?? 0, highest + 1);
      this.#seen.set(key, Math.max(this.#seen.get(key) ?? 0, highest));
    }
    return { from, messages };
  }

  async #commit(): Promise<unknown> {
    const offsets = Object.fromEntries(this.#seen);
    if (this.#seen.size > 0) await this.#call({ type: 'commit_offsets', offsets });
    return offsets;
  }

  async #assign(keys: readonly string[]): Promise<unknown> {
    const reply = await this.#call({ type: 'list_committed_offsets', keys });
    const offsets = field(reply, 'offsets', isOffsets, 'an object of integers by key');
    this.#next = Object.fromEntries(keys.map((key) => [key, (offsets[key] ?? -1) + 1]));
    return offsets;
  }

  async #drain(): Promise<Batch[]> {
    this.#next = fromTheStart(this.#everyKey);
    const batches: Batch[] = [];
    while (batches.length < MAX_POLLS_IN_DRAIN) {
      const batch = await this.#poll();
      if (Object.values(batch.messages).every((pairs) => pairs.length === 0)) break;
      batches.push(batch);
    }
    return batches;
  }
}

function fromTheStart(keys: readonly string[]): Record<string, number> {
  return Object.fromEntries(keys.map((key) => [key, 0]));
}

function messagesOf(reply: Body, asked: Readonly<Record<string, number>>): Record<string, OffsetMessage[]> {
  const messages = field(reply, 'msgs', isMessages, 'an object of [offset, message] pairs by key');
  const unasked = Object.keys(messages).find((key) => asked[key] === undefined);
  if (unasked === undefined) return messages;
  throw new WrongReply(`answered a poll of ${Object.keys(asked).join(', ')} with messages of key ${unasked}`);
}

function isOffsets(value: unknown): value is Record<string, number> {
  return isRecord(value) && Object.values(value).every(isInteger);
}

function isMessages(value: unknown): value is Record<string, OffsetMessage[]> {
  const isPair = (pair: unknown): boolean => isArray(pair) && pair.length === 2 && isInteger(pair[0]);
  return isRecord(value) && Object.values(value).every((pairs) => isArray(pairs) && pairs.every(isPair));
}
