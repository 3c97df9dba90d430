/** Real processes, killed at each step of checkpoint, compaction and the installation of a peer's snapshot. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { utf8 } from '@polder/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemberAddresses } from '../embedding/index.ts';
import { PutRequest, RangeRequest, RangeResponse } from '../generated/etcdserverpb/rpc.ts';
import { GrpcClient } from '../grpc/index.ts';
import { loopbackMembers } from '../testing/free-ports.test-support.ts';

const FIXTURE = fileURLToPath(new URL('crash.fixture.ts', import.meta.url));
const QUICK = { electionTimeoutUs: 200_000, heartbeatUs: 20_000, proposalTimeoutUs: 2_000_000 };
const NOWHERE = 'nowhere';
/** Every point takes a minute; without it, those at which most can go wrong. */
const EVERY = process.env['POLDER_CRASH_POINTS'] === 'all';
/** The point, and how often it is passed before. */
const ALONE: readonly [string, number][] = [
  ['checkpoint', 1],
  ['checkpoint done', 2],
  ['open segment', 2],
  ['remove segment', 0],
];
const ALONE_TOO: readonly [string, number][] = [
  ['sync', 40],
  ['sync done', 60],
  ['remove segment done', 1],
];
const INSTALLING: readonly [string, number][] = [
  ['fill done', 0],
  ['name', 0],
  ['remove stores', 1],
];
const INSTALLING_TOO: readonly [string, number][] = [
  ['create', 0],
  ['create done', 0],
  ['fill', 0],
  ['name done', 0],
  ['remove stores soon', 1],
];

let directory = '';
let processes: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-crash-'));
});

afterEach(async () => {
  await Promise.all(processes.map((child) => kill(child)));
  processes = [];
  await rm(directory, { recursive: true, force: true });
});

/** Resolves once it serves, or is dead. */
async function start(members: MemberAddresses[], name: string, point = NOWHERE, passes = 0): Promise<ChildProcess> {
  const dataDirectory = join(directory, name);
  const config = { name, cluster: 'test', members, breakable: false, logLevel: 'silent', timing: QUICK, dataDirectory };
  const args = [FIXTURE, JSON.stringify(config), point, String(passes)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  processes.push(child);
  await new Promise<void>((resolve) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => resolve());
  });
  return child;
}

async function ended(child: ChildProcess): Promise<NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) await new Promise((resolve) => child.once('exit', resolve));
  return child.signalCode;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await ended(child);
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** A client of whichever member answers; each call is tried again until it is answered, or nobody is left. */
class Client {
  readonly #ports: readonly number[];
  #connected: GrpcClient | null = null;
  #next = 0;

  constructor(members: readonly MemberAddresses[]) {
    this.#ports = members.map(({ clientPort = 0 }) => clientPort);
  }

  async put(key: string, isWorthTrying: () => boolean): Promise<boolean> {
    const request = PutRequest.encode({ ...PutRequest.decode(new Uint8Array(0)), key: utf8(key), value: utf8(key) });
    return (await this.#call('/etcdserverpb.KV/Put', request.finish(), isWorthTrying)) !== null;
  }

  /** All keys, as this member has them. */
  async keys(serializable: boolean): Promise<string[]> {
    const all = { key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]), serializable };
    const request = RangeRequest.encode({ ...RangeRequest.decode(new Uint8Array(0)), ...all }).finish();
    const answer = await this.#call('/etcdserverpb.KV/Range', request, () => true);
    if (answer === null) throw new Error('no member answers');
    return RangeResponse.decode(answer).kvs.map(({ key }) => Buffer.from(key).toString());
  }

  async close(): Promise<void> {
    await this.#connected?.close();
    this.#connected = null;
  }

  async #call(path: string, request: Uint8Array, isWorthTrying: () => boolean): Promise<Uint8Array | null> {
    const deadline = Date.now() + 20_000;
    while (isWorthTrying() && Date.now() < deadline) {
      try {
        const port = this.#ports[this.#next % this.#ports.length] ?? 0;
        this.#connected ??= await GrpcClient.connect('127.0.0.1', port, 1_000);
        return await this.#connected.call(path, request, { timeoutMs: 3_000 });
      } catch {
        await this.close();
        this.#next++;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    return null;
  }
}

/** Puts keys until `enough`; gives those that were acknowledged. */
async function putUntil(client: Client, prefix: string, enough: (done: number) => boolean): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; !enough(i); i++) {
    const key = `${prefix} ${String(i).padStart(4, '0')}`;
    if (await client.put(key, () => !enough(i))) acknowledged.push(key);
  }
  return acknowledged;
}

describe('R29: a member killed', () => {
  it.each(EVERY ? [...ALONE, ...ALONE_TOO] : ALONE)(
    'at "%s" has everything that it acknowledged when it starts again',
    async (point, passes) => {
      const members = await loopbackMembers(1);
      const child = await start(members, 'm1', point, passes);
      const client = new Client(members);
      const acknowledged = await putUntil(client, 'key', (done) => !isAlive(child) || done === 2_000);
      expect(await ended(child), 'it was killed where it should be').toBe('SIGKILL');
      await start(members, 'm1');
      expect(await client.keys(false)).toEqual(expect.arrayContaining(acknowledged));
      expect(acknowledged.length).toBeGreaterThan(0);
      await client.close();
    },
  );

  it('at each step of the installation of a peer’s snapshot starts again, and catches up', async () => {
    const members = await loopbackMembers(3);
    const [first, second, third] = members;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three members');
    const started = await Promise.all(members.map(({ name }) => start(members, name)));
    const client = new Client([first, second]);
    const near = new Client([third]);
    let behind = started[2] as ChildProcess;
    // All three must have registered before one may be missed: that takes a few rounds of messages.
    await putUntil(client, 'first', (done) => done === 200);
    for (const [point, passes] of EVERY ? [...INSTALLING, ...INSTALLING_TOO] : INSTALLING) {
      await kill(behind);
      const acknowledged = await putUntil(client, point, (done) => done === 60);
      behind = await start(members, 'm3', point, passes);
      expect(await ended(behind), `killed at ${point}`).toBe('SIGKILL');
      behind = await start(members, 'm3');
      // One more, for until its leader hears that it is installed it keeps the entries behind the snapshot.
      acknowledged.push(...(await putUntil(client, `${point}, after`, (done) => done === 1)));
      await expect.poll(() => near.keys(true), { timeout: 10_000 }).toEqual(expect.arrayContaining(acknowledged));
    }
    await expect
      .poll(async () => (await readdir(join(directory, 'm3'))).filter(isStore), { timeout: 5_000 })
      .toHaveLength(1);
    await Promise.all([client.close(), near.close()]);
  }, 120_000);
});

function isStore(name: string): boolean {
  return /^store-\d+-\d+$/.test(name);
}
