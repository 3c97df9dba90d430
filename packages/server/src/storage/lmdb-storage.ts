/** A member's stores: LMDB files in its directory, of which the log names the one that counts. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, type DiskResult, defined, PolderError } from '@polder/core';
import { type Engine, KV_TREES, type Storage } from '@polder/core/kv';
import { LmdbEngine } from './lmdb-engine.ts';

/** No other file of a member's directory is named so. */
const STORE_FILE = /^store-[0-9]+-[0-9]+(-lock)?$/;

export interface LmdbStorageOptions {
  /** Locked by whoever opens it: two processes on one store would each believe their own overlay. */
  readonly directory: string;
  /** Whose directory it is. */
  readonly owner: string;
  readonly deliver: (token: number, result: DiskResult) => void;
  /** How long a commit took that is durable. */
  readonly onCommitted?: (seconds: number) => void;
}

export interface StorageUsage {
  /** What the files take. */
  readonly allocatedBytes: number;
  /** Of these, what holds data: the rest is free to be used again. */
  readonly usedBytes: number;
}

/** A Storage that lets go of its files. */
export interface MemberStorage extends Storage {
  /** Of the stores that are open. */
  usage(): StorageUsage;
  close(): Promise<void>;
}

export class LmdbStorage implements MemberStorage {
  readonly #options: LmdbStorageOptions;
  readonly #engines = new Map<string, LmdbEngine>();
  /** What is being opened, closed or removed; each waits for the one before. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: LmdbStorageOptions) {
    this.#options = options;
  }

  open(token: number, name: string): void {
    this.#queue(token, () => this.#open(name));
  }

  create(token: number, name: string): void {
    this.#queue(token, async () => {
      await this.#remove(name);
      await this.#open(name);
    });
  }

  engine(name: string): Engine {
    return defined(this.#engines.get(name), 'the store is open');
  }

  keepOnly(name: string): void {
    this.#work = this.#work.then(async () => {
      const { directory } = this.#options;
      const files = (await readdir(directory)).filter((file) => STORE_FILE.test(file));
      const others = new Set([...this.#engines.keys(), ...files.map((file) => file.replace(/-lock$/, ''))]);
      others.delete(name);
      for (const other of others) await this.#remove(other);
    });
    // Space is lost until the next start, which removes again.
    this.#work = this.#work.catch(() => undefined);
  }

  usage(): StorageUsage {
    let [allocatedBytes, usedBytes] = [0, 0];
    for (const engine of this.#engines.values()) {
      allocatedBytes += engine.sizeBytes;
      usedBytes += engine.usedBytes;
    }
    return { allocatedBytes, usedBytes };
  }

  async close(): Promise<void> {
    await this.#work;
    for (const engine of this.#engines.values()) await engine.close();
    this.#engines.clear();
  }

  #queue(token: number, work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      let result: DiskResult = { type: 'done' };
      try {
        await work();
      } catch (error) {
        const { code, message } = error instanceof PolderError ? error : { code: 'DiskError', message: String(error) };
        result = { type: 'error', code, message };
      }
      this.#options.deliver(token, result);
    });
  }

  async #open(name: string): Promise<void> {
    assert(STORE_FILE.test(name) && !this.#engines.has(name), 'a store is opened once, under a name of its kind');
    const { directory, owner, deliver, onCommitted } = this.#options;
    const path = join(directory, name);
    const engine = await LmdbEngine.open({ path, trees: KV_TREES, owner, deliver, onCommitted });
    this.#engines.set(name, engine);
  }

  async #remove(name: string): Promise<void> {
    await this.#engines.get(name)?.close();
    this.#engines.delete(name);
    const path = join(this.#options.directory, name);
    await rm(path, { force: true });
    await rm(`${path}-lock`, { force: true });
  }
}
