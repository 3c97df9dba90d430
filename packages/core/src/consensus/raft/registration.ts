import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { Effect, Mark } from '../replica.ts';

/**
 * Which directory each member is known by. A directory may vote only once `needed` *other* members have bound it
 * durably; two directories of one member would need overlapping majorities of the others, so at most one ever
 * votes, also before a first configuration could be replicated (PITFALLS R26).
 */
export class Registration {
  readonly needed: number;
  registered = false;
  #bound = new Map<number, number>();
  #acknowledged = new Set<number>();
  #recordMark: Mark = 0;

  constructor(members: number) {
    this.needed = members === 1 ? 0 : Math.floor((members - 1) / 2) + 1;
  }

  recover(bound: ReadonlyMap<number, number>, registered: boolean): void {
    this.#bound = new Map(bound);
    this.registered = registered;
  }

  directoryOf(member: number): number | undefined {
    return this.#bound.get(member);
  }

  bind(member: number, directory: number): void {
    this.#bound.set(member, directory);
  }

  onAcknowledged(peer: number): void {
    this.#acknowledged.add(peer);
  }

  isAcknowledgedBy(peer: number): boolean {
    return this.#acknowledged.has(peer);
  }

  /** Enough peers know this directory, and the log is not yet told so. */
  get shouldRecord(): boolean {
    return !this.registered && this.#recordMark === 0 && this.#acknowledged.size >= this.needed;
  }

  recordedBy(mark: Mark): void {
    this.#recordMark = mark;
  }

  onPersisted(mark: Mark): void {
    if (this.#recordMark > 0 && mark >= this.#recordMark) this.registered = true;
  }

  save(writer: ByteWriter): void {
    writer.bool(this.registered);
    writer.varint(this.#recordMark);
    writer.varint(this.#bound.size);
    for (const [member, directory] of this.#bound) {
      writer.varint(member);
      writer.varint(directory);
    }
    writer.varint(this.#acknowledged.size);
    for (const member of this.#acknowledged) writer.varint(member);
  }

  load(reader: ByteReader): void {
    this.registered = reader.bool();
    this.#recordMark = reader.varint();
    this.#bound = new Map();
    for (let left = reader.varint(); left > 0; left--) this.#bound.set(reader.varint(), reader.varint());
    this.#acknowledged = new Set();
    for (let left = reader.varint(); left > 0; left--) this.#acknowledged.add(reader.varint());
  }
}

/** A peer knows this member by another directory: it may not vote under the old name. */
export function directoryReplaced(member: number, directory: number, by: number): Effect<never> {
  const message =
    `member ${by} knows member ${member} by another data directory than ${directory}: a new directory may not vote ` +
    'under an old name. Restore the old directory, or start this member in a new cluster.';
  return { type: 'stop', code: 'DirectoryReplaced', message };
}
