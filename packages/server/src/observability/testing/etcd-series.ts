/**
 * What etcd's own dashboard and alerts read, of what is etcd's to give (`up` is Prometheus' own): the expressions of
 * etcd-io/etcd, contrib/mixin/dashboards/targets.libsonnet at 7c04798b041b and contrib/mixin/alerts/alerts.libsonnet at
 * 19a6baf236a5. Dashboard 3070 of grafana.com, which is older, reads the same and, beside them, `LEGACY`.
 */
export type SeriesType = 'gauge' | 'counter' | 'histogram';

export interface Series {
  readonly name: string;
  readonly type: SeriesType;
  /** What a little load does to it. `steady`: it has a value, and need not move. */
  readonly moves: 'up' | 'steady';
  /** The labels that the expressions use. */
  readonly labels?: readonly string[];
}

export const DASHBOARD: readonly Series[] = [
  { name: 'etcd_server_has_leader', type: 'gauge', moves: 'steady' },
  { name: 'etcd_server_leader_changes_seen_total', type: 'counter', moves: 'steady' },
  { name: 'grpc_server_started_total', type: 'counter', moves: 'up', labels: ['grpc_type', 'grpc_service'] },
  {
    name: 'grpc_server_handled_total',
    type: 'counter',
    moves: 'up',
    labels: ['grpc_type', 'grpc_service', 'grpc_method', 'grpc_code'],
  },
  { name: 'grpc_server_handling_seconds', type: 'histogram', moves: 'up', labels: ['grpc_type', 'grpc_method'] },
  { name: 'etcd_mvcc_db_total_size_in_bytes', type: 'gauge', moves: 'up' },
  { name: 'etcd_mvcc_db_total_size_in_use_in_bytes', type: 'gauge', moves: 'up' },
  { name: 'etcd_disk_backend_commit_duration_seconds', type: 'histogram', moves: 'up' },
  { name: 'etcd_disk_wal_fsync_duration_seconds', type: 'histogram', moves: 'up' },
  { name: 'etcd_server_quota_backend_bytes', type: 'gauge', moves: 'steady' },
  { name: 'process_resident_memory_bytes', type: 'gauge', moves: 'steady' },
  { name: 'etcd_network_client_grpc_received_bytes_total', type: 'counter', moves: 'up' },
  { name: 'etcd_network_client_grpc_sent_bytes_total', type: 'counter', moves: 'up' },
  { name: 'etcd_network_peer_received_bytes_total', type: 'counter', moves: 'up', labels: ['From'] },
  { name: 'etcd_network_peer_sent_bytes_total', type: 'counter', moves: 'up', labels: ['To'] },
  { name: 'etcd_network_peer_sent_failures_total', type: 'counter', moves: 'steady', labels: ['To'] },
  { name: 'etcd_network_peer_round_trip_time_seconds', type: 'histogram', moves: 'steady', labels: ['To'] },
  { name: 'etcd_server_proposals_failed_total', type: 'counter', moves: 'steady' },
];

/** Older dashboards, and what is asked for by hand. */
export const LEGACY: readonly Series[] = [
  { name: 'etcd_server_proposals_committed_total', type: 'gauge', moves: 'up' },
  { name: 'etcd_server_proposals_applied_total', type: 'gauge', moves: 'up' },
  { name: 'etcd_server_proposals_pending', type: 'gauge', moves: 'steady' },
  { name: 'etcd_server_is_leader', type: 'gauge', moves: 'steady' },
  { name: 'etcd_server_is_learner', type: 'gauge', moves: 'steady' },
  { name: 'etcd_server_slow_apply_total', type: 'counter', moves: 'steady' },
  { name: 'etcd_server_read_indexes_failed_total', type: 'counter', moves: 'steady' },
  { name: 'etcd_server_health_success', type: 'counter', moves: 'up' },
  { name: 'etcd_server_health_failures', type: 'counter', moves: 'steady' },
  { name: 'etcd_server_id', type: 'gauge', moves: 'steady', labels: ['server_id'] },
  { name: 'etcd_server_version', type: 'gauge', moves: 'steady', labels: ['server_version'] },
  { name: 'etcd_network_active_peers', type: 'gauge', moves: 'steady', labels: ['Local', 'Remote'] },
  { name: 'etcd_disk_wal_write_bytes_total', type: 'counter', moves: 'up' },
  { name: 'etcd_debugging_mvcc_keys_total', type: 'gauge', moves: 'up' },
  { name: 'etcd_debugging_mvcc_current_revision', type: 'gauge', moves: 'up' },
  { name: 'etcd_debugging_mvcc_compact_revision', type: 'gauge', moves: 'steady' },
  { name: 'grpc_server_msg_received_total', type: 'counter', moves: 'up' },
  { name: 'grpc_server_msg_sent_total', type: 'counter', moves: 'up' },
  { name: 'process_cpu_seconds_total', type: 'counter', moves: 'up' },
  { name: 'process_start_time_seconds', type: 'gauge', moves: 'steady' },
];
