/** Frames on the wire between peers: {u32 length, u32 crc32c, u8 channel, payload}; little-endian; both numbers cover channel and payload. */
import { assert } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';

export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const HEADER_BYTES = 8;

export type FrameFault = 'oversize' | 'empty' | 'checksum';

export type ReadResult =
  | { readonly type: 'frame'; readonly channel: number; readonly payload: Uint8Array }
  | { readonly type: 'fault'; readonly fault: FrameFault };

export function wrapFrame(channel: number, payload: Uint8Array): Uint8Array {
  assert(channel >= 0 && channel <= 0xff, 'a channel is a byte');
  assert(payload.length < MAX_FRAME_BYTES, 'a frame fits its limit');
  const bytes = new Uint8Array(HEADER_BYTES + 1 + payload.length);
  bytes[HEADER_BYTES] = channel;
  bytes.set(payload, HEADER_BYTES + 1);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 1 + payload.length, true);
  view.setUint32(4, crc32c(bytes.subarray(HEADER_BYTES)), true);
  return bytes;
}

/** Cuts a byte stream into frames. After a fault it yields nothing more: a stream that lied once is not believed again. */
export class FrameReader {
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  #headerFilled = 0;
  #body: Uint8Array | null = null;
  #bodyFilled = 0;
  #faulty = false;
  #maxBytes: number;

  constructor(maxBytes: number) {
    assert(maxBytes > 0 && maxBytes <= MAX_FRAME_BYTES, 'the frame limit is within the protocol');
    this.#maxBytes = maxBytes;
  }

  /** A stranger may claim little; a peer that has introduced itself, more. */
  set maxBytes(value: number) {
    assert(value > 0 && value <= MAX_FRAME_BYTES, 'the frame limit is within the protocol');
    this.#maxBytes = value;
  }

  /** The payloads are fresh copies. `receive` runs between frames, so that it may change the limit for the next one. */
  push(chunk: Uint8Array, receive: (result: ReadResult) => void): void {
    let offset = 0;
    while (offset < chunk.length && !this.#faulty) {
      if (this.#body === null) {
        const take = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - offset);
        this.#header.set(chunk.subarray(offset, offset + take), this.#headerFilled);
        this.#headerFilled += take;
        offset += take;
        if (this.#headerFilled === HEADER_BYTES) this.#startBody(receive);
        continue;
      }
      const take = Math.min(this.#body.length - this.#bodyFilled, chunk.length - offset);
      this.#body.set(chunk.subarray(offset, offset + take), this.#bodyFilled);
      this.#bodyFilled += take;
      offset += take;
      if (this.#bodyFilled === this.#body.length) this.#finishBody(this.#body, receive);
    }
  }

  #startBody(receive: (result: ReadResult) => void): void {
    const length = this.#headerView.getUint32(0, true);
    if (length > this.#maxBytes) return this.#fail('oversize', receive);
    if (length === 0) return this.#fail('empty', receive);
    this.#body = new Uint8Array(length);
    this.#bodyFilled = 0;
  }

  #finishBody(body: Uint8Array, receive: (result: ReadResult) => void): void {
    if (crc32c(body) !== this.#headerView.getUint32(4, true)) return this.#fail('checksum', receive);
    this.#body = null;
    this.#headerFilled = 0;
    receive({ type: 'frame', channel: body[0] as number, payload: body.subarray(1) });
  }

  #fail(fault: FrameFault, receive: (result: ReadResult) => void): void {
    this.#faulty = true;
    this.#body = null;
    receive({ type: 'fault', fault });
  }
}
