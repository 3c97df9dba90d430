import { assert } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';

/** The epoch of every simulated world: 2024-01-01T00:00:00Z, in milliseconds. */
const EPOCH_MS = 1_704_067_200_000;
export const MAX_DRIFT_PPM = 100_000;
const MILLION = 1_000_000;

/**
 * A member's own clocks. The monotonic one runs fast or slow by `driftPpm` and never jumps; the wall clock is that
 * and a skew which may be stepped, forward and back.
 */
export class MemberClock {
  #anchorUs = 0;
  #localUs = 0;
  #driftPpm = 0;
  #skewMs = 0;

  get driftPpm(): number {
    return this.#driftPpm;
  }

  /** From `nowUs` on, with time as it is there: what ran differently before stays. */
  setDrift(nowUs: number, driftPpm: number): void {
    assert(Math.abs(driftPpm) <= MAX_DRIFT_PPM, 'a clock drifts by at most a tenth');
    this.#localUs = this.monotonicUs(nowUs);
    this.#anchorUs = nowUs;
    this.#driftPpm = driftPpm;
  }

  /** The wall clock jumps by so much. */
  step(byMs: number): void {
    this.#skewMs += byMs;
  }

  monotonicUs(nowUs: number): number {
    const elapsedUs = nowUs - this.#anchorUs;
    if (this.#driftPpm === 0) return this.#localUs + elapsedUs;
    return this.#localUs + elapsedUs + Math.floor((elapsedUs * this.#driftPpm) / MILLION);
  }

  wallMs(nowUs: number): number {
    return EPOCH_MS + Math.floor(this.monotonicUs(nowUs) / 1_000) + this.#skewMs;
  }

  /** The first moment of the world at which this clock shows at least `localUs`. */
  whenUs(localUs: number): number {
    const ahead = localUs - this.#localUs;
    if (this.#driftPpm === 0) return this.#anchorUs + ahead;
    let atUs = this.#anchorUs + Math.floor((ahead * MILLION) / (MILLION + this.#driftPpm));
    while (this.monotonicUs(atUs) < localUs) atUs++;
    while (atUs > this.#anchorUs && this.monotonicUs(atUs - 1) >= localUs) atUs--;
    return atUs;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#anchorUs);
    writer.varint(this.#localUs);
    writer.varint(this.#driftPpm + MAX_DRIFT_PPM);
    writer.bool(this.#skewMs < 0);
    writer.varint(Math.abs(this.#skewMs));
  }

  load(reader: ByteReader): void {
    this.#anchorUs = reader.varint();
    this.#localUs = reader.varint();
    this.#driftPpm = reader.varint() - MAX_DRIFT_PPM;
    const back = reader.bool();
    this.#skewMs = reader.varint() * (back ? -1 : 1);
  }
}
