/** `member.registers`: a store in which every request chooses its consistency (docs/REGISTERS.md). */
import { assert, utf8 } from '@polder/core';
import {
  DEFAULT_LEVEL,
  DEFAULT_TIMEOUT_US,
  type HostStatus,
  type Level,
  type Service,
  type Tag,
  type Terms,
} from '@polder/core/registers';
import type { MemberAddresses } from '../embedding/index.ts';
import { RegisterError } from './error.ts';
import type { RegistersService } from './registers-service.ts';
import { formatTag, parseTag } from './tag.ts';

export type WeakerLevel = Exclude<Level, 'strong'>;

interface Asking {
  /** After this it ends, with what is known. Default: 5,000. */
  readonly timeoutMs?: number;
  /** Cancels it; a write that has left may still take effect, and then its outcome is unknown. */
  readonly signal?: AbortSignal;
  /** The session, as the last answer gave it; an empty one begins a session. */
  readonly token?: Uint8Array;
}

interface Weaker {
  /** Default: eventual. */
  readonly level?: WeakerLevel;
}

interface Strong {
  readonly level: 'strong';
  /** What is accepted when no majority is there, after half of the time. */
  readonly degradeTo?: WeakerLevel;
}

export type RegisterReadOptions = Asking & ((Weaker & { readonly degradeTo?: never }) | Strong);

export type RegisterWriteOptions = Asking &
  (
    | (Weaker & { readonly degradeTo?: never; readonly tag?: never })
    /** `tag`: this repeats the write whose outcome was unknown. */
    | (Strong & { readonly tag?: string })
  );

/** There is no strong range. */
export type RegisterRangeOptions = Asking & Weaker & { readonly limit?: number };

export interface RegisterWritten extends Service {
  readonly tag: string;
}

export interface RegisterRead extends Service {
  /** null: absent. */
  readonly value: Uint8Array | null;
  /** Of the version, or of the deletion; null: nothing is known of the key. */
  readonly tag: string | null;
}

export interface RegisterRange extends Service {
  readonly entries: readonly { readonly key: string; readonly value: Uint8Array; readonly tag: string }[];
  /** There are more, beyond the limit. */
  readonly more: boolean;
}

export interface RegistersStatus {
  readonly state: 'opening' | 'joining' | 'ready' | 'stopped';
  readonly records: number;
  /** `away`: silent for three seconds or more. */
  readonly peers: readonly { readonly name: string; readonly id: number; readonly away: boolean }[];
  /** Of each origin (`member#directory`), how many of its writes are here. */
  readonly vector: Readonly<Record<string, number>>;
  /** Writes kept for members that have not acknowledged them. */
  readonly hintBacklog: number;
  /** Versions that wait for what precedes them. */
  readonly uncovered: number;
  readonly underway: number;
  readonly superseded: number;
  readonly collected: number;
  readonly stalenessMs: number | null;
  readonly malformedFrames: number;
  readonly counters: HostStatus['counters'];
}

const DEFAULT_LIMIT = 1_000;

export class RegistersClient {
  readonly #service: RegistersService | null;
  readonly #members: readonly MemberAddresses[];
  readonly #self: number;

  /** `service` null: this member has none, and says so to whoever asks. */
  constructor(service: RegistersService | null, members: readonly MemberAddresses[], self: number) {
    this.#service = service;
    this.#members = members;
    this.#self = self;
  }

  /** Throws `RegisterError`: `unknown` ones carry the tag to repeat it under. */
  write(key: string, value: string | Uint8Array, options: RegisterWriteOptions = {}): Promise<RegisterWritten> {
    return this.#write(key, typeof value === 'string' ? utf8(value) : value, options);
  }

  /** A write of nothing, which is remembered until every member has seen it. Throws `RegisterError`. */
  delete(key: string, options: RegisterWriteOptions = {}): Promise<RegisterWritten> {
    return this.#write(key, null, options);
  }

  /** Throws `RegisterError`. */
  async read(key: string, options: RegisterReadOptions = {}): Promise<RegisterRead> {
    const answer = await this.#served().ask({ type: 'read', key, ...terms(options) }, options.signal);
    assert(answer.type === 'read', 'a read is answered as one');
    const { type: _, tag, ...rest } = answer;
    return { ...rest, tag: tag === null ? null : formatTag(tag) };
  }

  /** The keys that begin with `prefix`, ascending. Throws `RegisterError`. */
  async range(prefix: string, options: RegisterRangeOptions = {}): Promise<RegisterRange> {
    const { limit = DEFAULT_LIMIT } = options;
    const answer = await this.#served().ask({ type: 'range', prefix, limit, ...terms(options) }, options.signal);
    assert(answer.type === 'range', 'a range is answered as one');
    const { type: _, entries, ...rest } = answer;
    return { ...rest, entries: entries.map(({ key, value, tag }) => ({ key, value, tag: formatTag(tag) })) };
  }

  /** As it is here and now. Throws `NotServed`. */
  status(): RegistersStatus {
    const { phase, joined, away, vector, ...rest } = this.#served().status();
    const { records, hintBacklog, uncovered, underway, superseded, collected, stalenessMs } = rest;
    return {
      state: phase === 'running' ? (joined ? 'ready' : 'joining') : phase,
      records,
      peers: this.#members
        .filter(({ id }) => id !== this.#self)
        .map(({ name, id }) => ({ name, id, away: away.includes(id) })),
      vector: Object.fromEntries(vector.entries()),
      hintBacklog,
      uncovered,
      underway,
      superseded,
      collected,
      stalenessMs,
      malformedFrames: rest.malformedFrames,
      counters: rest.counters,
    };
  }

  async #write(key: string, value: Uint8Array | null, options: RegisterWriteOptions): Promise<RegisterWritten> {
    const tag: Tag | null = options.tag === undefined ? null : parseTag(options.tag);
    const answer = await this.#served().ask({ type: 'write', key, value, tag, ...terms(options) }, options.signal);
    assert(answer.type === 'written', 'a write is answered as one');
    const { type: _, ...rest } = answer;
    return { ...rest, tag: formatTag(answer.tag) };
  }

  #served(): RegistersService {
    if (this.#service === null) throw new RegisterError('NotServed', 'notApplied');
    return this.#service;
  }
}

function terms({ level = DEFAULT_LEVEL, degradeTo, timeoutMs, token }: RegisterReadOptions): Terms {
  return {
    level,
    degradeTo: degradeTo ?? null,
    timeoutUs: timeoutMs === undefined ? DEFAULT_TIMEOUT_US : Math.round(timeoutMs * 1_000),
    token: token ?? null,
  };
}
