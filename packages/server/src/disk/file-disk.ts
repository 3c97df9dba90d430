/** The real disk: a directory of files, with every completion delivered later, by token, in order per file. */
import { dirname, join, resolve } from 'node:path';
import { assert, type Disk, type DiskOperation, type DiskResult, PolderError } from '@polder/core';
import { DirectoryLock, LOCK_FILE } from './directory-lock.ts';
import { type FileSystem, type OpenFile, realFileSystem } from './file-system.ts';
import { IDENTITY_DRAFT, IDENTITY_FILE, type Identity, readOrMakeIdentity } from './identity.ts';

const MAX_OPEN_FILES = 64;
const MAX_READ_BYTES = 256 * 1024 * 1024;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;
const OWN_FILES: ReadonlySet<string> = new Set([LOCK_FILE, IDENTITY_FILE, IDENTITY_DRAFT]);

export interface FileDiskOptions {
  readonly cluster: string;
  /** The member's name. */
  readonly member: string;
  readonly fileSystem?: FileSystem;
}

interface Handle {
  readonly file: OpenFile;
  /** Bytes were written since the last sync: this descriptor must be the one that hears of their loss. */
  dirty: boolean;
}

/** What an operation waits for. */
type Before = readonly (Promise<void> | undefined)[];

type Failure = Extract<DiskResult, { type: 'error' }>;

export class FileDisk implements Disk {
  readonly directory: string;
  readonly identity: Identity;
  readonly #fileSystem: FileSystem;
  readonly #lock: DirectoryLock;
  readonly #directoryFile: OpenFile;
  readonly #handles = new Map<string, Handle>();
  /** The last operation submitted on each name; settles once it is done, never rejects. */
  readonly #tails = new Map<string, Promise<void>>();
  /** Of the last operation on a file, if it is an append that has not begun: the syncs that are done with it. */
  readonly #joinable = new Map<string, number[]>();
  /** A name whose write or sync failed: what it holds is unknown, so it is not written again (PITFALLS R24). */
  readonly #failed = new Map<string, Failure>();
  #deliver: ((token: number, result: DiskResult) => void) | null = null;
  #closed = false;

  private constructor(
    directory: string,
    identity: Identity,
    fileSystem: FileSystem,
    lock: DirectoryLock,
    directoryFile: OpenFile,
  ) {
    this.directory = directory;
    this.identity = identity;
    this.#fileSystem = fileSystem;
    this.#lock = lock;
    this.#directoryFile = directoryFile;
  }

  /**
   * Makes the directory when absent, locks it, and reads or makes its identity. Throws `ReadOnlyDirectory`,
   * `NotADirectory`, `DirectoryLocked`, `WrongDirectory`, `CorruptIdentity`, `UnknownFormat`, `DiskFull` or `DiskError`.
   */
  static async open(path: string, options: FileDiskOptions): Promise<FileDisk> {
    const fileSystem = options.fileSystem ?? realFileSystem;
    const directory = resolve(path);
    let lock: DirectoryLock | null = null;
    try {
      const made = await fileSystem.mkdir(directory);
      if (made !== undefined) await syncParents(made, directory, fileSystem);
      lock = await DirectoryLock.take(directory, fileSystem);
      const identity = await readOrMakeIdentity(directory, options, fileSystem);
      const directoryFile = await fileSystem.open(directory, 'directory');
      return new FileDisk(directory, identity, fileSystem, lock, directoryFile);
    } catch (error) {
      await lock?.release();
      throw openError(directory, error);
    }
  }

