import type { SeededStream } from '../seeded-stream.ts';

export const LATENCY_DISTRIBUTIONS = ['constant', 'uniform', 'exponential'] as const;
export type LatencyDistribution = (typeof LATENCY_DISTRIBUTIONS)[number];

export interface Latency {
  readonly distribution: LatencyDistribution;
  readonly meanMs: number;
}

/** One delay in milliseconds: `meanMs` itself, uniform in [0, 2 mean), or exponential with that mean. */
export function sampleLatencyMs({ distribution, meanMs }: Latency, stream: SeededStream): number {
  switch (distribution) {
    case 'constant':
      return meanMs;
    case 'uniform':
      return 2 * meanMs * stream.unit();
    case 'exponential':
      return -meanMs * Math.log(1 - stream.unit());
  }
}
