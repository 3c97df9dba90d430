/**
 * A leader sends one snapshot to one peer (§7), a window of chunks at a time:
 *
 *   which one is the newest? ──► chunks are read and sent ahead of `acknowledged`, at most a window of them ──► installed
 *                                   ▲                                        │
 *                                   └── from where the peer stands, after a gap, or when nothing moves for a while
 */
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';

export interface SnapshotTransferOptions {
  /** At most so many bytes in one message. */
  readonly chunkBytes: number;
  /** At most so many chunks are read, under way, or not acknowledged. */
  readonly windowChunks: number;
  /** Entries behind a snapshot that is being sent stay in memory, up to so many bytes. */
  readonly heldBytes: number;
}

export const DEFAULT_SNAPSHOT_TRANSFER: SnapshotTransferOptions = {
  chunkBytes: 256 * 1024,
  windowChunks: 4,
  heldBytes: 128 * 1024 * 1024,
};

export interface WantedChunk {
  readonly index: number;
  readonly offset: number;
  readonly lengthMax: number;
}

export class SnapshotTransfer {
  readonly #options: SnapshotTransferOptions;
  /** 0: the newest was asked for, which is not known yet. */
  #index = 0;
  #sizeBytes = 0;
  /** So much of it the peer has written down. */
  #acknowledged = 0;
  #nextOffset = 0;
  /** A gap is closed once from each place; after that a while must pass. */
  #resentFrom = -1;
  #movedUs: number;

  constructor(options: SnapshotTransferOptions, nowUs: number) {
    this.#options = options;
    this.#movedUs = nowUs;
  }

  get index(): number {
    return this.#index;
  }

  first(): WantedChunk {
    return { index: 0, offset: 0, lengthMax: this.#options.chunkBytes };
  }

  /** What is to be read now, so that the window is full. */
  wanted(): WantedChunk[] {
    const { chunkBytes, windowChunks } = this.#options;
    const end = Math.min(this.#sizeBytes, this.#acknowledged + windowChunks * chunkBytes);
    const chunks: WantedChunk[] = [];
    for (; this.#nextOffset < end; this.#nextOffset += chunkBytes) {
      chunks.push({ index: this.#index, offset: this.#nextOffset, lengthMax: chunkBytes });
    }
    return chunks;
  }

  /** Whether a chunk that was read is one of this transfer. */
  onRead(index: number, sizeBytes: number, end: number): boolean {
    if (this.#index === 0) {
      this.#index = index;
      this.#sizeBytes = sizeBytes;
      this.#nextOffset = end;
    }
    return this.#index === index;
  }

  /** The peer wants `offset` of snapshot `index`. */
  onReply(index: number, offset: number, nowUs: number): void {
    if (index !== this.#index || offset > this.#sizeBytes) return;
    // Back to the start: what the peer had is gone, or did not hold. Anything else below is a late reply.
    const restarts = offset === 0 && this.#acknowledged > 0;
    if (offset > this.#acknowledged || restarts) {
      this.#acknowledged = offset;
      this.#nextOffset = restarts ? 0 : Math.max(this.#nextOffset, offset);
      this.#resentFrom = -1;
      this.#movedUs = nowUs;
    } else if (offset === this.#acknowledged && this.#resentFrom !== offset) {
      this.#resentFrom = offset;
      this.#nextOffset = offset;
    }
  }

  /** Nothing has moved for `stalledAfterUs`: what is not acknowledged is sent again; if all is, the last chunk. */
  resume(nowUs: number, stalledAfterUs: number): boolean {
    if (nowUs - this.#movedUs < stalledAfterUs) return false;
    this.#movedUs = nowUs;
    this.#resentFrom = -1;
    const last = Math.max(0, this.#sizeBytes - this.#options.chunkBytes);
    this.#nextOffset = this.#acknowledged === this.#sizeBytes ? last : this.#acknowledged;
    return true;
  }

  save(writer: ByteWriter): void {
    for (const value of [this.#index, this.#sizeBytes, this.#acknowledged, this.#nextOffset]) writer.varint(value);
    writer.varint(this.#resentFrom + 1);
    writer.varint(this.#movedUs);
  }

  load(reader: ByteReader): void {
    this.#index = reader.varint();
    this.#sizeBytes = reader.varint();
    this.#acknowledged = reader.varint();
    this.#nextOffset = reader.varint();
    this.#resentFrom = reader.varint() - 1;
    this.#movedUs = reader.varint();
  }
}
