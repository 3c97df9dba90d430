import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { LogRecord, Mark } from '../replica.ts';
import type { RaftMessage } from './message.ts';

/** What members that may vote say to each other. */
export type ElectorateMessage = Exclude<RaftMessage, { type: 'register' | 'registered' | 'refused' | 'removed' }>;

/**
 * Which directory each of the cluster's first members is known by; later ones come with theirs. A directory may vote only once `needed` *other* members have bound it
 * durably; two directories of one member would need overlapping majorities of the others, so at most one ever
 * votes, also before a first configuration could be replicated (PITFALLS R26).
 */
export class Registration {
  readonly needed: number;
  readonly #directory: number;
  readonly #peers: readonly number[];
  readonly #send: (to: number, message: RaftMessage, after?: Mark) => void;
  readonly #persist: (record: LogRecord) => Mark;
  readonly #onRefused: () => void;
  registered = false;
  #bound = new Map<number, number>();
  #acknowledged = new Set<number>();
  #recordMark: Mark = 0;
  #bindMark: Mark = 0;

  constructor(options: {
    readonly directory: number;
    readonly peers: readonly number[];
    readonly send: (to: number, message: RaftMessage, after?: Mark) => void;
    readonly persist: (record: LogRecord) => Mark;
    readonly onRefused: () => void;
  }) {
    this.#directory = options.directory;
    this.#peers = options.peers;
    this.#send = options.send;
    this.#persist = options.persist;
    this.#onRefused = options.onRefused;
    this.needed = this.#peers.length === 0 ? 0 : Math.floor(this.#peers.length / 2) + 1;
  }

  recover(bound: ReadonlyMap<number, number>, registered: boolean): void {
    this.#bound = new Map(bound);
    this.registered = registered;
  }

  /** Asks the peers that have not answered yet; until enough have, this is all that a member says. */
  announce(isMember: (peer: number) => boolean): void {
    for (const peer of this.#peers) {
      if (!this.#acknowledged.has(peer) && isMember(peer)) this.#send(peer, { type: 'register' });
    }
    if (this.registered || this.#recordMark !== 0 || this.#acknowledged.size < this.needed) return;
    this.#recordMark = this.#persist({ type: 'registered' });
  }

  /** Some peer has not answered yet, or the own record is to be written. */
  isAsking(isMember: (peer: number) => boolean): boolean {
    if (this.#peers.length === 0) return !this.registered;
    return this.#peers.some((peer) => !this.#acknowledged.has(peer) && isMember(peer));
  }

  /** Handles what is registration's own; returns what the rest of the replica may believe. */
  admit(from: number, directory: number, message: RaftMessage): ElectorateMessage | null {
    const bound = this.#bound.get(from);
    if (bound !== undefined && bound !== directory) {
      if (message.type === 'register') this.#send(from, { type: 'refused', directory });
      return null;
    }
    switch (message.type) {
      case 'register':
        // One that was added later is known by its configuration.
        if (!this.#peers.includes(from)) return null;
        if (bound === undefined) this.#bind(from, directory);
        this.#send(from, { type: 'registered', directory }, this.#bindMark);
        return null;
      case 'registered':
        if (message.directory === this.#directory) this.#acknowledged.add(from);
        return null;
      case 'refused':
        if (message.directory === this.#directory) this.#onRefused();
        return null;
      case 'removed':
        return null;
      default:
        return this.registered ? message : null;
    }
  }

  #bind(member: number, directory: number): void {
    this.#bound.set(member, directory);
    this.#bindMark = this.#persist({ type: 'directory', member, directory });
  }

  onPersisted(mark: Mark): void {
    if (this.#recordMark > 0 && mark >= this.#recordMark) this.registered = true;
  }

  save(writer: ByteWriter): void {
    writer.bool(this.registered);
    writer.varint(this.#recordMark);
    writer.varint(this.#bindMark);
    writer.varint(this.#bound.size);
    for (const [member, directory] of [...this.#bound].sort(([a], [b]) => a - b)) {
      writer.varint(member);
      writer.varint(directory);
    }
    writer.varint(this.#acknowledged.size);
    for (const member of [...this.#acknowledged].sort((a, b) => a - b)) writer.varint(member);
  }

  load(reader: ByteReader): void {
    this.registered = reader.bool();
    this.#recordMark = reader.varint();
    this.#bindMark = reader.varint();
    this.#bound = new Map();
    for (let left = reader.varint(); left > 0; left--) this.#bound.set(reader.varint(), reader.varint());
    this.#acknowledged = new Set();
    for (let left = reader.varint(); left > 0; left--) this.#acknowledged.add(reader.varint());
  }
}
