import { assert } from '@polder/core';

/** Counts observations at or below each bound, as Prometheus does; an observation costs a short search and no memory. */
export class Histogram {
  readonly bounds: readonly number[];
  sum = 0;
  count = 0;
  readonly #counts: Float64Array;

  constructor(bounds: readonly number[]) {
    assert(
      bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] as number)),
      'bounds ascend',
    );
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > (this.bounds[bucket] as number)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    this.sum += value;
    this.count++;
  }

  /** For each bound, how many observations were at or below it. */
  cumulative(): number[] {
    let total = 0;
    return this.bounds.map((_, bucket) => {
      total += this.#counts[bucket] as number;
      return total;
    });
  }
}

/** etcd's boundaries of a disk's durations in seconds: 1 ms and doubled 13 times (server/storage/wal/metrics.go). */
export const DISK_SECONDS = doubled(0.001, 14);
/** etcd's of round trips between peers: 0.1 ms and doubled 15 times (rafthttp/metrics.go). */
export const ROUND_TRIP_SECONDS = doubled(0.0001, 16);
/** Those of Go's Prometheus client, which etcd's gRPC server uses. */
export const CALL_SECONDS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of what Polder alone measures: fine enough to tell one fdatasync from two. */
export const REQUEST_SECONDS = doubled(0.000125, 17);

function doubled(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => Number((first * 2 ** i).toPrecision(12)));
}
