/** The built command and its processes, seen through clients that Polder did not write. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('../bin/polder.js', import.meta.url));
const run = promisify(execFile);
const hasEtcdctl = spawnSync('etcdctl', ['version'], { env: { ...process.env, ETCDCTL_API: '3' } }).status === 0;
if (!hasEtcdctl)
  process.stderr.write('skipped: etcdctl is not installed (Debian: etcd-client), its test does not run\n');

interface Status {
  readonly members: readonly { name: string; state: string; role: string | null; clientUrl: string }[];
}

let directory = '';
let cluster: ChildProcess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-cluster-'));
  cluster = spawn(
    process.execPath,
    [COMMAND, 'up', '--members', '3', '--breakable', '--data', join(directory, 'data')],
    {
      env: environment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  if (cluster.stdout === null || cluster.stderr === null) throw new Error('the output is a pipe');
  const lines = createInterface({ input: cluster.stderr });
  cluster.stdout.resume();
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => line.startsWith('The cluster stays up') && resolve());
    cluster.once('exit', (code) => reject(new Error(`polder up ended with ${code}`)));
  });
});

afterAll(async () => {
  cluster.kill('SIGTERM');
  if (cluster.exitCode === null) await once(cluster, 'exit');
  await rm(directory, { recursive: true, force: true });
});

/** Its own state directory: the cluster that a developer has running stays the one started last. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, XDG_STATE_HOME: join(directory, 'state'), ETCDCTL_API: '3', NO_COLOR: '1' };
}

async function polder(...words: string[]): Promise<string> {
  return (await run(process.execPath, [COMMAND, ...words], { env: environment() })).stdout;
}

async function status(): Promise<Status> {
  return JSON.parse(await polder('status', '--json')) as Status;
}

async function endpoints(): Promise<string> {
  return (await status()).members.map(({ clientUrl }) => clientUrl.replace('http://', '')).join(',');
}

async function leader(): Promise<string> {
  const found = (await status()).members.find(({ role }) => role === 'leader');
  if (found === undefined) throw new Error('no leader');
  return found.name;
}

describe('a cluster of processes', () => {
  it('serves etcd3, loses its leader to kill -9, and keeps what it acknowledged', async () => {
    const client = new Etcd3({ hosts: (await endpoints()).split(',') });
    try {
      await client.put('before').value('1');
      const dead = await leader();
      await polder('fail', dead);
      await polder('put', 'after', '2');
      expect((await status()).members.find(({ name }) => name === dead)?.state).toBe('failed');
      await polder('recover', dead);
      expect(await polder('get', 'before')).toContain('1');
      expect(await client.get('before').string()).toBe('1');
      expect(await client.get('after').string()).toBe('2');
    } finally {
      client.close();
    }
  });

  it('serves registers at every level on both sides of a partition, and keeps them over kill -9', async () => {
    const session = join(directory, 'session');
    const refusal = (...words: string[]) =>
      polder(...words).then(
        () => ({ code: 0, stderr: '' }),
        ({ code, stderr }: { code: number; stderr: string }) => ({ code, stderr }),
      );
    expect(await polder('write', 'name', 'taken', '--level', 'strong')).toBe('OK\n');
    expect(await polder('read', 'name', '--level', 'strong', '--member', 'm2')).toBe('taken\n');
    await polder('write', 'question', 'why', '--level', 'causal', '--token-file', session, '--member', 'm1');
    const moved = ['read', 'question', '--level', 'causal', '--token-file', session, '--member', 'm3'];
    expect(await polder(...moved)).toBe('why\n');

    await polder('partition', 'm1', 'm2,m3');
    const mine = ['write', 'name', 'mine', '--level', 'strong', '--timeout-ms', '500', '--member', 'm1'];
    expect(await refusal(...mine)).toMatchObject({ code: 1, stderr: expect.stringContaining('NoMajority') });
    const less = JSON.parse(await polder(...mine, '--degrade-to', 'eventual', '--json')) as { level: string };
    expect(less.level).toBe('eventual');
    expect(await polder('read', 'name', '--member', 'm1')).toBe('mine\n');
    expect(await polder('read', 'name', '--level', 'strong', '--member', 'm2')).toBe('taken\n');
    await polder('fail', 'm1');
    await polder('heal').catch(() => undefined);
    await polder('recover', 'm1');
    while ((await polder('read', 'name', '--member', 'm3')) !== 'mine\n');
    expect(await polder('read', 'name', '--member', 'm1')).toBe('mine\n');

    await polder('put', 'elsewhere', '1');
    const absent = await refusal('read', 'elsewhere', '--member', await leader());
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('polder get elsewhere') });
    const { members } = JSON.parse(await polder('registers', 'status', '--json')) as {
      members: { name: string; status: { state: string } | null }[];
    };
    expect(members.map(({ name, status: of }) => `${name} ${of?.state}`)).toEqual(['m1 ready', 'm2 ready', 'm3 ready']);
  }, 60_000);

  it.runIf(hasEtcdctl)('answers etcdctl before, during and after the death of its leader', async () => {
    const hosts = await endpoints();
    const etcdctl = async (...words: string[]) =>
      (await run('etcdctl', [`--endpoints=${hosts}`, ...words], { env: environment() })).stdout.trim();
    const round = async (value: string): Promise<void> => {
      expect(await etcdctl('put', 'key', value)).toBe('OK');
      expect(await etcdctl('get', 'key', '--print-value-only')).toBe(value);
      const revision = JSON.parse(await etcdctl('get', 'key', '-w', 'json')).header.revision as number;
      expect(await etcdctl('compaction', String(revision))).toBe(`compacted revision ${revision}`);
      expect(await etcdctl('del', 'key')).toBe('1');
      expect((await etcdctl('member', 'list')).split('\n')).toHaveLength(3);
    };
    await round('before');
    const dead = await leader();
    await polder('fail', dead);
    await round('during');
    await polder('recover', dead);
    await round('after');
    expect((await etcdctl('endpoint', 'status')).split('\n')).toHaveLength(3);
  });
});
