/**
 * One process per data directory. On Linux the lock is an abstract unix socket named after the directory's inode: the
 * kernel frees it when the process dies, however it dies (it does not reach across network namespaces). There the
 * lock file only names the holder. Elsewhere the file is the lock, stale once its process is gone; two processes that
 * start in the same instant are not told apart there.
 */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { assert, PolderError, text, utf8 } from '@polder/core';
import type { FileSystem } from './file-system.ts';

export const LOCK_FILE = 'lock';

export class DirectoryLock {
  readonly #server: Server | null;
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  #held = true;

  private constructor(server: Server | null, path: string, fileSystem: FileSystem) {
    this.#server = server;
    this.#path = path;
    this.#fileSystem = fileSystem;
  }

  /** Throws `DirectoryLocked`, or the file system's own error. */
  static async take(directory: string, fileSystem: FileSystem): Promise<DirectoryLock> {
    const path = join(directory, LOCK_FILE);
    let server: Server | null = null;
    if (process.platform === 'linux') {
      const { dev, ino } = await fileSystem.stat(directory);
      server = await listenAbstract(`\0polder-directory:${dev}:${ino}`);
      if (server === null) throw locked(directory, await holderOf(path, fileSystem));
    } else {
      const holder = await holderOf(path, fileSystem);
      if (holder !== null && isAlive(holder)) throw locked(directory, holder);
    }
    try {
      const file = await fileSystem.open(path, 'replace');
      try {
        const bytes = utf8(`${process.pid}\n`);
        await file.write(bytes, 0, bytes.length);
      } finally {
        await file.close();
      }
    } catch (error) {
      server?.close();
      throw error;
    }
    return new DirectoryLock(server, path, fileSystem);
  }

  async release(): Promise<void> {
    assert(this.#held, 'a lock is released once');
    this.#held = false;
    await this.#fileSystem.unlink(this.#path).catch(() => {}); // a directory that is gone needs no lock
    const server = this.#server;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

/** null: someone else listens. */
function listenAbstract(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: name }, () => {
      server.unref();
      resolve(server);
    });
  });
}

async function holderOf(path: string, fileSystem: FileSystem): Promise<number | null> {
  try {
    const pid = Number.parseInt(text(await fileSystem.readFile(path)), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null; // absent, or being written at this moment
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function locked(directory: string, holder: number | null): PolderError {
  const who = holder === null ? 'another process' : `process ${holder}`;
  return new PolderError(
    'DirectoryLocked',
    `${directory} is in use by ${who}: stop it, or give this member a data directory of its own`,
  );
}
