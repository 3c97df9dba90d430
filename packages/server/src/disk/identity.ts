/** Who a data directory belongs to; made once, durably, before anything else is written (PITFALLS R26). */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { PolderError, text, utf8 } from '@polder/core';
import type { FileSystem } from './file-system.ts';

export const IDENTITY_FILE = 'identity.json';
export const IDENTITY_DRAFT = 'identity.json.new';
export const FORMAT_VERSION = 1;

export interface Identity {
  readonly cluster: string;
  /** The member's name. */
  readonly member: string;
  /** A random integer in [1, 2^48): another directory is another one, whatever its path. */
  readonly directory: number;
  readonly formatVersion: number;
}

/** Throws `WrongDirectory`, `CorruptIdentity`, `UnknownFormat`, or the file system's own error. */
export async function readOrMakeIdentity(
  path: string,
  owner: { readonly cluster: string; readonly member: string },
  fileSystem: FileSystem,
): Promise<Identity> {
  const found = await read(path, fileSystem);
  if (found === null) return make(path, owner, fileSystem);
  if (found.formatVersion !== FORMAT_VERSION) {
    throw new PolderError(
      'UnknownFormat',
      `${path} has format ${found.formatVersion}, this Polder reads ${FORMAT_VERSION}: use the version that wrote it`,
    );
  }
  if (found.cluster !== owner.cluster || found.member !== owner.member) {
    throw new PolderError(
      'WrongDirectory',
      `${path} belongs to member ${JSON.stringify(found.member)} of cluster ${JSON.stringify(found.cluster)}, not to ` +
        `${JSON.stringify(owner.member)} of ${JSON.stringify(owner.cluster)}: check the data directory's path`,
    );
  }
  return found;
}

async function read(path: string, fileSystem: FileSystem): Promise<Identity | null> {
  let bytes: Uint8Array;
  try {
    bytes = await fileSystem.readFile(join(path, IDENTITY_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text(bytes));
    if (isIdentity(value)) return value;
  } catch {
    // Falls through: unreadable and incomplete are the same to whoever must act.
  }
  throw new PolderError(
    'CorruptIdentity',
    `${join(path, IDENTITY_FILE)} is damaged: restore it, or replace the member`,
  );
}

function isIdentity(value: unknown): value is Identity {
  if (typeof value !== 'object' || value === null) return false;
  const { cluster, member, directory, formatVersion } = value as Record<string, unknown>;
  const isDirectory = Number.isSafeInteger(directory) && (directory as number) > 0 && (directory as number) < 2 ** 48;
  return (
    typeof cluster === 'string' && typeof member === 'string' && isDirectory && Number.isSafeInteger(formatVersion)
  );
}

async function make(
  path: string,
  owner: { readonly cluster: string; readonly member: string },
  fileSystem: FileSystem,
): Promise<Identity> {
  const { cluster, member } = owner;
  const identity: Identity = { cluster, member, directory: randomInt(1, 2 ** 48 - 1), formatVersion: FORMAT_VERSION };
  const bytes = utf8(`${JSON.stringify(identity)}\n`);
  const draft = join(path, IDENTITY_DRAFT);
  const file = await fileSystem.open(draft, 'replace');
  try {
    const { bytesWritten } = await file.write(bytes, 0, bytes.length);
    if (bytesWritten !== bytes.length) throw new PolderError('DiskFull', `${draft} could be written in part only`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(draft, join(path, IDENTITY_FILE));
  const directory = await fileSystem.open(path, 'directory');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return identity;
}
