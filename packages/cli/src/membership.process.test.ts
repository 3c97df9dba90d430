/** The members of a cluster of processes change while clients read and write. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClusterFile, clientUrl, readClusterFile } from './cluster/cluster-file.ts';
import { askControl } from './cluster/control.ts';
import { fetchStatus } from './cluster/member-http.ts';
import { SteadyLoad } from './member/steady-load.test-support.ts';
import { runProgram } from './program.ts';
import { judge } from './tour/verdict.ts';
import { findFreePorts } from './up/free-ports.ts';

const COMMAND = fileURLToPath(new URL('../bin/polder.js', import.meta.url));
const run = promisify(execFile);
const hasEtcdctl = spawnSync('etcdctl', ['version'], { env: { ...process.env, ETCDCTL_API: '3' } }).status === 0;
if (!hasEtcdctl) {
  process.stderr.write('skipped: etcdctl is not installed (Debian: etcd-client), its membership test does not run\n');
}

let directory = '';
let data = '';
let cluster: ChildProcess;
const joiners: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-membership-'));
  data = join(directory, 'data');
  cluster = await up('--members', '1');
});

afterAll(async () => {
  for (const joiner of joiners) joiner.kill('SIGKILL');
  await stopped(cluster);
  await rm(directory, { recursive: true, force: true });
});

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, XDG_STATE_HOME: join(directory, 'state'), ETCDCTL_API: '3', NO_COLOR: '1' };
}

async function up(...flags: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [COMMAND, 'up', '--data', data, ...flags], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout.resume();
  await new Promise<void>((resolve, reject) => {
    const said: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (line.startsWith('The cluster stays up')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`polder up ended with ${code}: ${said.join('\n')}`)));
  });
  return child;
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
}

/** The command, in this process: what it says on stdout. */
async function polder(...words: string[]): Promise<string> {
  const out: string[] = [];
  const said: string[] = [];
  const terminal = {
    data: (text: string) => void out.push(text),
    bytes: () => undefined,
    progress: (text: string) => void said.push(text),
    style: (_: unknown, text: string) => text,
  };
  const code = await runProgram(words, terminal);
  if (code !== 0) throw new Error(`polder ${words.join(' ')} ended with ${code}: ${said.join('\n')}`);
  return out.join('\n');
}

const member = (...words: string[]): Promise<string> => polder('member', ...words, '--data', data);

function file(): ClusterFile {
  const found = readClusterFile(data);
  if (found === null) throw new Error('the cluster has a file');
  return found;
}

const names = (): string[] => file().members.map(({ name }) => name);
const endpoints = (): string =>
  file()
    .members.map(({ clientHost, clientPort }) => `${clientHost}:${clientPort}`)
    .join();

function pidOf(name: string): number {
  const pid = file().members.find((each) => each.name === name)?.pid;
  if (typeof pid !== 'number') throw new Error(`${name} runs`);
  return pid;
}

async function listed(): Promise<{ name: string; id: string; isLearner: boolean }[]> {
  return (JSON.parse(await member('list', '--json')) as { members: { name: string; id: string; isLearner: boolean }[] })
    .members;
}

