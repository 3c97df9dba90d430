/** All the members of a cluster on this machine, their files, and who may break them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  CLUSTER_FILE_VERSION,
  type ClusterFile,
  clientUrl,
  type MemberEntry,
  readClusterFile,
  writeClusterFile,
  writePointer,
} from '../cluster/cluster-file.ts';
import { ControlServer, type MemberAction } from '../cluster/control.ts';
import { fetchStatus, knowsLeader } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { checkFree, findFreePorts } from './free-ports.ts';
import { MemberProcess } from './member-process.ts';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

export interface UpOptions {
  readonly members: number;
  readonly data?: string;
  readonly basePort?: number;
  readonly breakable: boolean;
  readonly logLevel: string;
}

type Plan = Pick<ClusterFile, 'cluster' | 'members'>;

export class Supervisor {
  readonly directory: string;
  readonly #plan: Plan;
  readonly #breakable: boolean;
  readonly #control: ControlServer;
  readonly #token = randomBytes(24).toString('base64url');
  readonly #processes: readonly MemberProcess[];
  #controlUrl = '';
  #stopping = false;

  private constructor(directory: string, plan: Plan, options: UpOptions) {
    this.directory = directory;
    this.#plan = plan;
    this.#breakable = options.breakable;
    this.#control = new ControlServer(this.#token, (action, member) => this.act(action, member));
    this.#processes = plan.members.map((member) => {
      const configPath = join(directory, `${member.name}.json`);
      writeFileSync(configPath, `${JSON.stringify(memberConfig(directory, plan, member, options), null, 2)}\n`);
      const logPath = join(directory, `${member.name}.log`);
      return new MemberProcess(member.name, configPath, logPath, () => this.#onMemberExit());
    });
  }

  /** Writes the files and starts every member; a directory that holds a cluster continues it. */
  static async start(options: UpOptions): Promise<Supervisor> {
    const directory = prepareDirectory(options.data);
    const plan = await planCluster(directory, options);
    const supervisor = new Supervisor(directory, plan, options);
    supervisor.#controlUrl = await supervisor.#control.listen();
    for (const member of supervisor.#processes) member.start();
    supervisor.#writeFile();
    writePointer(directory);
    return supervisor;
  }

  get file(): ClusterFile {
    return {
      version: CLUSTER_FILE_VERSION,
      cluster: this.#plan.cluster,
      breakable: this.#breakable,
      pid: process.pid,
      control: { url: this.#controlUrl, token: this.#token },
      members: this.#plan.members.map((member, index) => ({ ...member, pid: this.#processes[index]?.pid ?? null })),
    };
  }

  /** Until every member answers and knows a leader. A member that dies before that is an error with its log's end. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const dead = this.#processes.find((member) => member.pid === null);
      if (dead !== undefined) {
        const text = `${dead.name} stopped while it started. The end of ${dead.logPath}:\n${dead.logTail()}`;
        throw new CommandError(ExitCode.failure, text);
      }
      const statuses = await Promise.all(this.#plan.members.map((member) => fetchStatus(clientUrl(member))));
      if (statuses.every((status) => status !== null && knowsLeader(status))) return;
      if (performance.now() > deadline) {
        const text = `the members did not elect a leader within ${READY_TIMEOUT_MS / 1000} s; their logs are in ${this.directory}`;
        throw new CommandError(ExitCode.failure, text);
      }
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
  }

  async act(action: MemberAction, name: string): Promise<void> {
    if (!this.#breakable) {
      throw new CommandError(ExitCode.failure, 'this cluster may not be broken; start one with: polder up --breakable');
    }
    const member = this.#processes.find((each) => each.name === name);
    if (member === undefined) {
      const names = this.#processes.map((each) => each.name).join(', ');
      throw new CommandError(ExitCode.unknown, `there is no member "${name}"; there are ${names}`);
    }
    if (this.#stopping) throw new CommandError(ExitCode.failure, 'the cluster is stopping');
    switch (action) {
      case 'fail':
        await member.kill();
        break;
      case 'recover':
        member.start();
        break;
      case 'pause':
        member.pause();
        break;
      case 'resume':
        member.resume();
        break;
    }
    this.#writeFile();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#processes.map((member) => member.stop()));
    this.#control.close();
    this.#writeFile();
  }

  #onMemberExit(): void {
    if (!this.#stopping) this.#writeFile();
  }

  #writeFile(): void {
    writeClusterFile(this.directory, this.file);
  }
}

function prepareDirectory(data: string | undefined): string {
  if (data === undefined) return mkdtempSync(join(tmpdir(), 'polder-'));
  const directory = resolve(data);
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    throw new CommandError(ExitCode.failure, `cannot make the directory ${directory}: ${(cause as Error).message}`, {
      cause,
    });
  }
  return directory;
}

async function planCluster(directory: string, options: UpOptions): Promise<Plan> {
  const existing = readClusterFile(directory);
  if (existing !== null) {
    if (existing.members.length !== options.members) {
      throw new CommandError(
        ExitCode.failure,
        `${directory} holds a cluster of ${existing.members.length}; give --members ${existing.members.length} or another --data`,
      );
    }
    await checkFree(existing.members.flatMap((member) => [member.peerPort, member.clientPort]));
    return { cluster: existing.cluster, members: existing.members };
  }
  const ports = await choosePorts(options);
  const members = Array.from({ length: options.members }, (_, index) => ({
    name: `m${index + 1}`,
    id: index + 1,
    peerHost: '127.0.0.1',
    peerPort: ports[index * 2 + 1] ?? 0,
    clientHost: '127.0.0.1',
    clientPort: ports[index * 2] ?? 0,
    pid: null,
  }));
  return { cluster: `polder-${randomBytes(6).toString('hex')}`, members };
}

/** Client and peer port of each member in turn: base, base + 1, ... */
async function choosePorts(options: UpOptions): Promise<number[]> {
  if (options.basePort === undefined) return findFreePorts(options.members * 2);
  const base = options.basePort;
  const ports = Array.from({ length: options.members * 2 }, (_, index) => base + index);
  await checkFree(ports);
  return ports;
}

function memberConfig(directory: string, plan: Plan, member: MemberEntry, options: UpOptions): object {
  return {
    name: member.name,
    cluster: plan.cluster,
    members: plan.members.map(({ pid: _pid, ...addresses }) => addresses),
    dataDirectory: join(directory, member.name),
    breakable: options.breakable,
    logLevel: options.logLevel,
  };
}
