/**
 * How members become equal: writes are pushed, and hinted until they are acknowledged; what a member missed it pulls,
 * page by page, from each peer's feed of changes; and a directory that is new binds its name and fetches everything.
 */
import { defined } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readVectorClock, VectorClock, writeVectorClock } from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { Mark } from '../consensus/replica.ts';
import type { Desk, Sequel } from './desk.ts';
import type { Cursor, RegisterMessage } from './message.ts';
import type { Collected, RegisterRecord } from './record.ts';
import { covers, includes, readTag, readVersion, type Version, writeTag, writeVersion } from './version.ts';

const NOWHERE: Cursor = { life: 0, at: 0 };
/** Hints sent to one peer at one time. */
const HINTS_AT_ONCE = 16;
/** Feeds of one boot that may be numbered anew. */
const EPOCHS = 2 ** 20;

interface Peer {
  /** It knows this directory. */
  bound: boolean;
  /** This directory has everything that the peer had when it was bound. */
  fetched: boolean;
  /** The peer takes part in majorities. */
  joined: boolean;
  cursor: Cursor;
  /** What it has seen, by its own last word; null: nothing heard from this directory. */
  seen: VectorClock | null;
  heardUs: number;
  /** When this member had last seen all that the peer had. */
  evenUs: number;
  nextPullUs: number;
}

interface Hint {
  readonly version: Version;
  tries: number;
}

export type Perform = (record: RegisterRecord, sequel: Sequel) => void;

export class Exchange {
  readonly #desk: Desk;
  readonly #perform: Perform;
  #peers: Map<number, Peer>;
  #hints = new Map<number, Hint[]>();
  #nextHintsUs = 0;
  #joining = false;
  /** Tombstones that every member has, and what all must have seen before they go. */
  #leaving: { readonly tombstones: readonly Collected[]; readonly target: VectorClock } | null = null;

  constructor(desk: Desk, perform: Perform) {
    this.#desk = desk;
    this.#perform = perform;
    this.#peers = new Map(desk.peers.map((id) => [id, newPeer()]));
  }

