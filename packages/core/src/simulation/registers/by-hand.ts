/** Replicas in one's own hands, for schedules that chance seldom meets: each message, disk and clock moves when it is told to. */
import { ByteReader, ByteWriter, text, utf8 } from '../../base/bytes.ts';
import type { RegisterEffect } from '../../registers/effects.ts';
import { type RegisterMessage, readRegisterMessage, writeRegisterMessage } from '../../registers/message.ts';
import type { RegistersOptions } from '../../registers/options.ts';
import type { RegisterRecord } from '../../registers/record.ts';
import { Registers } from '../../registers/replica.ts';
import type { Level, RegisterOutcome, RegisterRequest } from '../../registers/request.ts';
import { REGISTER_RULES, type RegisterRules } from '../../registers/rules.ts';

export const MS = 1_000;

type Send = Extract<RegisterEffect, { type: 'send' }>;

interface Flight {
  readonly from: number;
  readonly directory: number;
  readonly send: Send;
}

class Member {
  replica!: Registers;
  directory: number;
  boot = 0;
  /** Durable. */
  log: RegisterRecord[] = [];
  unsynced: { mark: number; record: RegisterRecord }[] = [];
  held: Send[] = [];
  persisted = 0;
  wallMs: number;
  alive = false;

  constructor(directory: number, wallMs: number) {
    this.directory = directory;
    this.wallMs = wallMs;
  }
}

export interface ClusterSettings extends Partial<Omit<RegistersOptions, 'rules'>> {
  readonly rules?: Partial<RegisterRules>;
}

export class RegistersCluster {
  readonly ids: readonly number[];
  readonly answers = new Map<number, RegisterOutcome>();
  readonly members = new Map<number, Member>();
  /** True: does not arrive. */
  cut: (from: number, to: number, message: RegisterMessage) => boolean = () => false;
  /** Messages matching this wait in `kept` until the test releases them. */
  keep: (from: number, to: number, message: RegisterMessage) => boolean = () => false;
  kept: Flight[] = [];
  /** Members whose disks do not answer. */
  readonly slow = new Set<number>();
  nowUs = 0;
  readonly #settings: ClusterSettings;
  #flights: Flight[] = [];
  #lastId = 0;

  constructor(size: number, settings: ClusterSettings = {}) {
    this.#settings = settings;
    this.ids = Array.from({ length: size }, (_, i) => i + 1);
    for (const id of this.ids) this.members.set(id, new Member(id * 100 + 1, 1_000_000));
    for (const id of this.ids) this.start(id);
    this.run(2_000 * MS);
  }

