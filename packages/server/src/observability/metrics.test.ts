import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARD, LEGACY, type Series } from './testing/etcd-series.ts';
import { get, put, type RunningMember, RunningMembers } from './testing/members.ts';
import { type Metric, parsePrometheus, total } from './testing/prometheus-text.ts';

const PUTS = 40;
const STORED = [
  'etcd_disk_backend_commit_duration_seconds',
  'etcd_mvcc_db_total_size_in_bytes',
  'etcd_mvcc_db_total_size_in_use_in_bytes',
];

let members: RunningMembers;
let leader: RunningMember;
let before: ReadonlyMap<string, Metric>;
let after: ReadonlyMap<string, Metric>;

async function scrape(member: RunningMember): Promise<ReadonlyMap<string, Metric>> {
  const response = await fetch(`${member.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('version=0.0.4');
  return parsePrometheus(await response.text());
}

beforeAll(async () => {
  members = await RunningMembers.start(3);
  leader = await members.leader();
  before = await scrape(leader);
  for (let i = 0; i < PUTS; i++) await put(leader.client, `key ${i}`, 'x'.repeat(2_000));
  for (let i = 0; i < 20; i++) await get(leader.client, 'key 1');
  await fetch(`${leader.url}/health`);
  // The store is written now and then, after the puts were answered.
  const stored = (): boolean => STORED.every((name) => total(metric(name), name) > total(metric(name, before), name));
  do after = await scrape(leader);
  while (!stored());
});

afterAll(() => members.stop());

function metric(name: string, at = after): Metric {
  const found = at.get(name);
  if (found === undefined) throw new Error(`${name} is not among the metrics`);
  return found;
}

const sample = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
  metric(name)
    .samples.filter((each) => Object.entries(labels).every(([label, value]) => each.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);

describe('after a little load, the metrics that etcd’s dashboard and alerts read', () => {
  it.each(DASHBOARD.concat(LEGACY))('$name is a $type, and goes $moves', ({ name, type, moves, labels }: Series) => {
    const found = metric(name);
    expect(found.type).toBe(type);
    expect(found.help).not.toBe('');
    expect(found.samples.length).toBeGreaterThan(0);
    for (const label of labels ?? []) expect(found.samples[0]?.labels).toHaveProperty(label);
    if (moves === 'up') expect(total(found, name)).toBeGreaterThan(total(metric(name, before), name));
  });
});

describe('a member’s metrics', () => {
  it('count what happened: calls, messages, syncs', () => {
    const ofPut = { grpc_service: 'etcdserverpb.KV', grpc_method: 'Put', grpc_type: 'unary' };
    const puts = (at: ReadonlyMap<string, Metric>): number =>
      metric('grpc_server_handled_total', at)
        .samples.filter(({ labels }) => labels['grpc_method'] === 'Put' && labels['grpc_code'] === 'OK')
        .reduce((sum, { value }) => sum + value, 0);
    expect(puts(after) - puts(before)).toBe(PUTS);
    expect(sample('grpc_server_started_total', ofPut)).toBe(puts(after));
    expect(sample('grpc_server_msg_received_total', ofPut)).toBe(puts(after));
    // Each put waited for the one before it, so each had a sync of its own.
    const syncs = 'etcd_disk_wal_fsync_duration_seconds';
    expect(total(metric(syncs), syncs) - total(metric(syncs, before), syncs)).toBeGreaterThanOrEqual(PUTS);
    expect(sample('etcd_network_client_grpc_received_bytes_total')).toBeGreaterThan(PUTS * 2_000);
    const [used, allocated] = ['etcd_mvcc_db_total_size_in_use_in_bytes', 'etcd_mvcc_db_total_size_in_bytes'].map(
      (name) => sample(name),
    );
    expect(used).toBeLessThanOrEqual(allocated ?? 0);
    expect(sample('etcd_server_proposals_pending')).toBe(0);
    for (const { name, value } of metric('etcd_network_peer_round_trip_time_seconds').samples) {
      if (name.endsWith('_count')) expect(value).toBeGreaterThan(0);
    }
  });

  it('give histograms whose buckets grow to the count, at etcd’s boundaries', () => {
    const bounds = (name: string): string[] => [
      ...new Set(
        metric(name)
          .samples.filter((each) => each.name.endsWith('_bucket'))
          .map(({ labels }) => labels['le'] ?? ''),
      ),
    ];
    expect(bounds('etcd_disk_wal_fsync_duration_seconds').slice(0, 4)).toEqual(['0.001', '0.002', '0.004', '0.008']);
    expect(bounds('etcd_disk_wal_fsync_duration_seconds').slice(-2)).toEqual(['8.192', '+Inf']);
    expect(bounds('etcd_network_peer_round_trip_time_seconds').slice(0, 2)).toEqual(['0.0001', '0.0002']);
    expect(bounds('etcd_network_peer_round_trip_time_seconds').slice(-2)).toEqual(['3.2768', '+Inf']);
    expect(bounds('grpc_server_handling_seconds')).toHaveLength(12);
    const fsync = metric('etcd_disk_wal_fsync_duration_seconds').samples;
    const counts = fsync.filter(({ name }) => name.endsWith('_bucket')).map(({ value }) => value);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(fsync.find(({ name }) => name.endsWith('_count'))?.value);
  });

  it('say the same as its status', async () => {
    const status = (await (await fetch(`${leader.url}/polder/status`)).json()) as Record<string, number | string>;
    expect(sample('etcd_server_proposals_committed_total')).toBe(status['commit']);
    expect(sample('etcd_server_proposals_applied_total')).toBe(status['applied']);
    expect(sample('polder_raft_last_index')).toBe(status['lastIndex']);
    expect(sample('polder_raft_term')).toBe(status['term']);
    expect(sample('etcd_debugging_mvcc_keys_total')).toBe(status['keys']);
    expect(sample('etcd_debugging_mvcc_current_revision')).toBe(status['revision']);
    expect(sample('etcd_server_quota_backend_bytes')).toBe(2 * 1024 ** 3);
    expect(sample('polder_data_bytes')).toBeGreaterThan(PUTS * 2_000);
    expect(sample('etcd_server_is_leader')).toBe(1);
  });

  it('have no series by a name that a client made up', async () => {
    await expect(leader.client.call('/made.Up/Name', new Uint8Array(0), { timeoutMs: 5_000 })).rejects.toThrow();
    const text = await (await fetch(`${leader.url}/metrics`)).text();
    expect(text).not.toContain('made.Up');
    expect(text).toContain('\npolder_grpc_unknown_calls_total 1\n');
  });
});
