/** What the members' states say of the past, gathered as the walk goes on: sets of facts, each set kept once. */
import { unreachable } from '../base/assert.ts';
import type { Entry } from '../consensus/replica.ts';
import { Interned } from './interned.ts';
import type { Fact, MemberView } from './system.ts';

export class Facts {
  readonly #sets = new Interned<readonly Fact[]>();
  readonly #joined = new Map<number, number>();
  readonly #entries = new Map<Entry, number>();

  constructor() {
    this.#sets.numberOf('', () => []);
  }

  at(set: number): readonly Fact[] {
    return this.#sets.at(set);
  }

  /** The set with what `view`, the local state of this number, adds to it; the empty set has the number 0. */
  with(set: number, local: number, view: MemberView): number {
    const key = local * 0x4000000 + set;
    const known = this.#joined.get(key);
    if (known !== undefined) return known;
    const facts = new Map(this.at(set).map((fact) => [this.#key(fact), fact]));
    for (const fact of factsOf(view)) {
      const earlier = facts.get(this.#key(fact));
      const first = earlier?.type === 'committed' && fact.type === 'committed' && earlier.term <= fact.term;
      if (!first) facts.set(this.#key(fact), fact);
    }
    const sorted = [...facts].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = sorted.map(([name, fact]) => (fact.type === 'committed' ? `${name} ${fact.term}` : name)).join(',');
    const joined = this.#sets.numberOf(text, () => sorted.map(([, fact]) => fact));
    this.#joined.set(key, joined);
    return joined;
  }

  #key(fact: Fact): string {
    switch (fact.type) {
      case 'led':
        return `led ${fact.term} ${fact.member}`;
      case 'committed':
      case 'applied':
        return `${fact.type} ${fact.index} ${this.#numberOf(fact.entry)}`;
      default:
        return unreachable(fact);
    }
  }

  /** Equal entries are the same object. */
  #numberOf(entry: Entry): number {
    const known = this.#entries.get(entry) ?? this.#entries.size;
    this.#entries.set(entry, known);
    return known;
  }
}

function factsOf({ member, status, log, applied }: MemberView): Fact[] {
  const { role, term, commitIndex } = status;
  const facts: Fact[] = role === 'leader' ? [{ type: 'led', term, member }] : [];
  for (const entry of log)
    if (entry.index <= commitIndex) facts.push({ type: 'committed', index: entry.index, entry, term });
  applied.forEach((entry, i) => facts.push({ type: 'applied', index: i + 1, entry }));
  return facts;
}
