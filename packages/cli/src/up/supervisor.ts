/** All the members of a cluster on this machine, their files, and who may break them. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
import { type ControlRequest, ControlServer, type MemberAction } from '../cluster/control.ts';
import { fetchStatus, isMember, knowsLeader } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { checkFree, findFreePorts } from './free-ports.ts';
import { configPath, writeFounderConfig, writeJoinerConfig } from './member-config.ts';
import { MemberProcess } from './member-process.ts';
import { HOST, newPlan, type Plan } from './plan.ts';

const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

const MEMBERS_DEFAULT = 5;

export interface UpOptions {
  /** Of a new cluster. */
  readonly members?: number;
  readonly data?: string;
  readonly basePort?: number;
  readonly breakable: boolean;
  readonly logLevel: string;
}

interface RunMember {
  readonly entry: MemberEntry;
  readonly process: MemberProcess;
}

export class Supervisor {
  readonly directory: string;
  readonly #cluster: string;
  readonly #options: UpOptions;
  readonly #control: ControlServer;
  readonly #token = randomBytes(24).toString('base64url');
  #members: readonly RunMember[];
  #controlUrl = '';
  #stopping = false;

  private constructor(directory: string, plan: Plan, options: UpOptions) {
    this.directory = directory;
    this.#cluster = plan.cluster;
    this.#options = options;
    this.#control = new ControlServer(this.#token, (request, member) => this.#onControl(request, member));
    for (const entry of plan.members) writeFounderConfig(directory, plan, entry, options);
    this.#members = plan.members.map((entry) => ({ entry, process: this.#newProcess(entry.name) }));
  }

  #newProcess(name: string): MemberProcess {
    const logPath = join(this.directory, `${name}.log`);
    const onExit = (member: MemberProcess, code: number | null): void => this.#onMemberExit(member, code);
    return new MemberProcess(name, configPath(this.directory, name), logPath, onExit);
  }

  /** Writes the files and starts every member; a directory that holds a cluster continues it. */
  static async start(options: UpOptions): Promise<Supervisor> {
    const directory = prepareDirectory(options.data);
    const plan = await planCluster(directory, options);
    const supervisor = new Supervisor(directory, plan, options);
    supervisor.#controlUrl = await supervisor.#control.listen();
    for (const { process: member } of supervisor.#members) member.start();
    supervisor.#writeFile();
    writePointer(directory);
    return supervisor;
  }

  get file(): ClusterFile {
    return {
      version: CLUSTER_FILE_VERSION,
      cluster: this.#cluster,
      breakable: this.#options.breakable,
      pid: process.pid,
      control: { url: this.#controlUrl, token: this.#token },
      members: this.#members.map(({ entry, process: member }) => ({ ...entry, pid: member.pid })),
    };
  }

  /** Until every member answers and knows a leader, or waits to be added. A member that dies before that is an error with its log's end. */
  async ready(): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    for (;;) {
      const dead = this.#members.find(({ process: member }) => member.pid === null)?.process;
      if (dead !== undefined) {
        const text = `${dead.name} stopped while it started. The end of ${dead.logPath}:\n${dead.logTail()}`;
        throw new CommandError(ExitCode.failure, text);
      }
      const statuses = await Promise.all(this.#members.map(({ entry }) => fetchStatus(clientUrl(entry))));
      const isReady = statuses.every((status) => status !== null && (knowsLeader(status) || !isMember(status)));
      if (isReady && statuses.some((status) => status !== null && knowsLeader(status))) return;
      if (performance.now() > deadline) {
        const text = `the members did not elect a leader within ${READY_TIMEOUT_MS / 1000} s; their logs are in ${this.directory}`;
        throw new CommandError(ExitCode.failure, text);
      }
      await new Promise((wake) => setTimeout(wake, POLL_MS));
    }
  }

  async #onControl(request: ControlRequest, name: string): Promise<void> {
    if (this.#stopping) throw new CommandError(ExitCode.failure, 'the cluster is stopping');
    switch (request.type) {
      case 'join':
        return this.#join(name, request.id);
      case 'forget':
        return this.#forget(name);
      default:
        return this.#act(request.type, name);
    }
  }

  async #act(action: MemberAction, name: string): Promise<void> {
    if (!this.#options.breakable) {
      throw new CommandError(ExitCode.failure, 'this cluster may not be broken; start one with: polder up --breakable');
    }
    const member = this.#members.find(({ entry }) => entry.name === name)?.process;
    if (member === undefined) {
      const names = this.#members.map(({ entry }) => entry.name).join(', ');
      throw new CommandError(ExitCode.unknown, `there is no member "${name}"; there are ${names}`);
    }
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
    await Promise.all(this.#members.map(({ process: member }) => member.stop()));
    this.#control.close();
    this.#writeFile();
  }

  /** A process that waits to be added; one that is there already under this number goes on. */
  async #join(name: string, id: number): Promise<void> {
    const present = this.#members.find(({ entry }) => entry.name === name);
    if (present !== undefined) {
      if (present.entry.id !== id) {
        const held = `${name} is there with number ${present.entry.id}, not ${id}`;
        throw new CommandError(ExitCode.failure, `${held}: remove it first, or take another name`);
      }
      if (present.process.pid === null) present.process.start();
    } else {
      const [peerPort = 0, clientPort = 0] = await findFreePorts(2);
      const entry = { name, id, peerHost: HOST, peerPort, clientHost: HOST, clientPort, pid: null };
      const others = this.#members.map((member) => member.entry);
      writeJoinerConfig(this.directory, { cluster: this.#cluster, members: others }, entry, this.#options);
      const joiner = { entry, process: this.#newProcess(name) };
      this.#members = [...this.#members, joiner];
      joiner.process.start();
    }
    this.#writeFile();
  }

  /** It is no member any more: its data stays, for whoever wants to look. */
  async #forget(name: string): Promise<void> {
    const found = this.#members.find(({ entry }) => entry.name === name);
    if (found === undefined) return;
    this.#members = this.#members.filter((member) => member !== found);
    await found.process.stop();
    rmSync(configPath(this.directory, name), { force: true });
    this.#writeFile();
  }

  #onMemberExit(member: MemberProcess, code: number | null): void {
    if (this.#stopping) return;
    const removed = code === ExitCode.removed && this.#members.some((each) => each.process === member);
    if (removed) void this.#forget(member.name);
    else this.#writeFile();
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
    if (options.members !== undefined && existing.members.length !== options.members) {
      throw new CommandError(
        ExitCode.failure,
        `${directory} holds a cluster of ${existing.members.length}; give --members ${existing.members.length} or another --data`,
      );
    }
    await checkFree(existing.members.flatMap((member) => [member.peerPort, member.clientPort]));
    return { cluster: existing.cluster, members: existing.members };
  }
  return newPlan(options.members ?? MEMBERS_DEFAULT, options.basePort);
}
