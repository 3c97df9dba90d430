import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../base/bytes.ts';
import { BytesSource, SnapshotOpener, SnapshotSealer } from './snapshot-file.ts';

const NAME = { index: 2 ** 40 + 7, term: 3 };
const BODY = utf8('the state of a machine, of which there is only one at an index');
const malformed = expect.objectContaining({ code: 'MalformedBytes' });

function sealed(sizeMax: number): Uint8Array {
  const sealer = new SnapshotSealer(NAME, new BytesSource(NAME.index, BODY));
  const writer = new ByteWriter();
  for (let piece = sealer.read(sizeMax); piece.length > 0; piece = sealer.read(sizeMax)) writer.raw(piece);
  return writer.finish();
}

/** Takes everything. */
class Stage {
  readonly taken = new ByteWriter();
  get whole(): boolean {
    return this.taken.length === BODY.length;
  }
  write(bytes: Uint8Array): void {
    this.taken.raw(bytes);
  }
}

function open(bytes: Uint8Array, sizeMax = bytes.length): Stage {
  const stage = new Stage();
  const opener = new SnapshotOpener(stage);
  for (let at = 0; at < bytes.length; at += sizeMax) opener.write(bytes.subarray(at, at + sizeMax));
  opener.end();
  expect(opener.name).toEqual(NAME);
  return stage;
}

describe('a snapshot’s file', () => {
  it('DS5: is the same in pieces of any size, written or read', () => {
    const bytes = sealed(1_000);
    for (let size = 1; size <= bytes.length + 1; size++) {
      expect(sealed(size)).toEqual(bytes);
      expect(open(bytes, size).taken.finish()).toEqual(BODY);
    }
  });

  it('R20 DS5: is refused when it is cut anywhere, or when a bit of it is wrong', () => {
    const bytes = sealed(1_000);
    for (let at = 0; at < bytes.length; at++) {
      expect(() => open(bytes.subarray(0, at))).toThrow(malformed);
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] as number) ^ 4;
      expect(() => open(damaged)).toThrow(malformed);
    }
    expect(() => open(new Uint8Array([...bytes, 0]))).toThrow(malformed);
  });

  it('goes on elsewhere when it is saved between two pieces', () => {
    const bytes = sealed(1_000);
    for (let at = 1; at < bytes.length; at += 7) {
      const sealer = new SnapshotSealer(NAME, new BytesSource(NAME.index, BODY));
      sealer.read(at);
      const writer = new ByteWriter();
      sealer.save(writer);
      const again = SnapshotSealer.load(new ByteReader(writer.finish()));
      expect(again.read(1_000)).toEqual(bytes.subarray(at));
      expect(again.read(1_000).length).toBe(0);
    }
  });
});