  /** Completions go here, never from inside `submit`. Set once, before the first operation. */
  onComplete(deliver: (token: number, result: DiskResult) => void): void {
    assert(this.#deliver === null, 'completions have one receiver');
    this.#deliver = deliver;
  }

  submit(token: number, operation: DiskOperation): void {
    assert(!this.#closed, 'the disk is open');
    assert(this.#deliver !== null, 'completions have a receiver');
    const names = namesOf(operation);
    for (const name of names) assert(NAME.test(name) && !OWN_FILES.has(name), 'files go by plain names');
    if (operation.type === 'sync' && this.#joined(token, operation.file)) return;
    for (const name of names) this.#joinable.delete(name);
    // What concerns the whole directory follows everything submitted before it.
    const before = names.length === 0 ? [...this.#tails.values()] : names.map((name) => this.#tails.get(name));
    const turn =
      operation.type === 'append' ? this.#appendAfter(before, token, operation) : this.#after(before, token, operation);
    const keys = names.length === 0 ? [''] : names;
    for (const key of keys) this.#tails.set(key, turn);
    // A throwing receiver surfaces as an unhandled rejection; the tail is dropped only once it is quiet.
    void turn.finally(() => {
      for (const key of keys) if (this.#tails.get(key) === turn) this.#tails.delete(key);
    });
  }

  /** Whether the sync comes right after an append that has not begun: it is told when both are done, and so is the append. */
  #joined(token: number, file: string): boolean {
    const syncTokens = this.#joinable.get(file);
    syncTokens?.push(token);
    return syncTokens !== undefined;
  }

  /** Waits for what is under way, undelivered from now on, and gives the directory up. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#tails.values());
    for (const { file } of this.#handles.values()) await file.close();
    this.#handles.clear();
    await this.#directoryFile.close();
    await this.#lock.release();
  }

  async #after(before: Before, token: number, operation: DiskOperation): Promise<void> {
    await Promise.all(before);
    this.#tell(token, await this.#attempt(operation));
  }

  async #appendAfter(before: Before, token: number, operation: DiskOperation & { type: 'append' }): Promise<void> {
    const { file } = operation;
    const syncTokens: number[] = [];
    this.#joinable.set(file, syncTokens);
    await Promise.all(before);
    if (this.#joinable.get(file) === syncTokens) this.#joinable.delete(file);
    const result = await this.#attempt(operation);
    if (syncTokens.length === 0) return this.#tell(token, result);
    const synced = await this.#attempt({ type: 'sync', file });
    this.#tell(token, result);
    for (const each of syncTokens) this.#tell(each, synced);
  }

  #tell(token: number, result: DiskResult): void {
    if (!this.#closed) this.#deliver?.(token, result);
  }

  async #attempt(operation: DiskOperation): Promise<DiskResult> {
    const failure = this.#failureOf(operation);
    if (failure !== undefined) return failure;
    try {
      return await this.#run(operation);
    } catch (error) {
      const failed = asFailure(operation, error);
      if (operation.type === 'append' || operation.type === 'sync' || operation.type === 'truncate') {
        if (failed.code !== 'ENOENT') this.#failed.set(operation.file, failed);
      } else if (operation.type === 'syncDirectory') this.#failed.set('', failed);
      return failed;
    }
  }

  #failureOf(operation: DiskOperation): Failure | undefined {
    if (operation.type === 'syncDirectory') return this.#failed.get('');
    if (operation.type === 'append' || operation.type === 'sync' || operation.type === 'truncate') {
      return this.#failed.get(operation.file);
    }
    return operation.type === 'rename' ? this.#failed.get(operation.file) : undefined;
  }

  async #run(operation: DiskOperation): Promise<DiskResult> {
    switch (operation.type) {
      case 'append':
        return this.#append(operation.file, operation.bytes);
      case 'sync':
        return this.#sync(operation.file);
      case 'syncDirectory':
        await this.#directoryFile.sync();
        return { type: 'done' };
      case 'read':
        return this.#read(operation.file, operation.offset, operation.length);
      case 'size':
        return { type: 'size', sizeBytes: (await (await this.#open(operation.file, 'existing')).file.stat()).size };
      case 'truncate': {
        const handle = await this.#open(operation.file, 'existing');
        handle.dirty = true;
        await handle.file.truncate(operation.length);
        return { type: 'done' };
      }
      case 'rename':
        return this.#rename(operation.file, operation.to);
      case 'remove':
        await this.#forget(operation.file);
        await this.#fileSystem.unlink(this.#path(operation.file));
        this.#failed.delete(operation.file);
        return { type: 'done' };
      case 'list': {
        const names = await this.#fileSystem.readdir(this.directory);
        return { type: 'names', names: names.filter((name) => !OWN_FILES.has(name)).sort() };
      }
    }
  }

  async #append(name: string, bytes: Uint8Array): Promise<DiskResult> {
    const handle = await this.#open(name, 'append');
    handle.dirty = true;
    let offset = 0;
    while (offset < bytes.length) {
      const { bytesWritten } = await handle.file.write(bytes, offset, bytes.length - offset);
      if (bytesWritten === 0) throw new PolderError('EIO', 'the file takes no more bytes');
      offset += bytesWritten;
    }
    return { type: 'done' };
  }

  async #sync(name: string): Promise<DiskResult> {
    const handle = await this.#open(name, 'existing');
    await handle.file.datasync();
    handle.dirty = false;
    return { type: 'done' };
  }

  /** Fewer bytes than asked for: the file ends there. */
  async #read(name: string, offset: number, length: number): Promise<DiskResult> {
    assert(length >= 0 && length <= MAX_READ_BYTES, 'a read is bounded');
    const { file } = await this.#open(name, 'existing');
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return { type: 'bytes', bytes: filled === length ? bytes : bytes.slice(0, filled) };
  }

  async #rename(from: string, to: string): Promise<DiskResult> {
    await this.#forget(to);
    await this.#fileSystem.rename(this.#path(from), this.#path(to));
    this.#failed.delete(to);
    const handle = this.#handles.get(from);
    if (handle !== undefined) {
      this.#handles.delete(from);
      this.#handles.set(to, handle);
    }
    return { type: 'done' };
  }

  async #open(name: string, mode: 'append' | 'existing'): Promise<Handle> {
    const kept = this.#handles.get(name);
    if (kept !== undefined) {
      this.#handles.delete(name); // to the end: the first is the one used longest ago
      this.#handles.set(name, kept);
      return kept;
    }
    const handle: Handle = { file: await this.#fileSystem.open(this.#path(name), mode), dirty: false };
    assert(!this.#handles.has(name), 'operations on one file take turns');
    this.#handles.set(name, handle);
    await this.#closeIdle(name);
    return handle;
  }

  async #closeIdle(except: string): Promise<void> {
    if (this.#handles.size <= MAX_OPEN_FILES) return;
    for (const [name, handle] of this.#handles) {
      // A name with an operation under way may be using its descriptor.
      if (name === except || handle.dirty || this.#tails.has(name)) continue;
      await this.#forget(name);
      return;
    }
  }

  async #forget(name: string): Promise<void> {
    const handle = this.#handles.get(name);
    this.#handles.delete(name);
    if (handle !== undefined) await handle.file.close();
  }

  #path(name: string): string {
    return join(this.directory, name);
  }
}

function namesOf(operation: DiskOperation): readonly string[] {
  switch (operation.type) {
    case 'append':
    case 'sync':
    case 'read':
    case 'size':
    case 'truncate':
    case 'remove':
      return [operation.file];
    case 'rename':
      return [operation.file, operation.to];
    case 'syncDirectory':
    case 'list':
      return [];
  }
}

/** A new directory survives power loss only once its parents' entries do. */
async function syncParents(made: string, directory: string, fileSystem: FileSystem): Promise<void> {
  for (let path = directory; ; path = dirname(path)) {
    const parent = await fileSystem.open(dirname(path), 'directory');
    try {
      await parent.sync();
    } finally {
      await parent.close();
    }
    if (path === made || path === dirname(path)) return;
  }
}

function asFailure(operation: DiskOperation, error: unknown): Failure {
  if (!(error instanceof Error) || !('code' in error)) throw error;
  const file = 'file' in operation ? ` of ${operation.file}` : '';
  return { type: 'error', code: String(error.code), message: `${operation.type}${file} failed: ${error.message}` };
}

function openError(directory: string, error: unknown): unknown {
  if (error instanceof PolderError || !(error instanceof Error) || !('code' in error)) return error;
  const cause = error;
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PolderError(
        'ReadOnlyDirectory',
        `cannot write to ${directory} (${error.code}): make it writable for this user, or choose another data directory`,
        { cause },
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return new PolderError('NotADirectory', `${directory} is not a directory: choose another data directory`, {
        cause,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new PolderError('DiskFull', `no space for ${directory}: free some, or choose another disk`, { cause });
    default:
      return new PolderError('DiskError', `cannot open ${directory}: ${error.message}`, { cause });
  }
}
