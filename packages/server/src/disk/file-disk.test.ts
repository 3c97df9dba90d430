import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DiskOperation, type DiskResult, utf8 } from '@polder/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileDisk } from './file-disk.ts';
import { type FileSystem, type OpenFile, realFileSystem } from './file-system.ts';

const OWNER = { cluster: 'test', member: 'a' };

let root = '';
const disks: FileDisk[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'polder-disk-'));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const disk of disks.splice(0)) await disk.close();
  rmSync(root, { recursive: true, force: true });
});

async function opened(path = join(root, 'data'), fileSystem?: FileSystem): Promise<FileDisk> {
  const disk = await FileDisk.open(path, fileSystem === undefined ? OWNER : { ...OWNER, fileSystem });
  disks.push(disk);
  return disk;
}

/** Submits all at once and resolves with the results by token, in the order of completion. */
function run(disk: FileDisk, operations: readonly DiskOperation[]): Promise<[number, DiskResult][]> {
  return new Promise((resolve) => {
    const results: [number, DiskResult][] = [];
    let submitting = true;
    disk.onComplete((token, result) => {
      expect(submitting).toBe(false); // never from inside submit
      results.push([token, result]);
      if (results.length === operations.length) resolve(results);
    });
    operations.forEach((operation, token) => {
      disk.submit(token, operation);
    });
    submitting = false;
  });
}

const append = (file: string, bytes: string): DiskOperation => ({ type: 'append', file, bytes: utf8(bytes) });