/** A process that nobody but this test knows, and waits to be added. */
async function joiner(name: string): Promise<{ child: ChildProcess; peerUrl: string; ended: Promise<unknown[]> }> {
  const [peerPort = 0, clientPort = 0] = await findFreePorts(2);
  const first = file().members[0];
  const status = first === undefined ? null : await fetchStatus(clientUrl(first));
  const self = `${name}=${status?.configuration.nextMember ?? 0}@127.0.0.1:${peerPort}/127.0.0.1:${clientPort}`;
  const flags = ['--name', name, '--cluster', file().cluster, '--members', self, '--data', join(directory, name)];
  const child = spawn(process.execPath, [COMMAND, 'serve', '--join', '--log-level', 'error', ...flags], {
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  joiners.push(child);
  await expect.poll(() => fetchStatus(`http://127.0.0.1:${clientPort}`), { timeout: 10_000 }).not.toBeNull();
  return { child, peerUrl: `http://127.0.0.1:${peerPort}`, ended: once(child, 'exit') };
}

describe('the members of a cluster of processes', () => {
  it('grow from 1 to 3 to 5, are all replaced, and shrink to 1, while every acknowledged write is kept', async () => {
    const load = new SteadyLoad(data);
    load.start();
    for (let size = 2; size <= 5; size++) await member('add', `m${size}`);
    expect(names()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
    expect((await listed()).filter(({ isLearner }) => isLearner)).toEqual([]);
    // One of them is dead by then.
    process.kill(pidOf('m5'), 'SIGKILL');
    for (let old = 1; old <= 5; old++) await member('replace', `m${old}`);
    expect(names()).toEqual(['m6', 'm7', 'm8', 'm9', 'm10']);
    for (const name of ['m10', 'm8', 'm6', 'm7']) await member('remove', name);
    await load.end();
    expect(names()).toEqual(['m9']);
    const verdict = judge(load.recorder.events, { read: 100, write: 100, cas: 0 });
    expect(verdict.passed, verdict.lines.join('\n')).toBe(true);
    expect(load.acknowledged.size).toBeGreaterThan(50);
    for (const removed of ['m1', 'm4', 'm6', 'm10']) {
      expect(readFileSync(join(data, `${removed}.log`), 'utf8')).toContain(`${removed} stopped (Removed)`);
    }
  });

  it('take a name back under another number, go on with what was left half done, and are found again when "polder up" starts again', async () => {
    // As a run of the command leaves it that was broken off.
    await askControl(file(), { type: 'join', id: 11 }, 'm1');
    const left = pidOf('m1');
    const added = JSON.parse(await member('add', 'm1', '--learner', '--json')) as { id: number; isLearner: boolean };
    expect(added).toMatchObject({ id: 11, isLearner: true });
    expect(pidOf('m1')).toBe(left);
    await stopped(cluster);
    cluster = await up();
    expect((await listed()).map(({ name, isLearner }) => [name, isLearner])).toEqual([
      ['m9', false],
      ['m1', true],
    ]);
    await member('promote', 'm1');
    expect(await polder('transfer', 'm1', '--data', data)).toBe('m1 leads');
    await member('remove', 'm1');
    expect(names()).toEqual(['m9']);
  });

  it('may be processes of one’s own: one that was removed stops by itself, with exit code 4', async () => {
    const { peerUrl, ended } = await joiner('own');
    await polder('member', 'add', '--endpoints', endpoints(), '--peer-url', peerUrl);
    expect((await listed()).map(({ name }) => name)).toEqual(['m9', 'own']);
    await polder('member', 'remove', 'own', '--endpoints', endpoints());
    expect((await ended)[0]).toBe(4);
  });

  it.runIf(hasEtcdctl)(
    'are changed by etcdctl, which adds a process that runs and refuses one that does not',
    async () => {
      const etcdctl = async (...words: string[]): Promise<string> =>
        (await run('etcdctl', [`--endpoints=${endpoints()}`, ...words], { env: environment() })).stdout.trim();
      await expect(etcdctl('member', 'add', 'x', '--learner', '--peer-urls=http://127.0.0.1:1')).rejects.toThrow(
        '--join',
      );
      const { peerUrl, ended } = await joiner('etcd');
      expect(await etcdctl('member', 'add', 'etcd', '--learner', `--peer-urls=${peerUrl}`)).toContain(
        'added to cluster',
      );
      const line = (await etcdctl('member', 'list')).split('\n').find((each) => each.includes(peerUrl)) ?? '';
      expect(line).toMatch(/, started, etcd, .*, true$/);
      const [id = ''] = line.split(',');
      await expect
        .poll(() => etcdctl('member', 'promote', id).catch(String), { timeout: 10_000 })
        .toContain('promoted');
      expect(await etcdctl('move-leader', id)).toContain('Leadership transferred');
      expect(await etcdctl('member', 'remove', id)).toContain('removed from cluster');
      expect((await ended)[0]).toBe(4);
      expect((await etcdctl('member', 'list')).split('\n')).toHaveLength(1);
    },
  );
});
