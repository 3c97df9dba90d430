import { ByteReader, ByteWriter } from '@polder/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WholeSnapshot, WholeStage } from './whole-snapshot.ts';

describe('a snapshot that is made at once', () => {
  it('arrives as it was, however it is cut, and wherever its arrival is saved and loaded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 20 })), (bytes, sizes) => {
        const source = new WholeSnapshot(7, bytes);
        const restored: Uint8Array[] = [];
        const newStage = (): WholeStage => new WholeStage((whole) => restored.push(whole.slice()));
        let stage = newStage();
        for (const sizeMax of [...sizes, 1_000]) {
          stage.write(source.read(sizeMax));
          const writer = new ByteWriter();
          stage.save(writer);
          stage = newStage();
          stage.load(new ByteReader(writer.finish()));
        }
        expect(stage.whole).toBe(true);
        stage.install();
        expect(restored).toEqual([bytes]);
      }),
    );
  });

  it('is not whole before its last byte, and refuses one more', () => {
    const bytes = new WholeSnapshot(1, Uint8Array.of(1, 2, 3)).rest();
    const stage = new WholeStage(() => {});
    stage.write(bytes.subarray(0, bytes.length - 1));
    expect(stage.whole).toBe(false);
    stage.write(bytes.subarray(bytes.length - 1));
    expect(stage.whole).toBe(true);
    expect(() => stage.write(Uint8Array.of(0))).toThrow(expect.objectContaining({ code: 'MalformedBytes' }));
  });
});
