/** The stores under load: members on loopback, each a process with a data directory of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Http2Connection } from './http2-connection.ts';
import { PUT, requestOf } from './requests.ts';

/** Found on PATH; no part of the project, so a machine without it has no peer to compare with. */
const ETCD = 'etcd';
const HOST = '127.0.0.1';
const START_MS = 30_000;
const STOP_MS = 5_000;
/** Linux's USER_HZ, in which /proc counts. */
const TICK_MS = 10;
const POLDER = fileURLToPath(new URL('../../packages/cli/bin/polder.js', import.meta.url));

/** Ended children must not leave their data behind, nor outlive an interrupted run. */
const running = new Set<Cluster>();

export type StoreName = 'polder' | 'etcd';

export interface Member {
  readonly name: string;
  readonly host: string;
  readonly peerPort: number;
  readonly clientPort: number;
  readonly directory: string;
  child: ChildProcess | null;
}

export interface ClusterOptions {
  readonly name: StoreName;
  readonly members: number;
  /** Flags for the Node of Polder's members. */
  readonly nodeFlags?: readonly string[];
}

export class Cluster {
  readonly name: StoreName;
  readonly members: readonly Member[];
  readonly #nodeFlags: readonly string[];
  readonly #root: string;
  #output = '';

  private constructor(options: ClusterOptions, root: string, members: readonly Member[]) {
    this.name = options.name;
    this.#nodeFlags = options.nodeFlags ?? [];
    this.#root = root;
    this.members = members;
  }

  /** Returns once every member has acknowledged a put. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const root = mkdtempSync(join(tmpdir(), `polder-bench-${options.name}-`));
    const members: Member[] = [];
    for (let number = 1; number <= options.members; number++) {
      const name = `m${number}`;
      const [peerPort, clientPort] = [await freePort(), await freePort()];
      members.push({ name, host: HOST, peerPort, clientPort, directory: join(root, name), child: null });
    }
    const cluster = new Cluster(options, root, members);
    running.add(cluster);
    for (const member of members) cluster.startMember(member);
    for (const member of members) await cluster.untilServing(member);
    return cluster;
  }

  startMember(member: Member): void {
    const [command, args] = this.#commandOf(member);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-2_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(error.message)));
    member.child = child;
  }

  /** Until the member acknowledges a put. */
  async untilServing(member: Member): Promise<void> {
    const endMs = performance.now() + START_MS;
    while (!(await put(member, 1_000))) {
      if (!isAlive(member) || performance.now() > endMs)
        throw new Error(`${this.name} does not serve\n${this.#output}`);
      await sleep(20);
    }
  }

  /** User and system time of all members since they were started. */
  cpuMs(): number {
    return this.#sum((pid) => {
      const fields = afterCommand(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    });
  }

  /** Resident memory of each member. */
  residentBytes(): number[] {
    return this.#pids().map((pid) => {
      const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) * 1_024;
    });
  }

  #pids(): number[] {
    return this.members.flatMap(({ child }) => (child?.pid === undefined ? [] : [child.pid]));
  }

  #sum(measure: (pid: number) => number): number {
    return this.#pids().reduce((sum, pid) => sum + measure(pid), 0);
  }

  /** Waits until they have ended by themselves, and so written what they write at their end. */
  async stop(): Promise<void> {
    const ended = this.members.filter(isAlive).map(async ({ child }) => {
      const exit = new Promise((resolve) => child?.once('exit', resolve));
      child?.kill('SIGTERM');
      await Promise.race([exit, sleep(STOP_MS, undefined, { ref: false })]);
    });
    await Promise.all(ended);
    this.kill();
  }

  /** At once, for an interrupted run. */
  kill(): void {
    for (const member of this.members) if (isAlive(member)) member.child?.kill('SIGKILL');
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
    running.delete(this);
  }

  #commandOf(member: Member): [string, string[]] {
    const { members } = this;
    switch (this.name) {
      case 'polder': {
        const list = members.map(
          (each, i) => `${each.name}=${i + 1}@${HOST}:${each.peerPort}/${HOST}:${each.clientPort}`,
        );
        const flags = ['--name', member.name, '--members', list.join(','), '--data', member.directory];
        return [process.execPath, [...this.#nodeFlags, POLDER, 'serve', ...flags, '--log-level', 'warn']];
      }
      case 'etcd': {
        const [peerUrl, clientUrl] = [`http://${HOST}:${member.peerPort}`, `http://${HOST}:${member.clientPort}`];
        const list = members.map((each) => `${each.name}=http://${HOST}:${each.peerPort}`);
        const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
        const clients = ['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl];
        const flags = ['--name', member.name, '--data-dir', member.directory, '--initial-cluster', list.join(',')];
        return [ETCD, [...flags, ...peers, ...clients, '--logger', 'zap', '--log-level', 'warn']];
      }
    }
  }
}

/** One put over a connection of its own; false when it is not acknowledged in time. */
export async function put(member: Member, timeoutMs: number): Promise<boolean> {
  let connection: Http2Connection;
  try {
    connection = await Http2Connection.connect(member.host, member.clientPort, () => undefined);
  } catch {
    return false;
  }
  const answered = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), timeoutMs);
    connection.call(PUT, requestOf('put', new Uint8Array(1))(0), (bytes) => {
      clearTimeout(timer);
      resolve(bytes !== null);
    });
  });
  const acknowledged = await answered;
  connection.close();
  return acknowledged;
}

export function isAlive({ child }: Member): boolean {
  return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** etcd's version, or null when there is none on PATH. */
export function etcdVersion(): string | null {
  const { status, stdout } = spawnSync(ETCD, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown') : null;
}

export function storesHere(): StoreName[] {
  return etcdVersion() === null ? ['polder'] : ['polder', 'etcd'];
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((cluster) => cluster.stop()));
}

export function killAll(): void {
  for (const cluster of running) cluster.kill();
}

/** The fields of /proc/PID/stat from the state on: the command before them may hold anything. */
function afterCommand(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Below the ports that the system gives to outgoing connections: one of those may be taken between asking and using it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}
