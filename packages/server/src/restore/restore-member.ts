/** Makes the data directory of a member of a new cluster, from a snapshot's file. */
import { open } from 'node:fs/promises';
import { assert, type DiskOperation, type DiskResult, Log, PolderError, SnapshotOpener } from '@polder/core';
import { DurableKvStateMachine, KvSnapshotFounder } from '@polder/core/kv';
import { FileDisk } from '../disk/index.ts';
import { LmdbStorage } from '../storage/index.ts';

export interface RestoreOptions {
  /** What `polder snapshot save` wrote. */
  readonly file: string;
  /** Absent, or empty. */
  readonly dataDirectory: string;
  /** Another than the one that the snapshot is from: its members are refused by this one's. */
  readonly cluster: string;
  /** The member's name. */
  readonly member: string;
}

const PIECE_BYTES = 1024 * 1024;
/** So much of the store is in memory at a time. */
const STAGED_BYTES_MAX = 16 * 1024 * 1024;
/** Every member of the new cluster begins here, and with the same data. */
const INDEX = 1;
const TERM = 1;
const STORE = `store-${INDEX}-${TERM}`;

/**
 * The directory is durable when this resolves, and holds nothing of use when it rejects. Throws `MalformedBytes` when the
 * snapshot is damaged or cut, and what `FileDisk.open` throws.
 */
export async function restoreMember(options: RestoreOptions): Promise<void> {
  const { dataDirectory, cluster, member } = options;
  const disk = await FileDisk.open(dataDirectory, { cluster, member });
  const completions = new Completions();
  disk.onComplete((token, result) => completions.deliver(token, result));
  // As the member itself names it when it starts.
  const owner = `${cluster}/${member}#${disk.identity.directory}`;
  const deliver = (token: number, result: DiskResult): void => completions.deliver(token, result);
  const storage = new LmdbStorage({ directory: disk.directory, owner, deliver });
  try {
    await fillStore(new DurableKvStateMachine({ storage }), completions, options.file);
    await nameInLog(disk, completions);
  } finally {
    await storage.close();
    await disk.close();
  }
}

async function fillStore(machine: DurableKvStateMachine, completions: Completions, file: string): Promise<void> {
  const step = async (begin: (token: number) => void): Promise<void> => {
    const result = await completions.next(begin);
    if (result.type === 'error') throw new PolderError(result.code, result.message);
    machine.settle('done');
  };
  await step((token) => machine.open(token, 'store-0-0'));
  await step((token) => machine.stage(token, STORE));
  const opener = new SnapshotOpener(new KvSnapshotFounder(machine.staging));
  const handle = await open(file);
  try {
    for (;;) {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES, null);
      if (bytesRead === 0) break;
      opener.write(buffer.subarray(0, bytesRead));
      if (machine.stagedBytes >= STAGED_BYTES_MAX) await step((token) => machine.flushStage(token));
    }
  } finally {
    await handle.close();
  }
  opener.end();
  await step((token) => machine.finishStage(token, TERM));
  machine.adopt();
}

/** Last: a directory whose log does not name the store is one of a member that knows nothing. */
async function nameInLog(disk: FileDisk, completions: Completions): Promise<void> {
  const submit = (operation: DiskOperation): number => completions.submit(disk, operation);
  const log = new Log({ submit });
  await completions.until(
    (token, result) => log.onDisk(token, result),
    () => log.state !== 'opening' || log.failure !== null,
    () => log.open(),
  );
  throwFailure(log);
  await completions.until(
    (token, result) => log.onDisk(token, result),
    () => !log.busy,
    () =>
      log.write(
        [
          { type: 'vote', term: TERM, votedFor: 0 },
          { type: 'snapshot', index: INDEX, term: TERM, file: STORE },
        ],
        1,
      ),
  );
  throwFailure(log);
  assert(log.persisted === 1, 'what was written is durable');
}

/** Throws `CorruptLog` or `DiskError`. */
function throwFailure({ failure }: Log): void {
  if (failure !== null) throw failure;
}

/** Waits for completions, which come by token. */
class Completions {
  #nextToken = 1;
  #receive: ((token: number, result: DiskResult) => void) | null = null;

  submit(disk: FileDisk, operation: DiskOperation): number {
    const token = this.#nextToken++;
    disk.submit(token, operation);
    return token;
  }

  deliver(token: number, result: DiskResult): void {
    this.#receive?.(token, result);
  }

  async next(begin: (token: number) => void): Promise<DiskResult> {
    const token = this.#nextToken++;
    return new Promise((resolve) => {
      this.#receive = (completed, result) => {
        if (completed === token) resolve(result);
      };
      begin(token);
    });
  }

  /** Hands completions on until nothing more is to come. */
  async until(
    receive: (token: number, result: DiskResult) => void,
    isDone: () => boolean,
    begin: () => void,
  ): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#receive = (token, result) => {
        receive(token, result);
        if (isDone()) resolve();
      };
      begin();
    });
  }
}
