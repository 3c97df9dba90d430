/** What can be done with a snapshot of the key-value state without loading it: a pass over it, block by block. */
import { AssertionError, assert } from '../base/assert.ts';
import { EMPTY_BYTES } from '../base/bytes.ts';
import { SessionTable } from '../consensus/sessions.ts';
import type { SnapshotStage } from '../consensus/state-machine.ts';
import type { OrderedStore } from './ordered-store.ts';
import { decodeHead, encodeHead } from './snapshot.ts';
import { BlockReader, encodeBlock } from './snapshot-blocks.ts';
import { KvStateMachine } from './state-machine.ts';

type Sink = Pick<SnapshotStage, 'write' | 'whole'>;

export interface KvSnapshotSummary {
  readonly appliedIndex: number;
  readonly revision: number;
  /** 0: never compacted. */
  readonly compactRevision: number;
  readonly keys: number;
  /** Superseded versions and tombstones that are still held. */
  readonly pastVersions: number;
  /** Keys and values of all versions. */
  readonly sizeBytes: number;
}

/** Checks a snapshot as a member would that loads it, and keeps nothing but numbers. */
export class KvSnapshotInspector implements Sink {
  readonly #past = new CountingStore<never>();
  readonly #machine = new KvStateMachine(() => ({ current: new CountingStore(), past: this.#past }));
  readonly #stage = this.#machine.stageSnapshot();

  get whole(): boolean {
    return this.#stage.whole;
  }

  /** Throws `MalformedBytes`. */
  write(bytes: Uint8Array): void {
    this.#stage.write(bytes);
  }

  /** Of a whole one. */
  summary(): KvSnapshotSummary {
    this.#stage.install();
    const machine = this.#machine;
    return {
      appliedIndex: machine.appliedIndex(),
      revision: machine.revision(),
      compactRevision: machine.compactRevision(),
      keys: machine.keyCount(),
      pastVersions: this.#past.size,
      sizeBytes: machine.sizeBytes(),
    };
  }
}

/**
 * The same data as the state of a cluster that begins: at index 1, with no sessions and no members of its own. What the
 * old cluster's members proposed, and who they were, means nothing in the new one.
 */
export class KvSnapshotFounder implements Sink {
  readonly #to: Sink;
  readonly #blocks = new BlockReader();
  #crc = 0;
  #hasHead = false;

  constructor(to: Sink) {
    this.#to = to;
  }

  get whole(): boolean {
    return this.#blocks.isEmpty && this.#to.whole;
  }

  /** Throws `MalformedBytes`. */
  write(bytes: Uint8Array): void {
    this.#blocks.write(bytes, (content) => {
      const { block, crc } = encodeBlock(this.#hasHead ? content : founding(content), this.#crc);
      this.#hasHead = true;
      this.#crc = crc;
      this.#to.write(block);
    });
  }
}

function founding(head: Uint8Array): Uint8Array {
  const scalars = { appliedIndex: 1, configuration: EMPTY_BYTES, sessions: new SessionTable() };
  return encodeHead({ ...decodeHead(head), scalars });
}

/** Knows how many keys were put, each once. */
class CountingStore<Value> implements OrderedStore<Value> {
  size = 0;

  put(key: Uint8Array): void {
    assert(key.length > 0, 'no key is empty');
    this.size++;
  }

  get(): never {
    throw new AssertionError('what is only counted is not read');
  }

  delete(): never {
    return this.get();
  }

  scan(): never {
    return this.get();
  }

  scanBackward(): never {
    return this.get();
  }

  count(): never {
    return this.get();
  }

  snapshot(): never {
    return this.get();
  }

  close(): void {
    // Nothing is held.
  }
}
