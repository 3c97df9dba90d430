import { assert, defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { readEntry, writeEntry } from '../entry-codec.ts';
import type { Entry, Mark } from '../replica.ts';

/** What an entry takes in memory besides its command, about. */
const ENTRY_BYTES = 128;

/** The entries since compaction, in memory, each with the mark of the persist that makes it durable. */
export class RaftLog {
  /** The entry just before the first one kept: its index and term stay known. */
  #baseIndex = 0;
  #baseTerm = 0;
  #entries: Entry[] = [];
  #marks: Mark[] = [];
  #durableIndex = 0;

  get firstIndex(): number {
    return this.#baseIndex + 1;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#baseTerm;
  }

  /** Everything up to here survives a crash of this member. */
  get durableIndex(): number {
    return this.#durableIndex;
  }

  recover(index: number, term: number, entries: readonly Entry[]): void {
    this.reset(index, term);
    for (const entry of entries) {
      if (entry.index <= index) continue;
      assert(entry.index === this.lastIndex + 1, 'recovered entries leave no gap');
      this.append(entry, 0);
    }
    this.#durableIndex = this.lastIndex;
  }

  /** §7: a snapshot replaces the log, but for a suffix that follows its last entry. */
  reset(index: number, term: number): void {
    if (this.termAt(index) === term && index > this.#baseIndex) {
      this.compact(index);
      this.#durableIndex = Math.max(this.#durableIndex, index);
      return;
    }
    this.#baseIndex = index;
    this.#baseTerm = term;
    this.#entries = [];
    this.#marks = [];
    this.#durableIndex = index;
  }

  /** undefined: compacted away, or beyond the end. */
  termAt(index: number): number | undefined {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.#baseIndex - 1]?.term;
  }

  entryAt(index: number): Entry {
    return defined(this.#entries[index - this.#baseIndex - 1], 'the entry is in memory');
  }

  markAt(index: number): Mark {
    return defined(this.#marks[index - this.#baseIndex - 1], 'the entry is in memory');
  }

  append(entry: Entry, mark: Mark): void {
    assert(entry.index === this.lastIndex + 1, 'entries are appended without a gap');
    assert(entry.term >= this.lastTerm, 'terms never decrease along a log');
    this.#entries.push(entry);
    this.#marks.push(mark);
  }

  /** Removes `index` and everything after it; a late persist of what is removed then means nothing (PITFALLS R19). */
  truncateFrom(index: number): void {
    assert(index > this.#baseIndex && index <= this.lastIndex, 'only entries in memory are truncated');
    this.#entries.splice(index - this.#baseIndex - 1);
    this.#marks.splice(index - this.#baseIndex - 1);
    this.#durableIndex = Math.min(this.#durableIndex, index - 1);
  }

  onPersisted(mark: Mark): void {
    while (this.#durableIndex < this.lastIndex && this.markAt(this.#durableIndex + 1) <= mark) this.#durableIndex++;
  }

  compact(through: number): void {
    if (through <= this.#baseIndex) return;
    assert(through <= this.lastIndex, 'compaction stays within the log');
    this.#baseTerm = defined(this.termAt(through), 'the entry is in memory');
    this.#entries.splice(0, through - this.#baseIndex);
    this.#marks.splice(0, through - this.#baseIndex);
    this.#baseIndex = through;
    this.#durableIndex = Math.max(this.#durableIndex, through);
  }

  /** The entries behind it take at most so many bytes. */
  indexBefore(bytesMax: number): number {
    let bytes = 0;
    for (let index = this.lastIndex; index > this.#baseIndex; index--) {
      bytes += this.entryAt(index).command.length + ENTRY_BYTES;
      if (bytes > bytesMax) return index;
    }
    return this.#baseIndex;
  }

  /** Entries from `from` on, up to a number and a size; at least one, however large. */
  slice(from: number, countMax: number, bytesMax: number): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = from; index <= this.lastIndex && entries.length < countMax; index++) {
      const entry = this.entryAt(index);
      bytes += entry.command.length;
      if (entries.length > 0 && bytes > bytesMax) break;
      entries.push(entry);
    }
    return entries;
  }

  /**
   * §5.3: whether this log disagrees with a leader's entry (index, term), and what lets the leader skip a whole
   * term at a time. Below the first entry kept everything is committed, hence equal.
   */
  conflictAt(
    index: number,
    term: number,
    conflicts: (existing: number, other: number) => boolean,
  ): { readonly hintTerm: number; readonly hintIndex: number } | null {
    if (index < this.#baseIndex) return null;
    const existing = this.termAt(index);
    if (existing === undefined) return { hintTerm: 0, hintIndex: this.lastIndex + 1 };
    if (!conflicts(existing, term)) return null;
    assert(index > this.#baseIndex, 'the last compacted entry is committed, and never conflicts');
    return { hintTerm: existing, hintIndex: this.firstIndexOfTerm(index) };
  }

  /** The first index of the run of entries with the term of the one at `index`. */
  firstIndexOfTerm(index: number): number {
    const term = this.termAt(index);
    let first = index;
    while (first - 1 > this.#baseIndex && this.termAt(first - 1) === term) first--;
    return first;
  }

  /** The last index whose term is `term` and that is not above `below`; 0: there is none. */
  lastIndexOfTerm(term: number, below: number): number {
    for (let index = Math.min(below, this.lastIndex); index >= this.#baseIndex; index--) {
      const here = defined(this.termAt(index), 'the entry is in memory');
      if (here === term) return index;
      if (here < term) return 0;
    }
    return 0;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#baseIndex);
    writer.varint(this.#baseTerm);
    writer.varint(this.#durableIndex);
    writer.varint(this.#entries.length);
    this.#entries.forEach((entry, i) => {
      writeEntry(writer, entry);
      writer.varint(this.#marks[i] ?? 0);
    });
  }

  load(reader: ByteReader): void {
    this.#baseIndex = reader.varint();
    this.#baseTerm = reader.varint();
    this.#durableIndex = reader.varint();
    this.#entries = [];
    this.#marks = [];
    for (let left = reader.varint(); left > 0; left--) {
      this.#entries.push(readEntry(reader));
      this.#marks.push(reader.varint());
    }
  }
}