test('operations on one file happen and complete in the order they were submitted', async () => {
  const results = await run(await opened(), [
    append('log', 'hello '),
    append('log', 'world'),
    { type: 'sync', file: 'log' },
    { type: 'size', file: 'log' },
    { type: 'read', file: 'log', offset: 6, length: 100 },
    { type: 'truncate', file: 'log', length: 5 },
    append('log', '!'),
    { type: 'rename', file: 'log', to: 'log2' },
    { type: 'syncDirectory' },
    { type: 'read', file: 'log2', offset: 0, length: 6 },
  ]);
  expect(results.map(([token]) => token).slice(0, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  const byToken = new Map(results);
  expect(byToken.get(3)).toEqual({ type: 'size', sizeBytes: 11 });
  expect(byToken.get(4)).toEqual({ type: 'bytes', bytes: utf8('world') });
  expect(byToken.get(8)).toEqual({ type: 'done' });
  expect(byToken.get(9)).toEqual({ type: 'bytes', bytes: utf8('hello!') });
});

test('a list follows everything submitted before it and hides what is not the log’s', async () => {
  const results = await run(await opened(), [
    append('b', ''),
    append('a', 'x'),
    append('c', ''),
    { type: 'remove', file: 'c' },
    { type: 'list' },
  ]);
  expect(new Map(results).get(4)).toEqual({ type: 'names', names: ['a', 'b'] });
});

test('a file that is not there is an error, not an empty file', async () => {
  const disk = await opened();
  const results = await run(disk, [
    { type: 'read', file: 'none', offset: 0, length: 1 },
    { type: 'sync', file: 'none' },
    { type: 'remove', file: 'none' },
  ]);
  expect(results.map(([, result]) => result)).toEqual(
    Array(3).fill({ type: 'error', code: 'ENOENT', message: expect.stringContaining('none') }),
  );
  expect(existsSync(join(disk.directory, 'none'))).toBe(false);
});

test('names that leave the directory or touch its lock and identity are refused', async () => {
  const disk = await opened();
  disk.onComplete(() => {});
  for (const file of ['../x', '/etc/passwd', '', '.', 'a/b', 'lock', 'identity.json']) {
    expect(() => disk.submit(1, append(file, 'x'))).toThrow('plain names');
  }
});

/** The real file system, with every call and its end noted, and a sync that can be held back or made to fail. */
class WatchedFileSystem implements FileSystem {
  readonly events: string[] = [];
  syncError: Error | null = null;
  holdSync: Promise<void> = Promise.resolve();

  async open(path: string, mode: Parameters<FileSystem['open']>[1]): Promise<OpenFile> {
    const file = await realFileSystem.open(path, mode);
    const name = path.slice(path.lastIndexOf('/') + 1);
    return {
      write: async (bytes, offset, length) => {
        // At most 3 bytes at a time: short writes are legal.
        const written = await file.write(bytes, offset, Math.min(length, name === 'log' ? 3 : length));
        this.events.push(`written ${name}`);
        return written;
      },
      read: (bytes, offset, length, position) => file.read(bytes, offset, length, position),
      datasync: async () => {
        this.events.push(`sync begins ${name}`);
        await this.holdSync;
        if (this.syncError !== null) throw this.syncError;
        await file.datasync();
        this.events.push(`sync ends ${name}`);
      },
      sync: async () => {
        await file.sync();
        this.events.push(`directory synced ${name}`);
      },
      stat: () => file.stat(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  }
  mkdir = realFileSystem.mkdir;
  rename = realFileSystem.rename;
  unlink = realFileSystem.unlink;
  readdir = realFileSystem.readdir;
  readFile = realFileSystem.readFile;
  stat = realFileSystem.stat;
}

test('R2, R24: no sync completes before its fdatasync has ended, and that began after all bytes were written', async () => {
  const fileSystem = new WatchedFileSystem();
  const disk = await opened(undefined, fileSystem);
  fileSystem.events.splice(0);
  let release = (): void => {};
  fileSystem.holdSync = new Promise((resolve) => {
    release = resolve;
  });
  let finished = (): void => {};
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  disk.onComplete((token, result) => {
    fileSystem.events.push(`completed ${token} ${result.type}`);
    if (token === 3) release(); // another file's operation, behind the sync that is held back
    if (token === 2) finished();
  });
  disk.submit(1, append('log', 'sixish'));
  disk.submit(2, { type: 'sync', file: 'log' });
  disk.submit(3, append('other', 'x'));
  await done;
  expect(fileSystem.events.filter((event) => !event.includes('other') && !event.includes('3'))).toEqual([
    'written log',
    'written log',
    'sync begins log',
    'sync ends log',
    'completed 1 done',
    'completed 2 done',
  ]);
  expect(fileSystem.events.indexOf('completed 3 done')).toBeLessThan(fileSystem.events.indexOf('sync ends log'));
});

test('R24: a sync that failed is reported, and the file is never synced as if nothing had happened', async () => {
  const fileSystem = new WatchedFileSystem();
  const disk = await opened(undefined, fileSystem);
  fileSystem.syncError = Object.assign(new Error('i/o error'), { code: 'EIO' });
  const operations: DiskOperation[] = [append('log', 'x'), { type: 'sync', file: 'log' }];
  operations.push({ type: 'sync', file: 'log' }, append('log', 'y'));
  fileSystem.events.splice(0);
  const results = await run(disk, operations);
  const failed = { type: 'error', code: 'EIO', message: 'sync of log failed: i/o error' };
  expect(results).toEqual([
    [0, { type: 'done' }],
    [1, failed],
    [2, failed],
    [3, failed],
  ]);
  expect(fileSystem.events).toEqual(['written log', 'sync begins log']);
});

test('a full disk is an error with its code', async () => {
  if (!existsSync('/dev/full')) return console.warn('SKIPPED: this system has no /dev/full');
  const disk = await opened();
  symlinkSync('/dev/full', join(disk.directory, 'log'));
  const results = await run(disk, [append('log', 'x'), { type: 'sync', file: 'log' }]);
  expect(results.map(([, result]) => result)).toEqual(
    Array(2).fill({ type: 'error', code: 'ENOSPC', message: expect.stringContaining('append of log failed') }),
  );
});

test('R26: the identity lasts as long as the directory, and a wiped one is another', async () => {
  const path = join(root, 'data');
  const first = (await opened(path)).identity;
  await disks.pop()?.close();
  expect((await opened(path)).identity).toEqual(first);
  await disks.pop()?.close();
  rmSync(path, { recursive: true });
  expect((await opened(path)).identity.directory).not.toBe(first.directory);
});

test('another member’s or cluster’s directory is refused, and left as it was', async () => {
  const path = join(root, 'data');
  await opened(path);
  await disks.pop()?.close();
  const before = readFileSync(join(path, 'identity.json'), 'utf8');
  await expect(FileDisk.open(path, { cluster: 'test', member: 'b' })).rejects.toMatchObject({ code: 'WrongDirectory' });
  await expect(FileDisk.open(path, { cluster: 'x', member: 'a' })).rejects.toMatchObject({ code: 'WrongDirectory' });
  expect(readFileSync(join(path, 'identity.json'), 'utf8')).toBe(before);
  writeFileSync(join(path, 'identity.json'), '{"cluster":');
  await expect(FileDisk.open(path, OWNER)).rejects.toMatchObject({ code: 'CorruptIdentity' });
});

test('a directory that cannot be written is refused with what to do', async () => {
  const path = join(root, 'data');
  await opened(path);
  await disks.pop()?.close();
  chmodSync(root, 0o755);
  chmodSync(path, 0o555);
  // Root may write anywhere, so root becomes nobody for a moment.
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await expect(FileDisk.open(path, OWNER)).rejects.toMatchObject({
      code: 'ReadOnlyDirectory',
      message: expect.stringContaining('make it writable'),
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(path, 0o755);
  }
});

test('a file in place of the directory is refused', async () => {
  writeFileSync(join(root, 'file'), '');
  await expect(FileDisk.open(join(root, 'file'), OWNER)).rejects.toMatchObject({ code: 'NotADirectory' });
  await expect(FileDisk.open(join(root, 'file', 'below'), OWNER)).rejects.toMatchObject({ code: 'NotADirectory' });
});

/** Runs the fixture from the sources, as the tests do. */
async function holder(path: string): Promise<{ child: ChildProcess; line: string }> {
  const core = new URL('../../../core/src/index.ts', import.meta.url).href;
  const hooks = `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) => next(name === '@polder/core' ? '${core}' : name, context) });`;
  const child = spawn(process.execPath, [
    ...['--import', `data:text/javascript,${encodeURIComponent(hooks)}`],
    fileURLToPath(new URL('lock-holder.fixture.ts', import.meta.url)),
    path,
  ]);
  children.push(child);
  child.stderr?.pipe(process.stderr);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, line: line.toString() };
}

test('a second process on a directory is refused by name of the first, whose death frees it', async () => {
  const path = join(root, 'data');
  const { child, line } = await holder(path);
  expect(line).toMatch(/^held \d+/);
  await expect(FileDisk.open(path, OWNER)).rejects.toMatchObject({
    code: 'DirectoryLocked',
    message: expect.stringContaining(`in use by process ${child.pid}:`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(join(path, 'lock'))).toBe(true); // left behind, and stale
  await opened(path);
  expect((await holder(path)).line).toContain(`in use by process ${process.pid}:`);
});
