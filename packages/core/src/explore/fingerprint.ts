import type { Encoding } from './model.ts';

/**
 * 64 bits of an encoding, as two lanes of 32 that share nothing until the end: against accidents, not against an
 * adversary. Each lane's step is a bijection of the lane for a given unit, so that encodings which differ in one unit
 * never collide.
 */
export class Fingerprint {
  low = 0;
  high = 0;

  of(encoding: Encoding): void {
    let a = 0x243f6a88 ^ encoding.length;
    let b = 0x13198a2e;
    for (let i = 0; i < encoding.length; i++) {
      const unit = typeof encoding === 'string' ? encoding.charCodeAt(i) : (encoding[i] as number);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(b + unit + 1, 0x85ebca6b);
      b ^= b >>> 13;
    }
    this.low = finish(a ^ Math.imul(b, 0xc2b2ae35)) >>> 0;
    this.high = finish(b ^ Math.imul(a, 0x27d4eb2f)) >>> 0;
  }
}

/** The finalizer of MurmurHash3. */
function finish(lane: number): number {
  let h = lane ^ (lane >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
