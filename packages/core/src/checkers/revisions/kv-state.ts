import { compareBytes, utf8 } from '../../base/bytes.ts';
import { canonical } from '../history.ts';
import type {
  CompareAsked,
  DeleteRangeAsked,
  KeySeen,
  KvAnswered,
  KvAsked,
  PutAsked,
  RangeAsked,
  TxnAsked,
} from './kv-operation.ts';

interface Version {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

type Keys = ReadonlyMap<string, Version>;

/** The end of a range that has none. */
const NO_END = '\u0000';

/** A store with revisions after some of them; a value: carrying out a request gives another one. */
export class KvState {
  readonly revision: number;
  readonly #keys: Keys;
  readonly #before: KvState | null;

  constructor(revision: number, keys: Keys = new Map(), before: KvState | null = null) {
    this.revision = revision;
    this.#keys = keys;
    this.#before = before;
  }

  /** What the request answers and leaves behind; the revision rises by one if anything changed. */
  apply(asked: KvAsked): { state: KvState; answer: KvAnswered; changed: boolean } {
    const keys = new Map(this.#keys);
    const run = new Execution(keys, this.#keys, this.revision + 1, (revision) => this.#keysAt(revision));
    const answer = run.execute(asked);
    if (!run.changed) return { state: this, answer: { ...answer, revision: this.revision }, changed: false };
    const state = new KvState(this.revision + 1, keys, this);
    return { state, answer: { ...answer, revision: state.revision }, changed: true };
  }

  /** What is known of a key. */
  seen(key: string): KeySeen | undefined {
    return this.#keys.get(key);
  }

  #keysAt(revision: number): Keys {
    if (this.revision <= revision) return this.#keys;
    let before = this.#before;
    while (before !== null && before.revision > revision) before = before.#before;
    // Before the history began there is nothing to compare with.
    return before === null ? new Map() : before.#keys;
  }

  /** Equal for equal states. */
  get identity(): string {
    return canonical([this.revision, [...this.#keys.values()].sort((a, b) => compareKeys(a.key, b.key))]);
  }
}

class Execution {
  changed = false;
  readonly #keys: Map<string, Version>;
  /** As before the whole request: every compare sees that, also a nested one. */
  readonly #before: Keys;
  readonly #revision: number;
  readonly #at: (revision: number) => Keys;

  constructor(keys: Map<string, Version>, before: Keys, revision: number, at: (revision: number) => Keys) {
    this.#keys = keys;
    this.#before = before;
    this.#revision = revision;
    this.#at = at;
  }

  execute(asked: KvAsked): KvAnswered {
    switch (asked.f) {
      case 'put':
        return this.#put(asked);
      case 'range':
        return this.#range(asked);
      case 'deleteRange':
        return this.#deleteRange(asked);
      case 'txn':
        return this.#txn(asked);
    }
  }

  #put({ key, value }: PutAsked): KvAnswered {
    const before = this.#keys.get(key);
    const createRevision = before?.createRevision ?? this.#revision;
    const version = (before?.version ?? 0) + 1;
    this.#keys.set(key, { key, value, createRevision, modRevision: this.#revision, version });
    this.changed = true;
    return {};
  }

  #range({ key, end, revision, limit, countOnly, keysOnly }: RangeAsked): KvAnswered {
    const now = revision === undefined || revision <= 0 || revision >= this.#revision;
    const found = within(now ? this.#keys : this.#at(revision), key, end);
    if (countOnly === true) return { kvs: [], count: found.length };
    const cut = limit === undefined || limit <= 0 ? found : found.slice(0, limit);
    return { kvs: keysOnly === true ? cut.map(withoutValue) : cut, count: found.length };
  }

  #deleteRange({ key, end }: DeleteRangeAsked): KvAnswered {
    const found = within(this.#keys, key, end);
    for (const each of found) this.#keys.delete(each.key);
    if (found.length > 0) this.changed = true;
    return { deleted: found.length };
  }

  #txn({ compare, success, failure }: TxnAsked): KvAnswered {
    const succeeded = compare.every((each) => holds(each, this.#before.get(each.key)));
    const responses = (succeeded ? success : failure).map((each) => this.execute(each));
    return { succeeded, responses };
  }
}

function withoutValue({ key, createRevision, modRevision, version }: Version): KeySeen {
  return { key, createRevision, modRevision, version };
}

function within(keys: Keys, key: string, end: string | undefined): readonly Version[] {
  if (end === undefined) {
    const only = keys.get(key);
    return only === undefined ? [] : [only];
  }
  const inside = [...keys.values()].filter((each) => {
    return compareKeys(each.key, key) >= 0 && (end === NO_END || compareKeys(each.key, end) < 0);
  });
  return inside.sort((a, b) => compareKeys(a.key, b.key));
}

function holds({ target, result, operand }: CompareAsked, present: Version | undefined): boolean {
  if (target === 'value' && present === undefined) return false;
  const order =
    target === 'value' ? compareKeys(present?.value ?? '', String(operand)) : number(target, present) - Number(operand);
  switch (result) {
    case 'equal':
      return order === 0;
    case 'notEqual':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
  }
}

function number(target: 'version' | 'create' | 'mod', present: Version | undefined): number {
  switch (target) {
    case 'version':
      return present?.version ?? 0;
    case 'create':
      return present?.createRevision ?? 0;
    case 'mod':
      return present?.modRevision ?? 0;
  }
}

function compareKeys(a: string, b: string): number {
  return compareBytes(utf8(a), utf8(b));
}

/** Whether what was answered is what should have been; what the answer leaves out is not asked for. */
export function fits(answered: KvAnswered, right: KvAnswered): boolean {
  for (const name of ['revision', 'count', 'deleted', 'succeeded'] as const) {
    if (answered[name] !== undefined && right[name] !== undefined && answered[name] !== right[name]) return false;
  }
  return listsFit(answered.kvs, right.kvs, keyFits) && listsFit(answered.responses, right.responses, fits);
}

export function keyFits(seen: KeySeen, right: KeySeen): boolean {
  for (const name of ['key', 'value', 'createRevision', 'modRevision', 'version'] as const) {
    if (seen[name] !== undefined && right[name] !== undefined && seen[name] !== right[name]) return false;
  }
  return true;
}

function listsFit<Item>(
  seen: readonly Item[] | undefined,
  right: readonly Item[] | undefined,
  fit: (a: Item, b: Item) => boolean,
): boolean {
  if (seen === undefined || right === undefined) return true;
  return seen.length === right.length && seen.every((each, i) => fit(each, right[i] as Item));
}
