/**
 * Fire and forget, as the contract says: frames are lost, delayed, reordered by their latencies, duplicated and
 * damaged; links can be cut one way. What happens to a frame depends on (seed, from, to, kind, how many of that
 * kind), never on other frames; so a change of the code elsewhere leaves it alone (PITFALLS D1).
 */
import { assert } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { scaled } from '../../base/random.ts';
import type { EventQueue } from './event-queue.ts';
import { checkLatency, type Latency, sampleUs } from './latency.ts';
import { CONCERN, type RandomStreams } from './random-streams.ts';

/** Integers only: chances are per million frames. */
export interface Weather {
  /** null: as when nothing is amiss. */
  readonly latency: Latency | null;
  readonly lossPerMillion: number;
  readonly duplicatePerMillion: number;
  /** Bits flip on the way. The wire's checksum must notice; what it lets through is delivered. */
  readonly corruptPerMillion: number;
  /** A frame that takes `spikeUs` longer: it arrives after many that were sent later. */
  readonly spikePerMillion: number;
  readonly spikeUs: number;
  /** Of each link, one way; 0 = without limit. */
  readonly bytesPerSecond: number;
}

/** Within one data centre. */
export const LOCAL_LATENCY: Latency = { type: 'uniform', minUs: 100, maxUs: 600 };

export const CALM: Weather = {
  latency: null,
  lossPerMillion: 0,
  duplicatePerMillion: 0,
  corruptPerMillion: 0,
  spikePerMillion: 0,
  spikeUs: 0,
  bytesPerSecond: 0,
};

export type FrameVerdict = 'deliver' | 'drop' | 'hold';
export type FrameFilter = (from: number, to: number, frame: Uint8Array) => FrameVerdict;

/** Something that happened to the nth frame of a kind on a link which calm weather would not have done. */
export interface FrameOverride {
  readonly from: number;
  readonly to: number;
  readonly kind: number;
  readonly nth: number;
  /** When each copy arrives, after it was sent; none: lost. */
  readonly delaysUs: readonly number[];
}

export interface NetworkOptions {
  readonly members: number;
  readonly queue: EventQueue;
  readonly random: RandomStreams;
  readonly kindOf: (frame: Uint8Array) => number;
  /** Damages a frame and reads it as a member would: null when the damage was noticed. */
  readonly damage: (frame: Uint8Array, word: number) => Uint8Array | null;
  /** Latency when nothing is amiss. */
  readonly calm: Latency;
}

export const FRAME_KINDS_MAX = 64;

interface HeldFrame {
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

export class SimulatedNetwork {
  readonly #members: number;
  readonly #queue: EventQueue;
  readonly #random: RandomStreams;
  readonly #options: NetworkOptions;
  #weather: Weather = CALM;
  readonly #blocked: Uint8Array;
  /** By stream: how many frames of that kind were sent on that link. */
  readonly #sentOfKind: Uint32Array;
  /** By link: when it has carried what was sent so far. */
  readonly #freeAtUs: Float64Array;
  #held: HeldFrame[] = [];
  #sent = 0;
  #lost = 0;
  #duplicated = 0;
  #damaged = 0;
  /** Set by a test, and not part of the saved state. */
  filter: FrameFilter | null = null;
  /** What happened beyond calm weather is written down here. Not part of the saved state. */
  record: FrameOverride[] | null = null;
  /** By stream and nth: what happens to a frame in a run that is played back. */
  #overrides: ReadonlyMap<string, readonly number[]> | null = null;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.#members = options.members;
    this.#queue = options.queue;
    this.#random = options.random;
    const links = (options.members + 1) * (options.members + 1);
    this.#blocked = new Uint8Array(links);
    this.#sentOfKind = new Uint32Array(links * FRAME_KINDS_MAX);
    this.#freeAtUs = new Float64Array(links);
  }

