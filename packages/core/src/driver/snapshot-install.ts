/**
 * A peer's snapshot takes the place of a state that is in memory. It is durable, and known to be good, before the log
 * names it, and the state is the old one until then:
 *
 *   sync ──► loaded into a stage ──► rename ──► syncDirectory ──► (named in the log) ──► finish
 */
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { SnapshotStage } from '../consensus/state-machine.ts';
import type { DiskOperation } from '../world/world.ts';
import { ARRIVING_FILE, type SnapshotRules } from './snapshot-arrival.ts';
import { type SnapshotName, snapshotFile } from './snapshot-file.ts';
import { loadStored, type StoredSnapshot, saveStored } from './stored-snapshot.ts';

const STEPS = ['idle', 'sync', 'load', 'rename', 'syncDirectory', 'named'] as const;
/** What is done when a step is to be left out. */
const NOTHING: DiskOperation = { type: 'list' };

export class SnapshotInstall {
  readonly #submit: (operation: DiskOperation) => number;
  readonly #rules: SnapshotRules;
  #step: (typeof STEPS)[number] = 'idle';
  #token = 0;
  #stage: SnapshotStage | null = null;
  #loaded: StoredSnapshot | null = null;

  constructor(submit: (operation: DiskOperation) => number, rules: SnapshotRules) {
    this.#submit = submit;
    this.#rules = rules;
  }

  get stage(): SnapshotStage {
    assert(this.#stage !== null, 'there is a stage');
    return this.#stage;
  }

  get loaded(): StoredSnapshot | null {
    return this.#loaded;
  }

  get busy(): boolean {
    return this.#step !== 'idle';
  }

  /** It has its name, durably. */
  get named(): SnapshotName | null {
    return this.#step === 'named' ? this.#loaded : null;
  }

  owns(token: number): boolean {
    return this.#token === token && this.busy;
  }

  /** The stage that will take the state's place. */
  into(stage: SnapshotStage): SnapshotStage {
    this.#stage = stage;
    return stage;
  }

  begin(): void {
    this.#do('sync', this.#rules.syncsArrived() ? { type: 'sync', file: ARRIVING_FILE } : NOTHING);
  }

  onDisk(name: SnapshotName): 'working' | 'synced' | 'named' {
    if (this.#step === 'sync') {
      this.#step = 'load';
      this.#token = 0;
      return 'synced';
    }
    if (this.#step === 'rename') {
      this.#do('syncDirectory', this.#rules.syncsName() ? { type: 'syncDirectory' } : NOTHING);
      return 'working';
    }
    assert(this.#step === 'syncDirectory' && this.#loaded?.index === name.index, 'a name is made durable');
    this.#step = 'named';
    return 'named';
  }

  onLoaded(snapshot: StoredSnapshot): void {
    this.#loaded = snapshot;
    this.#do('rename', { type: 'rename', file: ARRIVING_FILE, to: snapshotFile(snapshot.index) });
  }

  finish(): void {
    this.#stage?.install();
    this.#forget();
  }

  drop(): void {
    this.#stage?.discard();
    this.#forget();
  }

  #forget(): void {
    this.#stage = null;
    this.#loaded = null;
    this.#step = 'idle';
    this.#token = 0;
  }

  #do(step: (typeof STEPS)[number], operation: DiskOperation): void {
    this.#step = step;
    this.#token = this.#submit(operation);
  }

  save(writer: ByteWriter): void {
    writer.u8(STEPS.indexOf(this.#step));
    writer.varint(this.#token);
    saveStored(writer, this.#loaded);
    writer.bool(this.#stage !== null);
    this.#stage?.save(writer);
  }

  load(reader: ByteReader, newStage: () => SnapshotStage): void {
    this.#step = STEPS[reader.u8()] ?? 'idle';
    this.#token = reader.varint();
    this.#loaded = loadStored(reader);
    this.#stage = reader.bool() ? newStage() : null;
    this.#stage?.load(reader);
  }
}
