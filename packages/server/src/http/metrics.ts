import type { StoreStatus } from '../etcd/store.ts';
import type { GrpcCounters } from '../grpc/index.ts';

/** Prometheus' text format, with etcd's names; only what is truly measured is here. */
export function formatMetrics(status: StoreStatus, grpc: GrpcCounters): string {
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  const lines: string[] = [];
  const metric = (name: string, type: 'gauge' | 'counter', help: string, value: number): void => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`);
  };
  metric(
    'etcd_server_has_leader',
    'gauge',
    'Whether a leader is known. 1 is yes, 0 is no.',
    status.leader === 0 ? 0 : 1,
  );
  metric(
    'etcd_server_is_leader',
    'gauge',
    'Whether this member leads. 1 is yes, 0 is no.',
    status.role === 'leader' ? 1 : 0,
  );
  metric(
    'etcd_server_leader_changes_seen_total',
    'counter',
    'Leader changes seen by this process.',
    status.leaderChanges,
  );
  // etcd counts proposals by the index of the log, across restarts, and so does this.
  metric('etcd_server_proposals_committed_total', 'gauge', 'The commit index.', status.commitIndex);
  metric('etcd_server_proposals_applied_total', 'gauge', 'The applied index.', status.appliedIndex);
  metric('etcd_mvcc_db_total_size_in_bytes', 'gauge', 'The size of keys, values and their history.', status.sizeBytes);
  metric('etcd_debugging_mvcc_keys_total', 'gauge', 'The number of keys.', status.keys);
  metric('etcd_debugging_mvcc_current_revision', 'gauge', 'The current revision of the store.', status.revision);
  metric(
    'etcd_debugging_mvcc_compact_revision',
    'gauge',
    'The revision of the last compaction.',
    status.compactRevision,
  );
  metric('polder_peers_reachable', 'gauge', 'Peers connected now.', status.peersReachable.length);
  metric('polder_grpc_calls_total', 'counter', 'Calls ended, by this process.', grpc.handled);
  metric('polder_grpc_calls_failed_total', 'counter', 'Calls ended with a status other than OK.', grpc.failed);
  metric('process_resident_memory_bytes', 'gauge', 'Resident memory.', memory.rss);
  metric('process_cpu_seconds_total', 'counter', 'CPU time used.', (cpu.user + cpu.system) / 1e6);
  return `${lines.join('\n')}\n`;
}
