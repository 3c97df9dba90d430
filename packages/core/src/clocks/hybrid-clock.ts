/**
 * The hybrid logical clock of Kulkarni, Demirbas, Madappa, Avva and Leone ("Logical Physical Clocks", 2014, figure 5):
 * close to physical time, and after everything that was heard of. Physical time is passed in and never read.
 *
 * One wrong clock must not carry the whole cluster into the future (PITFALLS G10): whatever would put this clock more
 * than its bound ahead of its own physical time is refused and counted, when it is received and when it would be sent.
 */
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';

/** Milliseconds in 48 bits (until the year 10889) and a counter in 16. Ordered by the first, then by the second. */
export interface HybridTime {
  readonly physicalMs: number;
  readonly logical: number;
}

export const MAX_PHYSICAL_MS: number = 2 ** 48 - 1;
export const MAX_LOGICAL: number = 2 ** 16 - 1;

export const HYBRID_TIME_ZERO: HybridTime = { physicalMs: 0, logical: 0 };

export interface HybridClockOptions {
  /** How far this clock may be ahead of the physical time that it is given. */
  readonly maxDriftMs: number;
}

/** A reading that was refused: the clock is as it was. `aheadMs` is how far ahead of physical time it would have been. */
export interface DriftRefusal {
  readonly type: 'drift';
  readonly aheadMs: number;
  readonly maxDriftMs: number;
}

export type HybridReading = { readonly type: 'time'; readonly time: HybridTime } | DriftRefusal;

export class HybridClock {
  readonly #maxDriftMs: number;
  #last: HybridTime = HYBRID_TIME_ZERO;
  #refusedSends = 0;
  #refusedReceives = 0;

  constructor(options: HybridClockOptions) {
    assert(
      Number.isSafeInteger(options.maxDriftMs) && options.maxDriftMs >= 0,
      'the drift bound is whole milliseconds',
    );
    this.#maxDriftMs = options.maxDriftMs;
  }

  /** The latest time given out. */
  get last(): HybridTime {
    return this.#last;
  }

  /** Local and send events refused because this clock is too far ahead of its physical time, which went back. */
  get refusedSends(): number {
    return this.#refusedSends;
  }

  /** Received times refused because they are too far ahead of this member's physical time. */
  get refusedReceives(): number {
    return this.#refusedReceives;
  }

  /** For a local or send event; later than every time before it. `physicalMs`: wall time now, in milliseconds. */
  send(physicalMs: number): HybridReading {
    const reading = this.#advance(this.#last, physicalMs);
    if (reading.type === 'drift') this.#refusedSends++;
    return reading;
  }

  /** For receiving a message stamped `remote`; later than that and than every time before. */
  receive(remote: HybridTime, physicalMs: number): HybridReading {
    assert(isHybridTime(remote), 'a received hybrid time is checked when it is decoded');
    const latest = compareHybridTimes(remote, this.#last) > 0 ? remote : this.#last;
    const reading = this.#advance(latest, physicalMs);
    if (reading.type === 'drift') this.#refusedReceives++;
    return reading;
  }

  save(writer: ByteWriter): void {
    writeHybridTime(writer, this.#last);
    writer.varint(this.#refusedSends);
    writer.varint(this.#refusedReceives);
  }

  load(reader: ByteReader): void {
    this.#last = readHybridTime(reader);
    this.#refusedSends = reader.varint();
    this.#refusedReceives = reader.varint();
  }

  #advance(latest: HybridTime, physicalMs: number): HybridReading {
    assert(isPhysicalMs(physicalMs), 'physical time is whole milliseconds in 48 bits');
    // The first branch needs no bound: the time is the physical one itself.
    if (physicalMs > latest.physicalMs) return this.#accept({ physicalMs, logical: 0 });
    const aheadMs = latest.physicalMs + (latest.logical === MAX_LOGICAL ? 1 : 0) - physicalMs;
    const last = latest.physicalMs === MAX_PHYSICAL_MS && latest.logical === MAX_LOGICAL;
    if (aheadMs > this.#maxDriftMs || last) return { type: 'drift', aheadMs, maxDriftMs: this.#maxDriftMs };
    return this.#accept(successorOf(latest));
  }

  #accept(time: HybridTime): HybridReading {
    this.#last = time;
    return { type: 'time', time };
  }
}

/** The next time: a counter that is full carries into the milliseconds. Throws `ClockOverflow` at the very last one. */
export function successorOf(time: HybridTime): HybridTime {
  if (time.logical < MAX_LOGICAL) return { physicalMs: time.physicalMs, logical: time.logical + 1 };
  if (time.physicalMs === MAX_PHYSICAL_MS) {
    throw new PolderError('ClockOverflow', 'the last of all hybrid times has no successor: refuse what carries it');
  }
  return { physicalMs: time.physicalMs + 1, logical: 0 };
}

/** Negative when `a` is earlier, 0 when they are the same. */
export function compareHybridTimes(a: HybridTime, b: HybridTime): number {
  return a.physicalMs - b.physicalMs || a.logical - b.logical;
}

/** 64 bits whose order is that of the times. */
export function packHybridTime(time: HybridTime): bigint {
  assert(isHybridTime(time), 'a hybrid time is 48 and 16 bits');
  return (BigInt(time.physicalMs) << 16n) | BigInt(time.logical);
}

/** Throws `MalformedHybridTime` for what does not fit 64 unsigned bits. */
export function unpackHybridTime(packed: bigint): HybridTime {
  if (packed < 0n || packed > 0xffff_ffff_ffff_ffffn) {
    throw new PolderError('MalformedHybridTime', `${packed} is not 64 unsigned bits: ask its sender for a packed time`);
  }
  return { physicalMs: Number(packed >> 16n), logical: Number(packed & 0xffffn) };
}

/** Eight bytes, the most significant first: the order of the bytes is that of the times. */
export function writeHybridTime(writer: ByteWriter, time: HybridTime): void {
  assert(isHybridTime(time), 'a hybrid time is 48 and 16 bits');
  const high = Math.floor(time.physicalMs / 0x10000);
  const low = (time.physicalMs % 0x10000) * 0x10000 + time.logical;
  for (const half of [high, low]) {
    for (const shift of [24, 16, 8, 0]) writer.u8((half >>> shift) & 0xff);
  }
}

/** Every eight bytes are a time. Throws `MalformedBytes` when fewer are left. */
export function readHybridTime(reader: ByteReader): HybridTime {
  let high = 0;
  for (let i = 0; i < 6; i++) high = high * 0x100 + reader.u8();
  return { physicalMs: high, logical: reader.u8() * 0x100 + reader.u8() };
}

function isPhysicalMs(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= MAX_PHYSICAL_MS;
}

export function isHybridTime(time: HybridTime): boolean {
  return (
    isPhysicalMs(time.physicalMs) && Number.isInteger(time.logical) && time.logical >= 0 && time.logical <= MAX_LOGICAL
  );
}
