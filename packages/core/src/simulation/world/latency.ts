/**
 * How long a frame takes. Logarithm and exponential are made of additions, multiplications and divisions alone:
 * engines differ in `Math.log` and `Math.exp`, and what they give would decide (PITFALLS D3).
 */
import { assert, defined, unreachable } from '../../base/assert.ts';

export type Latency =
  | { readonly type: 'uniform'; readonly minUs: number; readonly maxUs: number }
  /** minUs + Exp(meanUs): a queue somewhere. */
  | { readonly type: 'exponential'; readonly minUs: number; readonly meanUs: number }
  /** Pareto(minUs, alpha): the heavy tail of disks and shared networks. `alphaThousandths` 1,510 is alpha 1.51. */
  | { readonly type: 'pareto'; readonly minUs: number; readonly alphaThousandths: number }
  /** Member i + 1 is in `regions[i]`; each frame takes half the round trip and up to `jitterPercent` more. */
  | { readonly type: 'regions'; readonly regions: readonly Region[]; readonly jitterPercent: number };

export type Region = (typeof REGIONS)[number];

export const REGIONS = ['virginia', 'oregon', 'ireland', 'frankfurt', 'singapore', 'sydney', 'saopaulo'] as const;

/** Round trips between public cloud regions in milliseconds, rounded medians; 1 within a region. */
const ROUND_TRIP_MS: readonly (readonly number[])[] = [
  [1, 62, 68, 90, 216, 198, 114],
  [62, 1, 124, 145, 165, 139, 175],
  [68, 124, 1, 25, 176, 256, 177],
  [90, 145, 25, 1, 158, 280, 202],
  [216, 165, 176, 158, 1, 92, 326],
  [198, 139, 256, 280, 92, 1, 311],
  [114, 175, 177, 202, 326, 311, 1],
];

/** No frame is on its way longer than this: a heavy tail ends somewhere. */
const LONGEST_US = 600_000_000;
const TWO_TO_32 = 0x100000000;
const LN_2 = 0.6931471805599453;

/** `word`: a draw of 32 bits. The result is a whole number of microseconds. */
export function sampleUs(latency: Latency, from: number, to: number, word: number): number {
  switch (latency.type) {
    case 'uniform':
      return latency.minUs + Math.floor((word / TWO_TO_32) * (latency.maxUs - latency.minUs + 1));
    case 'exponential':
      return bounded(latency.minUs + Math.floor(minusLogarithm(word) * latency.meanUs));
    case 'pareto':
      return bounded(
        Math.floor(latency.minUs * exponential((minusLogarithm(word) * 1_000) / latency.alphaThousandths)),
      );
    case 'regions': {
      const halfUs = roundTripMs(latency, from, to) * 500;
      return halfUs + Math.floor((word / TWO_TO_32) * ((halfUs * latency.jitterPercent) / 100));
    }
    default:
      return unreachable(latency);
  }
}

/** Throws an AssertionError for a distribution that cannot be drawn from. */
export function checkLatency(latency: Latency): void {
  if (latency.type === 'uniform') assert(latency.maxUs >= latency.minUs, 'a latency range must not be empty');
  if (latency.type === 'pareto')
    assert(latency.alphaThousandths >= 500, 'a Pareto tail needs an alpha of at least 0.5');
}

function roundTripMs(latency: Extract<Latency, { type: 'regions' }>, from: number, to: number): number {
  const row = ROUND_TRIP_MS[REGIONS.indexOf(defined(latency.regions[from - 1], 'every member has a region'))];
  const column = REGIONS.indexOf(defined(latency.regions[to - 1], 'every member has a region'));
  return defined(row?.[column], 'every pair of regions has a round trip');
}

function bounded(us: number): number {
  return us < LONGEST_US ? us : LONGEST_US;
}

/** -ln of a number in (0, 1], given as a draw of 32 bits. */
export function minusLogarithm(word: number): number {
  const x = (word + 1) / TWO_TO_32;
  // x = mantissa / 2^shift with the mantissa in [1, 2).
  let mantissa = x;
  let shift = 0;
  while (mantissa < 1) {
    mantissa *= 2;
    shift++;
  }
  // ln m = 2 atanh((m - 1) / (m + 1)), whose argument is below 1/3: eleven terms are exact enough for microseconds.
  const z = (mantissa - 1) / (mantissa + 1);
  let power = z;
  let sum = 0;
  for (let k = 1; k <= 21; k += 2) {
    sum += power / k;
    power *= z * z;
  }
  return shift * LN_2 - 2 * sum;
}

/** e^x for x of at least 0. */
export function exponential(x: number): number {
  const doublings = Math.floor(x / LN_2);
  if (doublings > 60) return Number.MAX_SAFE_INTEGER;
  const rest = x - doublings * LN_2;
  let term = 1;
  let sum = 1;
  for (let k = 1; k <= 16; k++) {
    term *= rest / k;
    sum += term;
  }
  for (let i = 0; i < doublings; i++) sum *= 2;
  return sum;
}
