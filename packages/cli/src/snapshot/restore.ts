import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { restoreMember } from '@polder/server';
import { CLUSTER_FILE_VERSION, writeClusterFile } from '../cluster/cluster-file.ts';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { newPlan, type Plan } from '../up/plan.ts';
import { inspectSnapshot } from './inspect.ts';

export interface RestoreCommand {
  readonly data: string;
  readonly members?: number;
  readonly basePort?: number;
  readonly name?: string;
  readonly cluster?: string;
}

const MEMBERS_DEFAULT = 3;

/** The file is checked whole before anything is made. What was made when it fails is taken away again. */
export async function restoreSnapshot(file: string, options: RestoreCommand, terminal: Terminal): Promise<void> {
  const directory = resolve(options.data);
  const { name, cluster, members = MEMBERS_DEFAULT } = options;
  if ((name === undefined) !== (cluster === undefined)) {
    throw new CommandError(ExitCode.unknown, '--name and --cluster go together: which member, of which new cluster');
  }
  if (name !== undefined && options.members !== undefined) {
    throw new CommandError(ExitCode.unknown, 'give --members for a cluster on this machine, or --name for one member');
  }
  await expectEmpty(directory);
  const { revision, keys } = await inspectSnapshot(file);
  const made = `${keys} keys at revision ${revision}`;
  if (name !== undefined && cluster !== undefined) {
    await restored(directory, () => restoreMember({ file, dataDirectory: directory, cluster, member: name }));
    terminal.progress(`${directory} is member ${name} of the new cluster ${cluster}: ${made}`);
    return;
  }
  const plan = await newPlan(members, options.basePort);
  await restored(directory, () => restoreAll(directory, file, plan));
  terminal.progress(
    `${directory} holds a new cluster of ${members}: ${made}. Start it: polder up --data ${options.data}`,
  );
}

async function restoreAll(directory: string, file: string, plan: Plan): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { name: member } of plan.members) {
    await restoreMember({ file, dataDirectory: join(directory, member), cluster: plan.cluster, member });
  }
  const control = { url: '', token: '' };
  writeClusterFile(directory, { version: CLUSTER_FILE_VERSION, breakable: false, pid: 0, control, ...plan });
}

async function restored(directory: string, restore: () => Promise<void>): Promise<void> {
  try {
    await restore();
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw new CommandError(ExitCode.failure, `nothing was restored: ${messageOf(error)}`, { cause: error });
  }
}

async function expectEmpty(directory: string): Promise<void> {
  let names: string[] = [];
  try {
    names = await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  if (names.length === 0) return;
  const text = `${directory} is not empty (${names.slice(0, 3).join(', ')}): restore into a directory of its own`;
  throw new CommandError(ExitCode.failure, text);
}
