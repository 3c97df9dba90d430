import { broadcastWorkload } from './broadcast.ts';
import { counterWorkload } from './counter.ts';
import { echoWorkload } from './echo.ts';
import { growOnlySetWorkload } from './g-set.ts';
import { logWorkload } from './kafka.ts';
import { linearizableKeyValueWorkload } from './lin-kv.ts';
import { transactionWorkload } from './transactions.ts';
import { uniqueIdsWorkload } from './unique-ids.ts';
import type { Workload, WorkloadOptions } from './workload.ts';

const WORKLOADS = {
  echo: echoWorkload,
  'unique-ids': uniqueIdsWorkload,
  broadcast: broadcastWorkload,
  'g-set': growOnlySetWorkload,
  'g-counter': (options: WorkloadOptions) => counterWorkload(options, 0),
  'pn-counter': (options: WorkloadOptions) => counterWorkload(options, -5),
  'lin-kv': linearizableKeyValueWorkload,
  kafka: logWorkload,
  'txn-rw-register': (options: WorkloadOptions) => transactionWorkload(options, 'w'),
  'txn-list-append': (options: WorkloadOptions) => transactionWorkload(options, 'append'),
} as const satisfies Record<string, (options: WorkloadOptions) => Workload>;

export type WorkloadName = keyof typeof WORKLOADS;
export const WORKLOAD_NAMES = Object.keys(WORKLOADS) as readonly WorkloadName[];

export function createWorkload(name: WorkloadName, options: WorkloadOptions): Workload {
  return WORKLOADS[name](options);
}
