/** The file that a member's process is started with: NAME.json beside its data. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterFile, MemberEntry } from '../cluster/cluster-file.ts';

interface Settings {
  readonly breakable: boolean;
  readonly logLevel: string;
}

export function configPath(directory: string, name: string): string {
  return join(directory, `${name}.json`);
}

/**
 * Of a member that is there when `polder up` starts. Whom the cluster began with, or that it joined, stays as it was
 * written first: only what is asked for in each start is written anew.
 */
export function writeFounderConfig(
  directory: string,
  { cluster, members }: Pick<ClusterFile, 'cluster' | 'members'>,
  member: MemberEntry,
  { breakable, logLevel }: Settings,
): void {
  const dataDirectory = join(directory, member.name);
  const fresh = { name: member.name, cluster, members: members.map(addressesOf), dataDirectory };
  write(directory, member.name, { ...(read(directory, member.name) ?? fresh), breakable, logLevel });
}

/** A name may come back, under another number: so does its directory. */
export function writeJoinerConfig(
  directory: string,
  { cluster, members }: Pick<ClusterFile, 'cluster' | 'members'>,
  member: MemberEntry,
  { breakable, logLevel }: Settings,
): void {
  const { name, id } = member;
  const dataDirectory = join(directory, `${name}-${id}`);
  const all = [...members.filter((other) => other.id !== id), member].map(addressesOf);
  write(directory, name, { name, cluster, join: true, members: all, dataDirectory, breakable, logLevel });
}

function addressesOf({ pid: _pid, ...addresses }: MemberEntry): object {
  return addresses;
}

function read(directory: string, name: string): object | null {
  try {
    return JSON.parse(readFileSync(configPath(directory, name), 'utf8')) as object;
  } catch {
    return null;
  }
}

function write(directory: string, name: string, config: object): void {
  writeFileSync(configPath(directory, name), `${JSON.stringify(config, null, 2)}\n`);
}