  member(id: number): Member {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  replica(id: number): Registers {
    return this.member(id).replica;
  }

  start(id: number): void {
    const member = this.member(id);
    member.boot++;
    member.persisted = 0;
    member.unsynced = [];
    member.held = [];
    member.alive = true;
    member.replica = this.#newReplica(id, member);
    this.#step(id, { type: 'start', boot: member.boot, records: [...member.log] });
  }

  #newReplica(id: number, member: Member): Registers {
    const { rules, ...settings } = this.#settings;
    const self = { member: id, members: this.ids, directory: member.directory };
    return new Registers(
      { ...settings, ...self, rules: { ...REGISTER_RULES, ...rules } },
      { put: (effect) => this.#onEffect(id, member, effect) },
    );
  }

  crash(id: number): void {
    this.member(id).alive = false;
  }

  /** With an empty directory. */
  wipe(id: number): void {
    const member = this.member(id);
    member.alive = false;
    member.directory += 1;
    member.log = [];
    member.boot = 0;
  }

  ask(id: number, request: RegisterRequest): number {
    const number = ++this.#lastId;
    this.#step(id, { type: 'request', id: number, request });
    return number;
  }

  cancel(id: number, request: number): void {
    this.#step(id, { type: 'cancel', id: request });
  }

  write(id: number, key: string, value: string | null, level: Level, more: Partial<RegisterRequest> = {}): number {
    const bytes = value === null ? null : utf8(value);
    return this.ask(id, { type: 'write', key, value: bytes, tag: null, ...terms(level), ...more } as RegisterRequest);
  }

  read(id: number, key: string, level: Level, more: Partial<RegisterRequest> = {}): number {
    return this.ask(id, { type: 'read', key, ...terms(level), ...more } as RegisterRequest);
  }

  /** The answer so far: a value, a failure's type and code, or null. */
  told(request: number): string | null {
    const outcome = this.answers.get(request);
    if (outcome === undefined) return null;
    if (outcome.type === 'NotApplied' || outcome.type === 'Unknown') return `${outcome.type}: ${outcome.code}`;
    if (outcome.type === 'written') return `written at ${outcome.level}`;
    if (outcome.type === 'range') return outcome.entries.map(({ key, value }) => `${key}=${text(value)}`).join(' ');
    return outcome.value === null ? 'absent' : text(outcome.value);
  }

  /** Asks, runs for a while, and tells. */
  later(request: number, us = 400 * MS): string | null {
    this.run(us);
    return this.told(request);
  }

  run(us: number): void {
    const untilUs = this.nowUs + us;
    for (;;) {
      this.deliver();
      const next = Math.min(...this.#alive().map((id) => this.replica(id).deadlineUs()));
      if (next > untilUs) break;
      this.#pass(Math.max(next, this.nowUs + 1) - this.nowUs);
      for (const id of this.#alive()) {
        if (this.replica(id).deadlineUs() <= this.nowUs) this.#step(id, { type: 'tick' });
      }
    }
    if (untilUs > this.nowUs) this.#pass(untilUs - this.nowUs);
  }

  /** Everything under way arrives, and what follows from it; disks answer. */
  deliver(): void {
    while (this.#flights.length > 0 || this.#sync()) {
      const flights = this.#flights;
      this.#flights = [];
      for (const flight of flights) this.#arrive(flight, false);
    }
  }

  release(): void {
    const kept = this.kept;
    this.kept = [];
    for (const flight of kept) this.#arrive(flight, true);
    this.deliver();
  }

  partition(a: readonly number[], b: readonly number[]): void {
    this.cut = (from, to) => (a.includes(from) && b.includes(to)) || (b.includes(from) && a.includes(to));
  }

  heal(): void {
    this.cut = () => false;
  }

  /** Each replica into its own bytes, and on from there. */
  reload(id: number): void {
    const member = this.member(id);
    const writer = new ByteWriter();
    member.replica.save(writer);
    member.replica = this.#newReplica(id, member);
    const reader = new ByteReader(writer.finish());
    member.replica.load(reader);
    reader.end();
  }

  #alive(): number[] {
    return this.ids.filter((id) => this.member(id).alive);
  }

  #pass(us: number): void {
    this.nowUs += us;
    for (const member of this.members.values()) member.wallMs += us / MS;
  }

  #step(id: number, event: Parameters<Registers['step']>[1]): void {
    const member = this.member(id);
    const now = { monotonicUs: this.nowUs, wallMs: Math.floor(member.wallMs) };
    member.replica.step(now, event);
  }

  #onEffect(id: number, member: Member, effect: RegisterEffect): void {
    switch (effect.type) {
      case 'send':
        if (effect.after > member.persisted) member.held.push(effect);
        else this.#flights.push({ from: id, directory: member.directory, send: effect });
        return;
      case 'persist':
        member.unsynced.push({ mark: effect.mark, record: effect.record });
        return;
      case 'answer':
        this.answers.set(effect.id, effect.outcome);
        return;
      default:
        effect satisfies never;
    }
  }

  #sync(): boolean {
    let any = false;
    for (const id of this.#alive()) {
      const member = this.member(id);
      const last = member.unsynced.at(-1);
      if (last === undefined || this.slow.has(id)) continue;
      any = true;
      member.log.push(...member.unsynced.map(({ record }) => record));
      member.unsynced = [];
      member.persisted = last.mark;
      for (const send of member.held) this.#flights.push({ from: id, directory: member.directory, send });
      member.held = [];
      this.#step(id, { type: 'persisted', mark: last.mark });
    }
    return any;
  }

  #arrive(flight: Flight, released: boolean): void {
    const { from, directory, send } = flight;
    const { to, addressee } = send;
    const writer = new ByteWriter();
    writeRegisterMessage(writer, send.message);
    const message = readRegisterMessage(new ByteReader(writer.finish()));
    if (!released && this.keep(from, to, message)) this.kept.push(flight);
    else if (this.member(to).alive && !this.cut(from, to, message)) {
      this.#step(to, { type: 'receive', from, directory, addressee, message });
    }
  }
}

function terms(level: Level) {
  return { level, degradeTo: null, timeoutUs: 300 * MS, token: null };
}
