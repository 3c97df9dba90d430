import type { Latency } from './network/latency.ts';
import type { TopologyName } from './network/topology.ts';
import type { Program } from './node-process.ts';
import type { WorkloadName } from './workloads/registry.ts';
import type { ConsistencyModel } from './workloads/workload.ts';

export interface RunOptions {
  readonly workload: WorkloadName;
  readonly program: Program;
  readonly nodeCount: number;
  readonly timeLimitMs: number;
  /** Operations a second, all clients together. */
  readonly ratePerSecond: number;
  readonly concurrency: number;
  readonly latency: Latency;
  /** The mean time from one change of the partition to the next; null: no partitions. */
  readonly partitionIntervalMs: number | null;
  /** How long after the last fault the final reads may take to come right. */
  readonly recoveryMs: number;
  readonly timeoutMs: number;
  readonly topology: TopologyName;
  /** The least fraction of operations that must succeed; null: any. */
  readonly availability: number | null;
  readonly keyCount: number | null;
  readonly maxTransactionLength: number | null;
  readonly maxWritesPerKey: number | null;
  readonly consistencyModel: ConsistencyModel;
  readonly seed: number;
}
