import { execFile } from 'node:child_process';
import { Etcd3 } from 'etcd3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ClientListener, startClientListener } from './index.ts';
import { CLUSTER_ID, MEMBER_ID, MemoryStore } from './testing/memory-store.ts';

let store: MemoryStore;
let listener: ClientListener;

beforeEach(async () => {
  store = new MemoryStore();
  const onBug = (error: unknown): void => console.error('a bug in the server', error);
  listener = await startClientListener({ host: '127.0.0.1', port: 0, store, faults: null, onBug });
});

afterEach(() => listener.close());

describe("npm's etcd3", () => {
  let client: Etcd3;
  beforeEach(() => {
    client = new Etcd3({ hosts: `127.0.0.1:${listener.port}` });
  });
  afterEach(() => client.close());

  test('puts, gets, lists and deletes', async () => {
    const put = await client.put('hello').value('world');
    expect(put.header.revision).toBe('2');
    expect(put.header.cluster_id).toBe(String(CLUSTER_ID));
    expect(put.header.member_id).toBe(String(MEMBER_ID));
    expect(put.header.raft_term).toBe('7');
    await client.put('help').value('me');
    expect(await client.get('hello').string()).toBe('world');
    expect(await client.getAll().prefix('hel').strings()).toEqual({ hello: 'world', help: 'me' });
    const deleted = await client.delete().key('hello').getPrevious();
    expect(deleted.map((kv) => kv.value.toString())).toEqual(['world']);
    expect(await client.get('hello').string()).toBeNull();
  });

  test('runs a transaction, and its comparison decides which branch', async () => {
    const claim = () =>
      client.if('lock', 'Create', '==', 0).then(client.put('lock').value('mine')).else(client.get('lock')).commit();
    expect((await claim()).succeeded).toBe(true);
    const second = await claim();
    expect(second.succeeded).toBe(false);
    const range = second.responses[0]?.response_range;
    expect(range?.kvs[0]?.value.toString()).toBe('mine');
    expect(second.header.revision).toBe('2');
  });

  test('sees values of 1 MiB whole', async () => {
    const value = Buffer.alloc(1024 * 1024, 'x');
    await client.put('large').value(value);
    expect((await client.get('large').buffer())?.equals(value)).toBe(true);
  });

  test('is told that a revision is compacted', async () => {
    for (const value of ['1', '2', '3']) await client.put('k').value(value);
    await client.kv.compact({ revision: 3 });
    await expect(client.get('k').revision(2).string()).rejects.toThrow('required revision has been compacted');
    await expect(client.get('k').revision(99).string()).rejects.toThrow('required revision is a future revision');
    expect(await client.get('k').revision(3).string()).toBe('2');
  });

  test('gets status and members', async () => {
    await client.put('k').value('v');
    const status = await client.maintenance.status();
    expect(status).toMatchObject({ leader: String(MEMBER_ID), raftIndex: '1', raftTerm: '7' });
    // etcd3 1.1.2's own memberList() sends no request object, which its protobuf library refuses.
    const pool = Reflect.get(client.cluster, 'client');
    const { members } = await pool.exec('Cluster', 'memberList', {});
    expect(members).toEqual([
      {
        ID: String(MEMBER_ID),
        name: 'a',
        peerURLs: ['http://127.0.0.1:2380'],
        clientURLs: ['http://127.0.0.1:2379'],
        isLearner: false,
      },
    ]);
  });

  test('is refused what is not there yet with UNIMPLEMENTED', async () => {
    await expect(client.leaseClient.leaseGrant({ TTL: 10 })).rejects.toThrow(/UNIMPLEMENTED/);
  });

  test('is told by etcd’s texts that there is no leader, while a serializable read is answered', async () => {
    await client.put('k').value('v');
    store.failure = 'NoLeader';
    await expect(client.put('k').value('w').exec()).rejects.toThrow('etcdserver: no leader');
    // A second client: the first one's circuit breaker has opened.
    const reader = new Etcd3({ hosts: `127.0.0.1:${listener.port}` });
    expect(await reader.get('k').serializable(true).string()).toBe('v');
    reader.close();
  });
});

const etcdctlVersion = await run('etcdctl', ['version']).catch(() => null);
if (etcdctlVersion === null) console.warn('SKIPPED: no etcdctl on PATH (Debian: etcd-client); its tests did not run');

describe.skipIf(etcdctlVersion === null)('etcdctl', () => {
  const etcdctl = (args: string[], input = ''): Promise<string> =>
    run('etcdctl', [`--endpoints=127.0.0.1:${listener.port}`, ...args], input);

  test('puts, gets and deletes', async () => {
    expect(await etcdctl(['put', 'hello', 'world'])).toBe('OK\n');
    expect(await etcdctl(['get', 'hello'])).toBe('hello\nworld\n');
    expect(await etcdctl(['get', '--prefix', 'hel', '--keys-only'])).toBe('hello\n\n');
    expect(await etcdctl(['del', 'hello'])).toBe('1\n');
    expect(await etcdctl(['get', 'hello'])).toBe('');
  });

  test('runs a transaction and a compaction', async () => {
    await etcdctl(['put', 'k', '1']);
    const output = await etcdctl(['txn'], 'value("k") = "1"\n\nput k 2\n\nget k\n\n');
    expect(output).toContain('SUCCESS');
    await etcdctl(['put', 'k', '3']);
    expect(await etcdctl(['compaction', '4'])).toBe('compacted revision 4\n');
    await expect(etcdctl(['get', 'k', '--rev=2'])).rejects.toThrow('required revision has been compacted');
  });

  test('shows endpoint status, endpoint health and the members', async () => {
    await etcdctl(['put', 'k', '1']);
    const [status] = JSON.parse(await etcdctl(['endpoint', 'status', '-w', 'json']));
    expect(status.Status).toMatchObject({ raftIndex: 1, raftTerm: 7 });
    // Its report of health goes to stderr in this version: that it ends with 0 is what counts.
    await etcdctl(['endpoint', 'health']);
    expect(await etcdctl(['endpoint', 'status'])).toContain('8e9e05c52164694d');
    expect(await etcdctl(['member', 'list'])).toContain('8e9e05c52164694d, started, a, http://127.0.0.1:2380');
  });
});

function run(command: string, args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const environment = { ...process.env, ETCDCTL_API: '3' };
    const child = execFile(command, args, { env: environment, timeout: 10_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
    // A command that is not there leaves no pipe to write to.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
