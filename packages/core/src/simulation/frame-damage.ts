import { FrameReader, MAX_FRAME_BYTES, wrapFrame } from '../driver/index.ts';

/**
 * A bit of the frame flips between two members. What comes out is what the real transport's reader makes of it:
 * null when its checksum, or its length, gives the damage away; then the connection is closed and the frame is lost.
 */
export function damageFrame(frame: Uint8Array, word: number): Uint8Array | null {
  const wire = wrapFrame(0, frame);
  const bit = word % (wire.length * 8);
  wire[bit >> 3] = (wire[bit >> 3] as number) ^ (1 << (bit & 7));
  let payload: Uint8Array | null = null;
  new FrameReader(MAX_FRAME_BYTES).push(wire, (result) => {
    if (result.type === 'frame') payload = result.payload;
  });
  return payload;
}
