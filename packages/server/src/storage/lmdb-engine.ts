/**
 * An Engine in one LMDB file. A transaction is written and synced on a thread of LMDB's own; what is read comes from a
 * read transaction of the moment when the last one settled, so that nothing moves under an overlay between events.
 */
import { type FileHandle, open as openFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { assert, ByteReader, type DiskResult, PolderError, utf8 } from '@polder/core';
import type { Change, Engine, Transaction, Tree } from '@polder/core/kv';
import { open, type RootDatabase } from 'lmdb';
import { AWAY, commitFailure, openFailure } from './lmdb-errors.ts';
import { LmdbTree, plain, type Table, type Tables, type TreeSize } from './lmdb-tree.ts';
import { inLevel, placeOf, TOP } from './piece.ts';
import { ReadView } from './read-view.ts';
import {
  checkOwner,
  decodeState,
  encodeCount,
  encodeOwner,
  encodeState,
  hasLmdbMagic,
  isNameAmong,
  NO_STATE,
  type State,
} from './store-state.ts';

type Root = RootDatabase<Uint8Array, Uint8Array>;

export interface LmdbEngineOptions {
  /** A file; LMDB puts another one beside it, with `-lock` behind its name. */
  readonly path: string;
  readonly trees: readonly string[];
  /** Whose data it is: a file of another owner is refused. */
  readonly owner: string;
  /** The outcome of `commit`. */
  readonly deliver: (token: number, result: DiskResult) => void;
  /** How long a commit took that is durable. */
  readonly onCommitted?: ((seconds: number) => void) | undefined;
}

const META = 'meta';
const OWNER_KEY = utf8('owner');
const STATE_KEY = utf8('state');
/** How much address space is reserved at first; LMDB maps more when it must. */
const MAP_BYTES = 1024 * 1024 * 1024;

export class LmdbEngine implements Engine {
  readonly #options: LmdbEngineOptions;
  readonly #root: Root;
  readonly #meta: Table;
  readonly #tables: ReadonlyMap<string, Tables>;
  #view: ReadView;
  /** Those before it that a snapshot may still read. */
  #views: ReadView[] = [];
  #state: State;
  #committing = false;

  private constructor(options: LmdbEngineOptions, root: Root, meta: Table, tables: ReadonlyMap<string, Tables>) {
    this.#options = options;
    this.#root = root;
    this.#meta = meta;
    this.#tables = tables;
    this.#view = new ReadView(root.useReadTransaction());
    this.#state = this.#readState();
  }

  /** Made if absent. Throws `ForeignStore`, `UnknownFormat`, `DiskFull` or `DiskError`. */
  static async open(options: LmdbEngineOptions): Promise<LmdbEngine> {
    let root: Root | null = null;
    try {
      await checkFile(options.path);
      root = openRoot(options);
      await syncFile(options.path);
      const { path, owner, trees } = options;
      const names = trees.flatMap((name) => [name, longKeysOf(name)]);
      const existing = [...root.getKeys()];
      if (!existing.every((name) => isNameAmong(name, [META, ...names]))) {
        throw new PolderError('ForeignStore', `${path} holds tables that are not Polder’s: ${AWAY}`);
      }
      const meta = openTable(root, META);
      // A store that was being made when the member died has a table at most.
      if (existing.length <= 1 && meta.get(OWNER_KEY) === undefined) await meta.put(OWNER_KEY, encodeOwner(owner));
      checkOwner(path, owner, meta.get(OWNER_KEY));
      const tables = new Map<string, Tables>();
      for (const name of trees) {
        tables.set(name, { keys: openTable(root, name), longKeys: openTable(root, longKeysOf(name)) });
      }
      return new LmdbEngine(options, root, meta, tables);
    } catch (error) {
      await root?.close();
      throw await openFailure(options.path, error);
    }
  }

  get record(): Uint8Array | null {
    return this.#state.record;
  }

  /** Pages in use, of data and of what is free to be used again. */
  get sizeBytes(): number {
    const { lastPageNumber, pageSize } = this.#root.getStats() as { lastPageNumber: number; pageSize: number };
    return (lastPageNumber + 1) * pageSize;
  }

  /** Pages that hold data; the others of `sizeBytes` are free to be used again. */
  get usedBytes(): number {
    const { pageSize, root, free } = this.#root.getStats() as TreeStats & { root: TreeStats; free: TreeStats };
    const tables = [this.#meta, ...[...this.#tables.values()].flatMap(({ keys, longKeys }) => [keys, longKeys])];
    const all = [root, free, ...tables.map((table) => table.getStats() as TreeStats)];
    return (META_PAGES + all.reduce((sum, stats) => sum + pagesOf(stats), 0)) * pageSize;
  }

  tree(name: string): Tree {
    return new LmdbTree(this.#tablesOf(name), this.#view, this.#sizeOf(name));
  }

  commit(token: number, transaction: Transaction): void {
    assert(!this.#committing, 'one transaction at a time');
    this.#committing = true;
    const startMs = performance.now();
    const written = this.#root.batch(() => this.#write(transaction));
    written.then(
      () => {
        this.#options.onCommitted?.((performance.now() - startMs) / 1_000);
        this.#options.deliver(token, { type: 'done' });
      },
      async (error: unknown) => this.#options.deliver(token, await commitFailure(this.#options.path, error)),
    );
  }

  settle(outcome: 'done' | 'error'): void {
    assert(this.#committing, 'a transaction was begun');
    this.#committing = false;
    if (outcome === 'error') return;
    this.#views = [...this.#views.filter((view) => !view.ended), this.#view];
    this.#view.release();
    this.#root.resetReadTxn();
    this.#view = new ReadView(this.#root.useReadTransaction());
    this.#state = this.#readState();
  }

  /** Waits for a commit that is under way. Its trees are not read any more. */
  async close(): Promise<void> {
    for (const view of [...this.#views, this.#view]) view.end();
    await this.#root.close();
  }

  #write({ changes, record }: Transaction): void {
    const sizes = new Map(this.#state.sizes);
    for (const [name, list] of changes) {
      const writer = new TreeWriter(this.#tablesOf(name), this.#view, this.#sizeOf(name));
      for (const change of list) writer.write(change);
      sizes.set(name, writer.finish());
    }
    void this.#meta.put(STATE_KEY, encodeState({ record, sizes }));
  }

  #tablesOf(name: string): Tables {
    const tables = this.#tables.get(name);
    assert(tables !== undefined, 'a tree has a name that was given');
    return tables;
  }

  #sizeOf(name: string): TreeSize {
    return this.#state.sizes.get(name) ?? { keys: 0, longKeys: 0 };
  }

  #readState(): State {
    const bytes = this.#meta.get(STATE_KEY, this.#view.options);
    return bytes === undefined ? NO_STATE : decodeState(plain(bytes));
  }
}

interface TreeStats {
  readonly pageSize: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** LMDB's own, at the start of its file. */
const META_PAGES = 2;

function pagesOf({ treeBranchPageCount, treeLeafPageCount, overflowPages }: TreeStats): number {
  return treeBranchPageCount + treeLeafPageCount + overflowPages;
}

/** Puts the changes of one tree into the batch under way, and keeps count. */
class TreeWriter {
  readonly #tables: Tables;
  readonly #view: ReadView;
  readonly #links = new Map<string, { readonly table: Table; readonly key: Uint8Array; more: number }>();
  #keys: number;
  #longKeys: number;

  constructor(tables: Tables, view: ReadView, size: TreeSize) {
    this.#tables = tables;
    this.#view = view;
    this.#keys = size.keys;
    this.#longKeys = size.longKeys;
  }

  write({ key, bytes, existed }: Change): void {
    const { level, piece, links } = placeOf(key);
    const table = this.#table(level);
    // The outcome is the batch's; what is not there to be removed was a mistake of the caller.
    if (bytes === null) void table.remove(inLevel(level, piece));
    else void table.put(inLevel(level, piece), bytes);
    const more = bytes === null ? (existed ? -1 : 0) : existed ? 0 : 1;
    this.#keys += more;
    if (links.length === 0 || more === 0) return;
    this.#longKeys += more;
    for (const link of links) this.#count(this.#table(link.level), inLevel(link.level, link.piece), more);
  }

  finish(): TreeSize {
    for (const { table, key, more } of this.#links.values()) {
      const old = table.get(key, this.#view.options);
      const count = (old === undefined ? 0 : new ByteReader(old).varint()) + more;
      assert(count >= 0, 'a link leads to no fewer keys than none');
      if (count === 0) void table.remove(key);
      else void table.put(key, encodeCount(count));
    }
    return { keys: this.#keys, longKeys: this.#longKeys };
  }

  #table(level: Uint8Array): Table {
    return level === TOP ? this.#tables.keys : this.#tables.longKeys;
  }

  #count(table: Table, key: Uint8Array, more: number): void {
    const name = Buffer.from(key).toString('latin1');
    const link = this.#links.get(name);
    if (link === undefined) this.#links.set(name, { table, key, more });
    else link.more += more;
  }
}

/** Throws `ForeignStore`. */
async function checkFile(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await openFile(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(64), 0, 64, 0);
    // Empty: the member died while it was made.
    if (bytesRead > 0 && !hasLmdbMagic(buffer.subarray(0, bytesRead))) {
      throw new PolderError('ForeignStore', `${path} is not a store of Polder: ${AWAY}`);
    }
  } finally {
    await file.close();
  }
}

/** A process may have died between writing and syncing: what is read now must be durable, and so must the file's name. */
async function syncFile(path: string): Promise<void> {
  for (const each of [path, dirname(path)]) {
    const file = await openFile(each, 'r');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

function openRoot({ path, trees }: LmdbEngineOptions): Root {
  return open<Uint8Array, Uint8Array>({
    path,
    noSubdir: true,
    keyEncoding: 'binary',
    encoding: 'binary',
    maxDbs: 1 + 2 * trees.length,
    mapSize: MAP_BYTES,
    // A commit is durable before it is reported, and a batch is one transaction and nothing else.
    overlappingSync: false,
    eventTurnBatching: false,
  });
}

function openTable(root: Root, name: string): Table {
  return root.openDB(name, { keyEncoding: 'binary', encoding: 'binary' });
}

function longKeysOf(name: string): string {
  return `${name} long`;
}
