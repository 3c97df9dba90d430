import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { EventQueue } from './event-queue.ts';
import { CONCERN, type RandomStreams } from './random-streams.ts';

/** Integers only: chances are per million frames. */
export interface NetworkWeather {
  readonly minLatencyUs: number;
  readonly maxLatencyUs: number;
  readonly lossPerMillion: number;
  readonly duplicatePerMillion: number;
  /** A frame that takes `spikeUs` longer: it arrives after many that were sent later. */
  readonly spikePerMillion: number;
  readonly spikeUs: number;
}

export const CALM: NetworkWeather = {
  minLatencyUs: 100,
  maxLatencyUs: 600,
  lossPerMillion: 0,
  duplicatePerMillion: 0,
  spikePerMillion: 0,
  spikeUs: 0,
};

export type FrameVerdict = 'deliver' | 'drop' | 'hold';
export type FrameFilter = (from: number, to: number, frame: Uint8Array) => FrameVerdict;

interface HeldFrame {
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

/** Fire and forget, as the contract says: loses, delays, reorders by latency, duplicates; links can be cut one way. */
export class SimulatedNetwork {
  readonly #members: number;
  readonly #queue: EventQueue;
  readonly #random: RandomStreams;
  #weather: NetworkWeather = CALM;
  #blocked = new Set<number>();
  #held: HeldFrame[] = [];
  #sent = 0;
  #lost = 0;
  #duplicated = 0;
  /** Set by a test, and not part of the saved state. */
  filter: FrameFilter | null = null;

  constructor(members: number, queue: EventQueue, random: RandomStreams) {
    this.#members = members;
    this.#queue = queue;
    this.#random = random;
  }

  /** What happened to frames so far; `lost` counts loss and cut links. */
  get counts(): { sent: number; lost: number; duplicated: number } {
    return { sent: this.#sent, lost: this.#lost, duplicated: this.#duplicated };
  }

  setWeather(weather: NetworkWeather): void {
    assert(weather.maxLatencyUs >= weather.minLatencyUs, 'a latency range must not be empty');
    this.#weather = weather;
  }

  block(from: number, to: number): void {
    this.#blocked.add(this.#link(from, to));
  }

  unblock(from: number, to: number): void {
    this.#blocked.delete(this.#link(from, to));
  }

  unblockAll(): void {
    this.#blocked.clear();
  }

  isBlocked(from: number, to: number): boolean {
    return this.#blocked.has(this.#link(from, to));
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
    saveWeather(writer, this.#weather);
    writer.varint(this.#blocked.size);
    for (const link of [...this.#blocked].sort((a, b) => a - b)) writer.varint(link);
    writer.varint(this.#held.length);
    for (const { from, to, frame } of this.#held) {
      writer.varint(from);
      writer.varint(to);
      writer.bytes(frame);
    }
    for (const count of [this.#sent, this.#lost, this.#duplicated]) writer.varint(count);
  }

  load(reader: ByteReader): void {
    this.#weather = loadWeather(reader);
    this.#blocked = new Set();
    for (let count = reader.varint(); count > 0; count--) this.#blocked.add(reader.varint());
    this.#held = [];
    for (let count = reader.varint(); count > 0; count--) {
      this.#held.push({ from: reader.varint(), to: reader.varint(), frame: reader.bytes() });
    }
    this.#sent = reader.varint();
    this.#lost = reader.varint();
    this.#duplicated = reader.varint();
  }

  #transmit(nowUs: number, from: number, to: number, frame: Uint8Array): void {
    const link = this.#link(from, to);
    const lost = this.#happens(CONCERN.networkLoss, link, this.#weather.lossPerMillion);
    if (lost || this.#blocked.has(link)) {
      this.#lost++;
      return;
    }
    this.#deliver(nowUs, link, from, to, frame);
    if (this.#happens(CONCERN.networkDuplicate, link, this.#weather.duplicatePerMillion)) {
      this.#duplicated++;
      this.#deliver(nowUs, link, from, to, frame);
    }
  }

  #deliver(nowUs: number, link: number, from: number, to: number, frame: Uint8Array): void {
    const { minLatencyUs, maxLatencyUs, spikePerMillion, spikeUs } = this.#weather;
    let latencyUs = minLatencyUs + this.#random.below(CONCERN.networkLatency, link, maxLatencyUs - minLatencyUs + 1);
    if (this.#happens(CONCERN.networkSpike, link, spikePerMillion)) latencyUs += spikeUs;
    this.#queue.push(nowUs + latencyUs, { type: 'frame', from, member: to, frame });
  }

  #happens(concern: number, link: number, perMillion: number): boolean {
    return perMillion > 0 && this.#random.below(concern, link, 1_000_000) < perMillion;
  }

  #link(from: number, to: number): number {
    return from * (this.#members + 1) + to;
  }
}

function saveWeather(writer: ByteWriter, weather: NetworkWeather): void {
  writer.varint(weather.minLatencyUs);
  writer.varint(weather.maxLatencyUs);
  writer.varint(weather.lossPerMillion);
  writer.varint(weather.duplicatePerMillion);
  writer.varint(weather.spikePerMillion);
  writer.varint(weather.spikeUs);
}

function loadWeather(reader: ByteReader): NetworkWeather {
  return {
    minLatencyUs: reader.varint(),
    maxLatencyUs: reader.varint(),
    lossPerMillion: reader.varint(),
    duplicatePerMillion: reader.varint(),
    spikePerMillion: reader.varint(),
    spikeUs: reader.varint(),
  };
}
