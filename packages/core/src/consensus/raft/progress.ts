import { assert } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { SnapshotTransfer } from './snapshot-transfer.ts';

const IN_FLIGHT_MESSAGES_MAX = 64;
const IN_FLIGHT_BYTES_MAX = 4 * 1024 * 1024;
const STATES = ['probe', 'replicate', 'snapshot'] as const;

/**
 * What a leader knows of one peer (§5.3). `probe`: where the logs agree is not known, one message at a time.
 * `replicate`: known, messages are pipelined. `snapshot`: the peer needs what is compacted away.
 */
export class Progress {
  readonly peer: number;
  matchIndex = 0;
  nextIndex: number;
  state: (typeof STATES)[number] = 'probe';
  /** In `probe`: a message is under way. */
  probing = false;
  /** Heard since the last check of the quorum. */
  active = true;
  round = 0;
  sentRound = 0;
  sentCommit = 0;
  /** In `snapshot`. */
  transfer: SnapshotTransfer | null = null;
  #inFlight: { lastIndex: number; bytes: number }[] = [];
  #inFlightBytes = 0;

  constructor(peer: number, nextIndex: number) {
    this.peer = peer;
    this.nextIndex = nextIndex;
  }

  get windowOpen(): boolean {
    return this.#inFlight.length < IN_FLIGHT_MESSAGES_MAX && this.#inFlightBytes < IN_FLIGHT_BYTES_MAX;
  }

  onSent(lastIndex: number, bytes: number): void {
    assert(lastIndex >= this.nextIndex, 'what is sent moves on');
    this.nextIndex = lastIndex + 1;
    this.#inFlight.push({ lastIndex, bytes });
    this.#inFlightBytes += bytes;
  }

  onMatch(matchIndex: number): void {
    if (matchIndex > this.matchIndex) this.matchIndex = matchIndex;
    if (this.nextIndex <= this.matchIndex) this.nextIndex = this.matchIndex + 1;
    while (this.#inFlight[0] !== undefined && this.#inFlight[0].lastIndex <= this.matchIndex) {
      this.#inFlightBytes -= this.#inFlight.shift()?.bytes ?? 0;
    }
  }

  become(state: Progress['state'], nextIndex: number): void {
    this.state = state;
    this.nextIndex = nextIndex;
    this.transfer = null;
    this.probing = false;
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    assert(this.nextIndex > this.matchIndex, 'next is always above match');
  }

  save(writer: ByteWriter): void {
    for (const value of [this.peer, this.matchIndex, this.nextIndex, STATES.indexOf(this.state)]) writer.varint(value);
    writer.bool(this.probing);
    writer.bool(this.active);
    for (const value of [this.round, this.sentRound, this.sentCommit]) writer.varint(value);
    this.transfer?.save(writer);
    writer.varint(this.#inFlight.length);
    for (const message of this.#inFlight) {
      writer.varint(message.lastIndex);
      writer.varint(message.bytes);
    }
  }

  static load(reader: ByteReader, newTransfer: () => SnapshotTransfer): Progress {
    const progress = new Progress(reader.varint(), 1);
    progress.matchIndex = reader.varint();
    progress.nextIndex = reader.varint();
    progress.state = STATES[reader.varint()] ?? 'probe';
    progress.probing = reader.bool();
    progress.active = reader.bool();
    progress.round = reader.varint();
    progress.sentRound = reader.varint();
    progress.sentCommit = reader.varint();
    if (progress.state === 'snapshot') progress.transfer = newTransfer();
    progress.transfer?.load(reader);
    for (let left = reader.varint(); left > 0; left--) {
      const message = { lastIndex: reader.varint(), bytes: reader.varint() };
      progress.#inFlight.push(message);
      progress.#inFlightBytes += message.bytes;
    }
    return progress;
  }
}
