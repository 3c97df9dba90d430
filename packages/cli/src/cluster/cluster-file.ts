import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { CommandError, ExitCode } from '../exit-code.ts';

export const CLUSTER_FILE_VERSION = 1;
export const MAX_MEMBERS = 31;

export interface MemberEntry {
  readonly name: string;
  /** 1 to n. */
  readonly id: number;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly clientHost: string;
  readonly clientPort: number;
  /** null while the process is down. */
  readonly pid: number | null;
}

/** What `polder up` writes to DIR/cluster.json for the commands in other terminals. */
export interface ClusterFile {
  readonly version: number;
  /** Members with another cluster name are refused. */
  readonly cluster: string;
  readonly breakable: boolean;
  /** The process of `polder up`. */
  readonly pid: number;
  readonly control: { readonly url: string; readonly token: string };
  readonly members: readonly MemberEntry[];
}

export function clientUrl(member: Pick<MemberEntry, 'clientHost' | 'clientPort'>): string {
  return `http://${member.clientHost}:${member.clientPort}`;
}

export function clusterFilePath(directory: string): string {
  return join(directory, 'cluster.json');
}

/** Readable by the owner only: it holds the token that lets one kill the members. */
export function writeClusterFile(directory: string, cluster: ClusterFile): void {
  writeWhole(clusterFilePath(directory), `${JSON.stringify(cluster, null, 2)}\n`);
}

/** null: there is no such file. */
export function readClusterFile(directory: string): ClusterFile | null {
  const path = clusterFilePath(directory);
  const text = readIfThere(path);
  return text === null ? null : parseClusterFile(text, path);
}

export function parseClusterFile(text: string, path: string): ClusterFile {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CommandError(ExitCode.failure, `${path} is not JSON; start the cluster again with: polder up`, { cause });
  }
  const file = parsed as Partial<ClusterFile> | null;
  if (file?.version !== CLUSTER_FILE_VERSION) {
    const found = String(file?.version ?? 'none');
    throw new CommandError(
      ExitCode.failure,
      `${path} has version ${found}, this polder reads ${CLUSTER_FILE_VERSION}; use the polder that wrote it`,
    );
  }
  if (!Array.isArray(file.members) || typeof file.control?.url !== 'string' || typeof file.cluster !== 'string') {
    throw new CommandError(
      ExitCode.failure,
      `${path} lacks its members or its control address; start the cluster again`,
    );
  }
  return file as ClusterFile;
}

/** Where the directory of the cluster started last on this machine is remembered. */
export function pointerPath(): string {
  const state = process.env['XDG_STATE_HOME'];
  return join(state !== undefined && state !== '' ? state : join(homedir(), '.local', 'state'), 'polder', 'last');
}

export function writePointer(directory: string): void {
  const path = pointerPath();
  mkdirSync(dirname(path), { recursive: true });
  writeWhole(path, `${resolve(directory)}\n`);
}

export function readPointer(): string | null {
  const directory = readIfThere(pointerPath())?.trim() ?? '';
  return directory === '' ? null : directory;
}

/** Written beside and renamed, so that a reader never sees half a file. */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.${process.pid}`;
  try {
    writeFileSync(beside, text, { mode: 0o600 });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
