/** What members have told clients, and whether it is kept; and how much happened. */
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { readList, writeList } from '../../consensus/entry-codec.ts';
import {
  compareTags,
  type HostStatus,
  type RegisterOutcome,
  type RegisterRequest,
  type Tag,
} from '../../registers/index.ts';
import { readTag, writeTag } from '../../registers/version.ts';

const COUNTED = [
  'unknown',
  'contended',
  'degraded',
  'hintsDelivered',
  'collected',
  'driftRefusals',
  'waits',
  'auditRepairs',
  'readRepairs',
  'superseded',
  'strong',
  'causal',
  'eventual',
  'weak',
] as const;

export type Counted = (typeof COUNTED)[number];

interface Promised {
  readonly key: string;
  readonly tag: Tag;
  /** Who alone holds it for sure: null: a majority. */
  readonly member: number | null;
}

export class RegistersInvariants {
  readonly #violated: (rule: string, sentence: string) => void;
  readonly #counts = new Map<Counted, number>(COUNTED.map((name) => [name, 0]));
  /** The highest tag of each key that was acknowledged, by who answers for it. */
  #promised = new Map<string, Promised>();
  /** By member: what its present life has counted. */
  #lives = new Map<number, Partial<Record<Counted, number>>>();

  constructor(violated: (rule: string, sentence: string) => void) {
    this.#violated = violated;
  }

  counts(): Record<Counted, number> {
    return Object.fromEntries(this.#counts) as Record<Counted, number>;
  }

  onAnswer(member: number, request: RegisterRequest, outcome: RegisterOutcome): void {
    switch (outcome.type) {
      case 'Unknown':
        return this.#count('unknown', 1);
      case 'NotApplied':
        return this.#count('contended', outcome.code === 'Contended' ? 1 : 0);
      case 'written':
        this.#count(outcome.level, 1);
        if (request.type === 'write' && outcome.level !== 'weak') this.#promise(member, request.key, outcome);
        return;
      case 'read':
      case 'range':
        return this.#count(outcome.level, 1);
      default:
        outcome satisfies never;
    }
  }

  #promise(member: number, key: string, { level, tag }: Extract<RegisterOutcome, { type: 'written' }>): void {
    const holder = level === 'strong' ? null : member;
    const name = `${holder ?? 0} ${key}`;
    const before = this.#promised.get(name);
    if (before === undefined || compareTags(before.tag, tag) < 0)
      this.#promised.set(name, { key, tag, member: holder });
  }

  onStatus(member: number, { counters, collected, superseded }: HostStatus): void {
    const { hintsDelivered, degraded, driftRefusals, waits, auditRepairs, readRepairs } = counters;
    const told = { hintsDelivered, degraded, driftRefusals, waits, auditRepairs, readRepairs, collected, superseded };
    const before = this.#lives.get(member) ?? {};
    for (const name of Object.keys(told) as (keyof typeof told)[]) this.#count(name, told[name] - (before[name] ?? 0));
    this.#lives.set(member, told);
  }

  onDied(member: number): void {
    this.#lives.delete(member);
  }

  /** What only this member was sure to hold went with its disk. */
  onDamaged(member: number): void {
    for (const [name, promise] of this.#promised) if (promise.member === member) this.#promised.delete(name);
  }

  /** Every member that runs has come to rest. */
  judge(members: readonly { readonly member: number; readonly tagOf: (key: string) => Tag | null }[]): void {
    for (const { key, tag, member: holder } of this.#promised.values()) {
      for (const { member, tagOf } of members) {
        if (compareTags(tagOf(key), tag) >= 0) continue;
        const who = holder === null ? 'a majority' : `member ${holder}`;
        this.#violated('Acknowledged', `a write of ${key} that ${who} acknowledged is not at member ${member}`);
      }
    }
  }

  #count(name: Counted, more: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + Math.max(0, more));
  }

  save(writer: ByteWriter): void {
    writer.string(JSON.stringify([[...this.#counts], [...this.#lives]]));
    writeList(writer, [...this.#promised], (to, [name, { key, tag, member }]) => {
      to.string(name);
      to.string(key);
      writeTag(to, tag);
      to.varint(member ?? 0);
    });
  }

  load(reader: ByteReader): void {
    const [counts, lives] = JSON.parse(reader.string());
    for (const [name, count] of counts) this.#counts.set(name, count);
    this.#lives = new Map(lives);
    this.#promised = new Map(
      readList(reader, (from) => {
        const name = from.string();
        const [key, tag, member] = [from.string(), readTag(from), from.varint()];
        return [name, { key, tag, member: member === 0 ? null : member }];
      }),
    );
  }
}
