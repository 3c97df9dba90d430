import { ETCD_VERSION } from '../etcd/errors.ts';
import type { Store } from '../etcd/store.ts';
import type { StorageUsage } from '../storage/index.ts';
import type { Exposition } from './exposition.ts';

/** What a member says of itself in `polder status` and in etcd's Status: the same source, so the same figures. */
/** `usage`: of the store's files; null: it is in memory, where nothing is allocated that is not in use. */
export function writeStoreMetrics(store: Store, usage: StorageUsage | null, out: Exposition): void {
  const status = store.status();
  const id = store.members().find(({ number }) => number === status.member)?.id ?? 0n;
  out.gauge('etcd_server_has_leader', 'Whether a leader is known. 1 is yes, 0 is no.', status.leader === 0 ? 0 : 1);
  out.gauge('etcd_server_is_leader', 'Whether this member leads. 1 is yes, 0 is no.', status.role === 'leader' ? 1 : 0);
  out.counter('etcd_server_leader_changes_seen_total', 'Leader changes seen by this process.', status.leaderChanges);
  out.gauge('etcd_server_id', 'This member, as etcd’s clients know it.', [[{ server_id: id.toString(16) }, 1]]);
  out.gauge('etcd_server_version', 'The API level that is served, as in Status.', [
    [{ server_version: ETCD_VERSION }, 1],
  ]);
  // etcd counts proposals by the index of the log, across restarts, and so does this.
  out.gauge('etcd_server_proposals_committed_total', 'The commit index.', status.commitIndex);
  out.gauge('etcd_server_proposals_applied_total', 'The applied index.', status.appliedIndex);
  out.gauge('polder_raft_term', 'The current term.', status.term);
  out.gauge('polder_raft_last_index', 'The index of the last entry of the log.', status.lastIndex);
  out.gauge('polder_peers_reachable', 'Peers connected now, in both directions.', status.peersReachable.length);
  const { allocatedBytes, usedBytes } = usage ?? { allocatedBytes: status.sizeBytes, usedBytes: status.sizeBytes };
  out.gauge('etcd_mvcc_db_total_size_in_bytes', 'What the store takes on disk.', allocatedBytes);
  out.gauge('etcd_mvcc_db_total_size_in_use_in_bytes', 'What of it holds data; the rest is used again.', usedBytes);
  out.gauge('etcd_server_quota_backend_bytes', 'Writes are refused when the data takes so much.', status.quotaBytes);
  out.gauge('polder_data_bytes', 'What the data takes, all its versions: the quota is about this.', status.sizeBytes);
  out.gauge('etcd_debugging_mvcc_keys_total', 'The number of keys.', status.keys);
  out.gauge('etcd_debugging_mvcc_current_revision', 'The current revision of the store.', status.revision);
  out.gauge('etcd_debugging_mvcc_compact_revision', 'The revision of the last compaction.', status.compactRevision);
}
