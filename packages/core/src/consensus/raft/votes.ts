import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { Mark } from '../replica.ts';

/** The answers of one (pre-)election, by voter: a repeated answer counts once (PITFALLS R4). */
export class Votes {
  #granted = new Map<number, boolean>();
  /** The candidate's own vote counts once this is durable, like any other (PITFALLS R2). */
  #ownMark: Mark = 0;

  begin(): void {
    this.#granted = new Map();
    this.#ownMark = 0;
  }

  awaitOwn(mark: Mark): void {
    this.#ownMark = mark;
  }

  /** Whether the own vote became durable just now. */
  onPersisted(mark: Mark, self: number): boolean {
    if (this.#ownMark === 0 || mark < this.#ownMark || this.#granted.has(self)) return false;
    this.#granted.set(self, true);
    return true;
  }

  count(voter: number, granted: boolean): void {
    this.#granted.set(voter, granted);
  }

  isGrantedBy(voter: number): boolean {
    return this.#granted.get(voter) === true;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#ownMark);
    const byVoter = [...this.#granted].sort(([a], [b]) => a - b);
    writer.varint(byVoter.length);
    for (const [voter, granted] of byVoter) {
      writer.varint(voter);
      writer.bool(granted);
    }
  }

  load(reader: ByteReader): void {
    this.#ownMark = reader.varint();
    this.#granted = new Map();
    for (let left = reader.varint(); left > 0; left--) this.#granted.set(reader.varint(), reader.bool());
  }
}
