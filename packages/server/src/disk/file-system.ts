/** The part of node:fs that the disk uses: a test puts a counting or a failing one in its place. */
import { fdatasync, write, writeSync } from 'node:fs';
import * as fs from 'node:fs/promises';

export interface OpenFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>;
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  datasync(): Promise<void>;
  sync(): Promise<void>;
  stat(): Promise<{ size: number }>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface FileSystem {
  /** `append`: made if absent. `existing`: fails with ENOENT. `directory`: to sync it. `replace`: made or emptied. */
  open(path: string, mode: 'append' | 'existing' | 'directory' | 'replace'): Promise<OpenFile>;
  mkdir(path: string): Promise<string | undefined>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  readFile(path: string): Promise<Uint8Array>;
  stat(path: string): Promise<{ dev: number; ino: number }>;
}

const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = fs.constants;

const FLAGS = {
  append: O_RDWR | O_CREAT | O_APPEND,
  existing: O_RDWR | O_APPEND,
  directory: O_RDONLY,
  replace: O_WRONLY | O_CREAT | O_TRUNC,
} as const;

/** The kernel copies so much to its cache in less time than it takes to hand it to a thread. */
const WRITE_AT_ONCE_BYTES = 64 * 1024;

/** What every batch of the log goes through takes callbacks: node:fs/promises costs about as much again as the call. */
class RealFile implements OpenFile {
  readonly #handle: fs.FileHandle;

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  write(bytes: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }> {
    return new Promise((resolve, reject) => {
      if (length <= WRITE_AT_ONCE_BYTES)
        return resolve({ bytesWritten: writeSync(this.#handle.fd, bytes, offset, length) });
      write(this.#handle.fd, bytes, offset, length, null, (error, bytesWritten) => {
        if (error === null) resolve({ bytesWritten });
        else reject(error);
      });
    });
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle.fd, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    return this.#handle.read(bytes, offset, length, position);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  stat(): Promise<{ size: number }> {
    return this.#handle.stat();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

export const realFileSystem: FileSystem = {
  open: async (path, mode) => new RealFile(await fs.open(path, FLAGS[mode], 0o600)),
  mkdir: (path) => fs.mkdir(path, { recursive: true, mode: 0o700 }),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  readdir: (path) => fs.readdir(path),
  readFile: (path) => fs.readFile(path),
  stat: (path) => fs.stat(path),
};
