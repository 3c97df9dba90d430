import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../base/bytes.ts';
import type { SnapshotSource } from '../consensus/state-machine.ts';
import { encodeKvRequest } from './codec.ts';
import { KvStateMachine } from './state-machine.ts';

function put(machine: KvStateMachine, key: string, value: string): void {
  const index = machine.appliedIndex() + 1;
  const origin = { member: 1, boot: 1, sequence: index, acknowledgedThrough: 0 };
  const command = encodeKvRequest({ type: 'put', key: utf8(key), value: utf8(value) });
  machine.apply({ term: 1, index, origin, command });
}

/** Of several blocks: keys with a past, and one value that fills a block by itself. */
function filled(): KvStateMachine {
  const machine = new KvStateMachine();
  for (let i = 0; i < 60; i++) put(machine, `key ${i % 40}`, `${i}`.padEnd(1_000, '.'));
  put(machine, 'large', 'v'.repeat(70_000));
  return machine;
}

function saved(machine: KvStateMachine): Uint8Array {
  const writer = new ByteWriter();
  machine.save(writer);
  return writer.finish();
}

function* pieces(source: SnapshotSource, sizeMax: number): Generator<Uint8Array> {
  for (let piece = source.read(sizeMax); piece.length > 0; piece = source.read(sizeMax)) yield piece;
}

function whole(machine: KvStateMachine, sizeMax: number): Uint8Array {
  const writer = new ByteWriter();
  for (const piece of pieces(machine.openSnapshot(), sizeMax)) writer.raw(piece);
  return writer.finish();
}

describe('a snapshot of the key-value state', () => {
  it('R17 K15: goes over piece by piece, and equal states give equal bytes, whatever the pieces', () => {
    const machine = filled();
    const bytes = whole(machine, 1_000_000);
    for (const sizeMax of [7, 1_000, 32_768, 40_000]) expect(whole(machine, sizeMax)).toEqual(bytes);
    const other = new KvStateMachine();
    const stage = other.stageSnapshot();
    for (const piece of pieces(machine.openSnapshot(), 997)) stage.write(piece);
    expect(stage.whole).toBe(true);
    stage.install();
    expect(saved(other)).toEqual(saved(machine));
    expect(whole(other, 5_000)).toEqual(bytes);
  });

  it('K15: every piece but the last is as large as was asked for', () => {
    const sizes = [...pieces(filled().openSnapshot(), 10_000)].map((piece) => piece.length);
    expect(sizes.slice(0, -1).every((size) => size === 10_000)).toBe(true);
    expect(sizes.length).toBeGreaterThan(5);
  });

  it('R17 K15: is of the moment when it was opened, though the state goes on', () => {
    const machine = filled();
    const before = whole(machine, 50_000);
    const source = machine.openSnapshot();
    const writer = new ByteWriter();
    for (let i = 0; ; i++) {
      const piece = source.read(3_000);
      if (piece.length === 0) break;
      writer.raw(piece);
      put(machine, `key ${i % 50}`, 'changed');
      if (i % 3 === 0) put(machine, `a new key ${i}`, 'x');
    }
    expect(writer.finish()).toEqual(before);
    expect(source.index).toBe(61);
  });

  it('R17 K15: nothing changes before it is installed', () => {
    const machine = new KvStateMachine();
    put(machine, 'own', 'state');
    const before = saved(machine);
    const stage = machine.stageSnapshot();
    stage.write(whole(filled(), 1_000_000));
    expect(saved(machine)).toEqual(before);
    stage.discard();
    expect(saved(machine)).toEqual(before);
  });

  it('R17 K15: cut anywhere it is not whole, and any damage is refused', () => {
    const machine = new KvStateMachine();
    for (let i = 0; i < 8; i++) put(machine, `key ${i % 5}`, `${i}`);
    const bytes = whole(machine, 1_000);
    for (let length = 0; length < bytes.length; length++) {
      const stage = new KvStateMachine().stageSnapshot();
      stage.write(bytes.subarray(0, length));
      expect(stage.whole).toBe(false);
    }
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice();
        damaged[at] = (damaged[at] as number) ^ flip;
        const stage = new KvStateMachine().stageSnapshot();
        let refused = false;
        try {
          stage.write(damaged);
        } catch (error) {
          expect(error).toMatchObject({ code: 'MalformedBytes' });
          refused = true;
        }
        expect(refused || !stage.whole).toBe(true);
      }),
    );
  });

  it('K15: a stage and a source saved between two pieces go on elsewhere', () => {
    const machine = filled();
    const bytes = whole(machine, 1_000_000);
    for (const at of [0, 5, 20_000, 90_000, bytes.length]) {
      const source = machine.openSnapshot();
      const stage = new KvStateMachine().stageSnapshot();
      if (at > 0) stage.write(source.read(at));
      const writer = new ByteWriter();
      stage.save(writer);
      const target = new KvStateMachine();
      const again = target.stageSnapshot();
      again.load(new ByteReader(writer.finish()));
      expect(source.rest()).toEqual(bytes.subarray(at));
      expect(source.rest()).toEqual(source.read(bytes.length));
      again.write(bytes.subarray(at));
      again.install();
      expect(saved(target)).toEqual(saved(machine));
    }
  });
});
