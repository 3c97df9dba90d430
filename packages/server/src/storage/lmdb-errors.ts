/** What LMDB's errors mean for a member, and what to do about them. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DiskResult, PolderError } from '@polder/core';

/** Below this much room a failed write counts as one for lack of it: LMDB reports a short write as an I/O error. */
const FULL_BELOW_BYTES = 16 * 1024 * 1024;
const MDB_INVALID = -30_793;
const MDB_VERSION_MISMATCH = -30_794;
const MDB_MAP_FULL = -30_792;
const ENOSPC = 28;
const EDQUOT = 122;

/** `ENOSPC`: nothing was changed, and there may be room later. `EIO`: what the disk holds is not known. */
export async function commitFailure(path: string, error: unknown): Promise<DiskResult> {
  const cause = await causeOf(error);
  const full = [ENOSPC, EDQUOT, MDB_MAP_FULL].includes(codeOf(cause)) || (await isNearlyFull(path));
  return {
    type: 'error',
    code: full ? 'ENOSPC' : 'EIO',
    message: `a transaction of ${path} failed: ${cause.message}`,
  };
}

export async function openFailure(path: string, error: unknown): Promise<unknown> {
  if (error instanceof PolderError) return error;
  const cause = await causeOf(error);
  const code = codeOf(cause);
  if (code === MDB_INVALID || cause.message.includes('MDB_INVALID')) {
    return new PolderError('ForeignStore', `${path} is not a store of Polder: ${AWAY}`, { cause });
  }
  if (code === MDB_VERSION_MISMATCH || cause.message.includes('MDB_VERSION')) {
    return new PolderError('UnknownFormat', `${path} was written by another version of LMDB: run that version`, {
      cause,
    });
  }
  if (code === ENOSPC || code === EDQUOT || (await isNearlyFull(path))) {
    return new PolderError('DiskFull', `no space to open ${path}: free some, then start the member`, { cause });
  }
  return new PolderError('DiskError', `cannot open ${path}: ${cause.message}. Check the disk and its permissions`, {
    cause,
  });
}

export const AWAY = 'keep it elsewhere, and start the member from its own data directory';

/** A failed batch says only that it failed; why comes a moment later. */
async function causeOf(error: unknown): Promise<Error> {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!('commitError' in error)) return error;
  try {
    await error.commitError;
  } catch (cause) {
    if (cause instanceof Error) return cause;
  }
  return error;
}

function codeOf(error: Error): number {
  return 'code' in error && typeof error.code === 'number' ? error.code : 0;
}

async function isNearlyFull(path: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(dirname(path));
    return bavail * bsize < FULL_BELOW_BYTES;
  } catch {
    return false;
  }
}
