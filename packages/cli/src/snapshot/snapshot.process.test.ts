/** A backup of real processes, and a new cluster from it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../bin/polder.js', import.meta.url));
const run = promisify(execFile);
const KEYS = 40;
/** Several pieces of it, and several flushes of a store. */
const VALUE = 'v'.repeat(20_000);

let directory = '';
let running: ChildProcess | null = null;

const environment = () => ({ ...process.env, NO_COLOR: '1', XDG_STATE_HOME: join(directory, 'state') });
const path = (name: string) => join(directory, name);

async function polder(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [COMMAND, ...args], { env: environment(), maxBuffer: 1 << 24 });
  return stdout;
}

/** What the command says when it fails. */
async function refusal(...args: string[]): Promise<string> {
  const failed = await polder(...args).then(
    () => null,
    (error: { code: number; stderr: string }) => error,
  );
  expect(failed?.code).toBe(1);
  return failed?.stderr ?? '';
}

async function up(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [COMMAND, 'up', ...args], {
    env: environment(),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running = child;
  child.stdout.resume();
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (line) => line.startsWith('The cluster stays up') && resolve());
    child.once('exit', (code) => reject(new Error(`polder up ended with ${code}`)));
  });
}

async function down(): Promise<void> {
  const child = running;
  running = null;
  if (child === null || child.exitCode !== null) return;
  child.removeAllListeners('exit');
  child.kill('SIGTERM');
  await once(child, 'exit');
}

/** Keys 0 to 29, ten of them twice, and one deleted. */
async function fill(): Promise<void> {
  const status = JSON.parse(await polder('status', '--json')) as { members: { clientUrl: string }[] };
  const client = new Etcd3({ hosts: status.members.map(({ clientUrl }) => clientUrl) });
  try {
    for (let i = 0; i < KEYS; i++) await client.put(`key ${i % 30}`).value(`${i} ${i % 4 === 0 ? VALUE : ''}`);
    await client.delete().key('key 3');
  } finally {
    client.close();
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-snapshot-'));
});

afterAll(async () => {
  await down();
  await rm(directory, { recursive: true, force: true });
});

describe('polder snapshot', () => {
  it('saves a cluster that runs, says what is in the file, and makes a new cluster with all of it', {
    timeout: 60_000,
  }, async () => {
    await up('--members', '1', '--data', path('old'));
    await fill();
    const before = await polder('get', 'key', '--prefix');
    await polder('snapshot', 'save', path('backup'));
    const summary = JSON.parse(await polder('snapshot', 'status', path('backup'), '--json'));
    expect(summary).toMatchObject({ revision: KEYS + 2, keys: 29, compactRevision: 0 });
    expect(summary.fileBytes).toBe((await readFile(path('backup'))).length);
    expect(await polder('snapshot', 'status', path('backup'))).toContain('holds');
    expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
    await down();

    await polder('snapshot', 'restore', path('backup'), '--data', path('new'), '--members', '3');
    await up('--data', path('new'));
    expect(await polder('get', 'key', '--prefix')).toBe(before);
    expect(await polder('get', 'key 3', '--rev', '6')).toContain('3 ');
    await polder('put', 'later', 'x');
    await down();
    const [was, is] = await Promise.all(
      ['old/m1', 'new/m1'].map(async (member) => JSON.parse(await readFile(path(`${member}/identity.json`), 'utf8'))),
    );
    expect(is.cluster).not.toBe(was.cluster);
    expect(is.directory).not.toBe(was.directory);
  });

  it('refuses a damaged file, a cut one, and a directory with something in it, and leaves nothing behind', {
    timeout: 30_000,
  }, async () => {
    const bytes = await readFile(path('backup'));
    await writeFile(path('cut'), bytes.subarray(0, bytes.length - 5));
    await writeFile(path('damaged'), bytes);
    const handle = await open(path('damaged'), 'r+');
    await handle.write('x', bytes.length >> 1);
    await handle.close();
    for (const file of ['cut', 'damaged']) {
      expect(await refusal('snapshot', 'status', path(file))).toContain(file);
      expect(await refusal('snapshot', 'restore', path(file), '--data', path('never'))).toContain('take another one');
    }
    await mkdir(path('full'));
    await writeFile(path('full/mine'), 'something');
    const answer = await refusal('snapshot', 'restore', path('backup'), '--data', path('full'));
    expect(answer).toContain('is not empty');
    expect(await readdir(path('full'))).toEqual(['mine']);
    expect(await readdir(directory)).not.toContain('never');
  });
});
