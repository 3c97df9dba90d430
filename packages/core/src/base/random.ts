/**
 * Counter-based randomness: a draw is a pure function of (seed, concern, key, n), so that one more draw in one
 * place moves nothing elsewhere (PITFALLS D1). The mixer is the finalizer of MurmurHash3.
 */
export function draw(seed: number, concern: number, key: number, n: number): number {
  let hash = mix(seed >>> 0, 0x9e3779b9);
  hash = mix(hash, concern);
  hash = mix(hash, key);
  hash = mix(hash, n % 0x100000000);
  return mix(hash, Math.floor(n / 0x100000000));
}

function mix(hash: number, value: number): number {
  let h = (hash ^ Math.imul(value >>> 0, 0xcc9e2d51)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** An integer in [0, bound) from a 32-bit draw, by multiplication: exact in doubles for bounds up to 2^21. */
export function scaled(value: number, bound: number): number {
  return Math.floor((value / 0x100000000) * bound);
}

/** A named stream of draws. The server's world supplies one that is seeded from the system. */
export interface Random {
  /** An integer in [0, bound); `concern` names what the draw decides. */
  below(concern: number, bound: number): number;
}