  /** What happened to frames so far; `lost` counts loss, cut links and damage that was noticed. */
  get counts(): { sent: number; lost: number; duplicated: number; damaged: number } {
    return { sent: this.#sent, lost: this.#lost, duplicated: this.#duplicated, damaged: this.#damaged };
  }

  setWeather(weather: Weather): void {
    if (weather.latency !== null) checkLatency(weather.latency);
    this.#weather = weather;
  }

  /** From now on the weather is calm but for these. */
  playBack(overrides: readonly FrameOverride[]): void {
    const byFrame = new Map<string, readonly number[]>();
    for (const { from, to, kind, nth, delaysUs } of overrides) {
      byFrame.set(`${this.#stream(this.#link(from, to), kind)}:${nth}`, delaysUs);
    }
    this.#overrides = byFrame;
  }

  block(from: number, to: number): void {
    this.#blocked[this.#link(from, to)] = 1;
  }

  unblock(from: number, to: number): void {
    this.#blocked[this.#link(from, to)] = 0;
  }

  unblockAll(): void {
    this.#blocked.fill(0);
  }

  isBlocked(from: number, to: number): boolean {
    return this.#blocked[this.#link(from, to)] === 1;
  }

  send(nowUs: number, from: number, to: number, frame: Uint8Array): void {
    assert(from !== to, 'a member does not send to itself');
    assert(to >= 1 && to <= this.#members, 'a frame goes to a member of the cluster');
    this.#sent++;
    const verdict = this.filter === null ? 'deliver' : this.filter(from, to, frame);
    if (verdict === 'drop') this.#lost++;
    // Copied: the sender may reuse its buffer.
    else if (verdict === 'hold') this.#held.push({ from, to, frame: frame.slice() });
    else this.#transmit(nowUs, from, to, frame.slice());
  }

  /** Frames that a filter held set out now, each `times` times. */
  releaseHeld(nowUs: number, times: number): number {
    const held = this.#held;
    this.#held = [];
    for (const { from, to, frame } of held) {
      for (let i = 0; i < times; i++) this.#transmit(nowUs, from, to, frame);
    }
    return held.length;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  save(writer: ByteWriter): void {
    writer.string(JSON.stringify(this.#weather));
    writer.bytes(this.#blocked);
    saveSparse(writer, this.#sentOfKind);
    saveSparse(writer, this.#freeAtUs);
    writer.varint(this.#held.length);
    for (const { from, to, frame } of this.#held) {
      writer.varint(from);
      writer.varint(to);
      writer.bytes(frame);
    }
    for (const count of [this.#sent, this.#lost, this.#duplicated, this.#damaged]) writer.varint(count);
  }

  load(reader: ByteReader): void {
    this.#weather = JSON.parse(reader.string());
    this.#blocked.set(reader.bytes());
    loadSparse(reader, this.#sentOfKind);
    loadSparse(reader, this.#freeAtUs);
    this.#held = [];
    for (let count = reader.varint(); count > 0; count--) {
      this.#held.push({ from: reader.varint(), to: reader.varint(), frame: reader.bytes() });
    }
    this.#sent = reader.varint();
    this.#lost = reader.varint();
    this.#duplicated = reader.varint();
    this.#damaged = reader.varint();
  }

  #transmit(nowUs: number, from: number, to: number, frame: Uint8Array): void {
    const link = this.#link(from, to);
    const kind = this.#options.kindOf(frame);
    assert(kind >= 0 && kind < FRAME_KINDS_MAX, 'a protocol has at most 64 kinds of frames');
    const stream = this.#stream(link, kind);
    const nth = this.#sentOfKind[stream] as number;
    this.#sentOfKind[stream] = nth + 1;
    if (this.#blocked[link] === 1) {
      this.#lost++;
      return;
    }
    const planned = this.#overrides === null ? undefined : this.#overrides.get(`${stream}:${nth}`);
    if (planned !== undefined) return this.#deliverPlanned(nowUs, from, to, frame, planned);
    const calmUs = sampleUs(this.#options.calm, from, to, this.#random.word(CONCERN.networkLatency, stream, nth));
    if (this.#overrides !== null) return this.#arrive(nowUs + calmUs, from, to, frame);
    const arrived = this.#happen(nowUs, from, to, frame, stream, nth);
    if (arrived.length === 1 && arrived[0] === calmUs) return;
    this.record?.push({ from, to, kind, nth, delaysUs: arrived });
  }

  #deliverPlanned(nowUs: number, from: number, to: number, frame: Uint8Array, delaysUs: readonly number[]): void {
    if (delaysUs.length === 0) this.#lost++;
    if (delaysUs.length > 1) this.#duplicated++;
    for (const delayUs of delaysUs) this.#arrive(nowUs + delayUs, from, to, frame);
  }

  /** The weather's doing; gives the delay of each copy that arrives. */
  #happen(nowUs: number, from: number, to: number, frame: Uint8Array, stream: number, nth: number): number[] {
    const weather = this.#weather;
    if (this.#chance(CONCERN.networkLoss, stream, nth, weather.lossPerMillion)) {
      this.#lost++;
      return [];
    }
    if (this.#chance(CONCERN.networkCorrupt, stream, nth, weather.corruptPerMillion)) {
      this.#damaged++;
      const damaged = this.#options.damage(frame, this.#random.word(CONCERN.networkCorrupt, stream, -1 - nth));
      if (damaged === null) {
        this.#lost++;
        return [];
      }
      const delayUs = this.#delayUs(nowUs, from, to, damaged, CONCERN.networkLatency, stream, nth);
      this.#arrive(nowUs + delayUs, from, to, damaged);
      return [delayUs];
    }
    const delaysUs = [this.#delayUs(nowUs, from, to, frame, CONCERN.networkLatency, stream, nth)];
    if (this.#chance(CONCERN.networkDuplicate, stream, nth, weather.duplicatePerMillion)) {
      this.#duplicated++;
      delaysUs.push(this.#delayUs(nowUs, from, to, frame, CONCERN.networkCopy, stream, nth));
    }
    for (const delayUs of delaysUs) this.#arrive(nowUs + delayUs, from, to, frame);
    return delaysUs;
  }

  #delayUs(
    nowUs: number,
    from: number,
    to: number,
    frame: Uint8Array,
    concern: number,
    stream: number,
    nth: number,
  ): number {
    const { latency, spikePerMillion, spikeUs, bytesPerSecond } = this.#weather;
    let delayUs = sampleUs(latency ?? this.#options.calm, from, to, this.#random.word(concern, stream, nth));
    if (this.#chance(CONCERN.networkSpike, stream, nth, spikePerMillion)) delayUs += spikeUs;
    if (bytesPerSecond === 0) return delayUs;
    const link = this.#link(from, to);
    const carriedUs = Math.ceil((frame.length * 1_000_000) / bytesPerSecond);
    const freeAtUs = Math.max(this.#freeAtUs[link] as number, nowUs) + carriedUs;
    this.#freeAtUs[link] = freeAtUs;
    return delayUs + freeAtUs - nowUs;
  }

  #arrive(atUs: number, from: number, to: number, frame: Uint8Array): void {
    this.#queue.push(atUs, { type: 'frame', from, member: to, frame });
  }

  #chance(concern: number, stream: number, nth: number, perMillion: number): boolean {
    return perMillion > 0 && scaled(this.#random.word(concern, stream, nth), 1_000_000) < perMillion;
  }

  #link(from: number, to: number): number {
    return from * (this.#members + 1) + to;
  }

  #stream(link: number, kind: number): number {
    return link * FRAME_KINDS_MAX + kind;
  }
}

function saveSparse(writer: ByteWriter, values: Uint32Array | Float64Array): void {
  let used = 0;
  for (const value of values) if (value !== 0) used++;
  writer.varint(used);
  for (const [i, value] of values.entries()) {
    if (value === 0) continue;
    writer.varint(i);
    writer.varint(value);
  }
}

function loadSparse(reader: ByteReader, values: Uint32Array | Float64Array): void {
  values.fill(0);
  for (let left = reader.varint(); left > 0; left--) {
    const i = reader.varint();
    values[i] = reader.varint();
  }
}
