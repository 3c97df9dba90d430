import { statfs } from 'node:fs/promises';
import type { KvRequest } from '@polder/core/kv';

export interface DiskSpace {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface RoomOptions {
  /** null: there is no disk. */
  readonly directory: string | null;
  /** What the data takes, all its versions: the same on every member. */
  readonly usedBytes: () => number;
  readonly quotaBytes: number;
  /** A write of the store has found no room, and none has succeeded since. */
  readonly storeIsFull: () => boolean;
  /** The disk has little room left, or has room again. */
  readonly onDisk?: (isShort: boolean) => void;
  /** What stands in a test for the disk. */
  readonly spaceOf?: (directory: string) => Promise<DiskSpace>;
  readonly everyMs?: number;
}

/** etcd's default `--quota-backend-bytes`. */
export const QUOTA_BYTES = 2 * 1024 * 1024 * 1024;
/**
 * Below it, or a twentieth of a small disk, writes are refused. A log that has no room at all stops its member, so that point is not to be reached:
 * elections, deletions and compactions still need some.
 */
export const RESERVE_BYTES = 64 * 1024 * 1024;
const EVERY_MS = 1_000;

/** Whether there is room for more. It says so before there is none, and takes it back when there is again. */
export class Room {
  readonly #options: RoomOptions;
  readonly #timer: NodeJS.Timeout;
  #diskIsShort = false;

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  get quotaBytes(): number {
    return this.#options.quotaBytes;
  }

  /** Whether the request may be proposed. */
  admits(request: KvRequest): boolean {
    return !this.isFull || !needsRoom(request);
  }

  get isFull(): boolean {
    const { usedBytes, quotaBytes, storeIsFull } = this.#options;
    return this.#diskIsShort || storeIsFull() || usedBytes() >= quotaBytes;
  }

  /** Has a look at the disk. Twice the reserve must be free before it counts as having room again. */
  async look(): Promise<void> {
    const { directory, spaceOf = realSpaceOf, onDisk } = this.#options;
    if (directory === null) return;
    let space: DiskSpace;
    try {
      space = await spaceOf(directory);
    } catch {
      return; // not every file system says how much it has left
    }
    const reserveBytes = Math.min(RESERVE_BYTES, space.totalBytes / 20);
    const isShort = space.freeBytes < (this.#diskIsShort ? 2 * reserveBytes : reserveBytes);
    if (isShort === this.#diskIsShort) return;
    this.#diskIsShort = isShort;
    onDisk?.(isShort);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** What makes room is done even when there is none: otherwise there never would be any. */
function needsRoom(request: KvRequest): boolean {
  if (request.type === 'put') return true;
  return request.type === 'txn' && [...request.success, ...request.failure].some(needsRoom);
}

async function realSpaceOf(directory: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(directory);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