  get hintBacklog(): number {
    let backlog = 0;
    for (const hints of this.#hints.values()) backlog += hints.length;
    return backlog;
  }

  /** Each peer knows this directory. */
  get boundEverywhere(): boolean {
    return [...this.#peers.values()].every(({ bound }) => bound);
  }

  /** Members that nothing was heard of lately: tombstones stay until they are back (PITFALLS G12). */
  away(): number[] {
    const { now, timing } = this.#desk;
    return this.#desk.peers.filter((id) => this.#peer(id).heardUs + timing.awayUs <= now.monotonicUs);
  }

  seenBy(peer: number): VectorClock | null {
    return this.#peer(peer).seen;
  }

  /** Every write older than this has been seen here; null: nobody knows. */
  stalenessMs(): number | null {
    let oldestUs = this.#desk.now.monotonicUs;
    for (const { evenUs } of this.#peers.values()) {
      if (evenUs < 0) return null;
      oldestUs = Math.min(oldestUs, evenUs);
    }
    return Math.ceil((this.#desk.now.monotonicUs - oldestUs) / 1_000);
  }

  deadlineUs(): number {
    let next = this.hintBacklog > 0 ? this.#nextHintsUs : Number.POSITIVE_INFINITY;
    for (const { nextPullUs } of this.#peers.values()) next = Math.min(next, nextPullUs);
    return next;
  }

  tick(): void {
    const { now, timing, rules } = this.#desk;
    this.#maybeJoin();
    for (const [id, peer] of this.#peers) {
      if (peer.nextPullUs > now.monotonicUs) continue;
      peer.nextPullUs = now.monotonicUs + timing.exchangeUs;
      if (!peer.bound) this.#desk.send(id, { type: 'join' });
      if (rules.exchanges || !peer.fetched) this.#pull(id, peer);
    }
    this.#collect();
    if (this.hintBacklog > 0 && this.#nextHintsUs <= now.monotonicUs) this.#sendHints();
  }

  // ── writes that spread ────────────────────────────────────────────────────────────────────────────────────

  spread(version: Version, after: Mark): void {
    for (const peer of this.#desk.peers) this.#desk.send(peer, { type: 'push', version }, after);
  }

  /** The version is durable here: it is pushed again until every peer has acknowledged it. */
  remember(version: Version): void {
    if (this.#desk.rules.exchanges) for (const peer of this.#desk.peers) this.#hint(peer, version);
  }

  #hint(peer: number, version: Version): void {
    const hints = this.#hints.get(peer) ?? [];
    this.#hints.set(peer, hints);
    if (this.hintBacklog === 0) this.#nextHintsUs = this.#desk.now.monotonicUs + this.#desk.timing.retryUs;
    hints.push({ version, tries: 0 });
    if (hints.length <= this.#desk.limits.hints) return;
    hints.shift();
    this.#desk.counters.hintsDropped++;
  }

  #sendHints(): void {
    this.#nextHintsUs = this.#desk.now.monotonicUs + this.#desk.timing.retryUs;
    for (const [peer, hints] of this.#hints) {
      for (const hint of hints.slice(0, HINTS_AT_ONCE)) {
        hint.tries++;
        this.#desk.send(peer, { type: 'push', version: hint.version });
      }
    }
  }

  onPush(from: number, version: Version): void {
    if (version.dot === null) return;
    this.#desk.hearTag(version.tag);
    if (this.#desk.store.knows(version)) return this.acknowledge(from, version);
    this.#desk.persist(
      { type: 'install', versions: [version], vector: null },
      { type: 'pushed', to: from },
      this.#perform,
    );
  }

  acknowledge(to: number, { dot }: Version): void {
    if (dot !== null) this.#desk.send(to, { type: 'pushed', ...dot });
  }

  onPushed(from: number, origin: string, sequence: number): void {
    this.#dropHints(from, ({ version: { dot } }) => dot?.origin === origin && dot.sequence === sequence);
  }

  #dropHints(peer: number, delivered: (hint: Hint) => boolean): void {
    const hints = this.#hints.get(peer);
    if (hints === undefined || hints.length === 0) return;
    const left = hints.filter((hint) => !delivered(hint));
    for (const hint of hints) if (hint.tries > 0 && delivered(hint)) this.#desk.counters.hintsDelivered++;
    this.#hints.set(peer, left);
  }

  // ── pulling ───────────────────────────────────────────────────────────────────────────────────────────────

  #pull(id: number, { cursor }: Peer): void {
    const { store, now } = this.#desk;
    this.#desk.send(id, { type: 'pull', seen: store.vector, cursor, wallMs: now.wallMs, joined: store.joined });
  }

  onPull(from: number, { seen, cursor, wallMs, joined }: Extract<RegisterMessage, { type: 'pull' }>): void {
    const { store, limits, now } = this.#desk;
    const peer = this.#heard(from);
    peer.seen = seen;
    peer.joined = joined;
    this.#dropHints(from, ({ version: { dot } }) => dot !== null && covers(seen, dot));
    const life = this.#desk.boot * EPOCHS + store.feedEpoch;
    const page = store.page(cursor.life === life ? cursor.at : 0, seen, limits.pageVersions);
    this.#desk.send(from, {
      type: 'delta',
      from: cursor,
      next: { life, at: page.next },
      versions: page.versions,
      vector: page.last ? store.vector : null,
      collected: store.collectedThrough,
      joined: store.joined,
      askedMs: wallMs,
      wallMs: now.wallMs,
    });
  }

  onDelta(from: number, delta: Extract<RegisterMessage, { type: 'delta' }>): void {
    const { store, now } = this.#desk;
    const peer = this.#heard(from);
    peer.joined = delta.joined;
    this.#desk.hearWall(from, delta.askedMs, delta.wallMs);
    if (peer.cursor.life !== delta.from.life || peer.cursor.at !== delta.from.at) return;
    peer.cursor = delta.next;
    const news = delta.versions.filter((version) => !store.knows(version));
    for (const { tag } of news) this.#desk.hearTag(tag);
    store.hearCollected(delta.collected);
    const vector = delta.vector === null || includes(store.vector, delta.vector) ? null : delta.vector;
    if (news.length > 0 || vector !== null) {
      this.#desk.persist({ type: 'install', versions: news, vector }, { type: 'nothing' }, this.#perform);
    }
    if (delta.vector === null) return this.#pull(from, peer);
    peer.evenUs = now.monotonicUs;
    if (peer.bound) peer.fetched = true;
    this.#maybeJoin();
  }

  #heard(id: number): Peer {
    const peer = this.#peer(id);
    peer.heardUs = this.#desk.now.monotonicUs;
    return peer;
  }

  #peer(id: number): Peer {
    return defined(this.#peers.get(id), 'a peer is configured');
  }

  // ── directories ───────────────────────────────────────────────────────────────────────────────────────────

  /** A directory that is known to be gone stays gone, however late its frames arrive. */
  onJoin(from: number, directory: number): void {
    const { store } = this.#desk;
    if (store.binding(from) === directory) return this.welcome(from);
    this.#desk.persist({ type: 'bind', member: from, directory }, { type: 'bound', to: from }, this.#perform);
  }

  /** The binding is durable. */
  onBound(to: number): void {
    // What the earlier directory knew, and had seen, this one does not.
    this.#peers.set(to, newPeer());
    this.#leaving = null;
    this.welcome(to);
  }

  welcome(to: number): void {
    this.#desk.send(to, { type: 'bound', joined: this.#desk.store.joined });
  }

  onWelcome(from: number, joined: boolean): void {
    const peer = this.#heard(from);
    peer.joined = joined;
    if (peer.bound) return;
    peer.bound = true;
    // Everything that it has now, from the beginning.
    peer.cursor = NOWHERE;
    if (this.#desk.store.binding(from) !== 0) this.#pull(from, peer);
  }

  /**
   * A version that was promised with this member's earlier directory lies with ⌊n/2⌋ others; so many of them have been
   * asked that one of these is among them. Who has never joined may have forgotten: then all are needed.
   */
  #maybeJoin(): void {
    const { store, members, majority, rules, peers } = this.#desk;
    if (store.joined || this.#joining) return;
    const fetched = [...this.#peers.values()].filter((peer) => peer.fetched);
    const enough = fetched.filter((peer) => peer.joined).length >= members.length - majority + 1;
    if (rules.joinsFirst && !enough && fetched.length < peers.length) return;
    this.#desk.persist({ type: 'joined' }, { type: 'nothing' }, this.#perform);
    this.#joining = true;
  }

  // ── the stable cut ────────────────────────────────────────────────────────────────────────────────────────

  /** What every configured member has seen, by their own words; null: some have not said. */
  #cut(): { least: VectorClock; most: VectorClock } | null {
    const vectors = [this.#desk.store.vector];
    for (const { seen, joined } of this.#peers.values()) {
      if (seen === null || !joined) return null;
      vectors.push(seen);
    }
    const most = vectors.reduce((all, vector) => all.merge(vector));
    const counts = most.entries().map(([origin]) => [origin, Math.min(...vectors.map((v) => v.get(origin)))] as const);
    return { least: VectorClock.from(counts.filter(([, count]) => count > 0)), most };
  }

  /**
   * A tombstone goes in two steps (PITFALLS G8, G13). Once every member has it, nobody writes or passes on what it
   * replaced; once every member has seen, besides, all that any had seen by then, nothing of that can still arrive.
   */
  #collect(): void {
    const { store, rules } = this.#desk;
    if (!rules.collectsOnStableCut) return this.#drop(store.tombstones(store.vector));
    if (!store.joined) return;
    const cut = this.#cut();
    if (cut === null) return;
    if (this.#leaving === null) {
      const tombstones = store.tombstones(cut.least);
      if (tombstones.length > 0) this.#leaving = { tombstones, target: cut.most };
    } else if (includes(cut.least, this.#leaving.target)) {
      const { tombstones } = this.#leaving;
      this.#leaving = null;
      this.#drop(tombstones);
    }
  }

  #drop(tombstones: readonly Collected[]): void {
    if (tombstones.length > 0) this.#desk.persist({ type: 'collect', tombstones }, { type: 'nothing' }, this.#perform);
  }

  save(writer: ByteWriter): void {
    writeList(writer, [...this.#peers], (to, [id, { seen, ...peer }]) => {
      to.varint(id);
      to.string(JSON.stringify(peer));
      to.bool(seen !== null);
      if (seen !== null) writeVectorClock(to, seen);
    });
    writeList(writer, [...this.#hints], (to, [peer, hints]) => {
      to.varint(peer);
      writeList(to, hints, (each, { version, tries }) => {
        writeVersion(each, version);
        each.varint(tries);
      });
    });
    writer.varint(this.#nextHintsUs);
    writer.bool(this.#joining);
    writer.bool(this.#leaving !== null);
    if (this.#leaving === null) return;
    writeVectorClock(writer, this.#leaving.target);
    writeList(writer, this.#leaving.tombstones, (to, { key, tag }) => {
      to.string(key);
      writeTag(to, tag);
    });
  }

  load(reader: ByteReader): void {
    this.#peers = new Map(
      readList(reader, (from) => {
        const id = from.varint();
        const peer = JSON.parse(from.string());
        return [id, { ...peer, seen: from.bool() ? readVectorClock(from) : null }];
      }),
    );
    this.#hints = new Map(
      readList(reader, (from) => [
        from.varint(),
        readList(from, (each) => ({ version: readVersion(each), tries: each.varint() })),
      ]),
    );
    this.#nextHintsUs = reader.varint();
    this.#joining = reader.bool();
    this.#leaving = null;
    if (!reader.bool()) return;
    const target = readVectorClock(reader);
    this.#leaving = { target, tombstones: readList(reader, (from) => ({ key: from.string(), tag: readTag(from) })) };
  }
}

function newPeer(): Peer {
  return {
    bound: false,
    fetched: false,
    joined: false,
    cursor: NOWHERE,
    seen: null,
    heardUs: 0,
    evenUs: -1,
    nextPullUs: 0,
  };
}
