import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../../base/bytes.ts';
import { append, seeded, withFile } from './disk.test-support.ts';
import { SimulatedDisk } from './disk.ts';

describe('a simulated disk', () => {
  it('reads what was written before it is synced', () => {
    const disk = new SimulatedDisk();
    append(disk, 'a', 'one');
    append(disk, 'a', 'two');
    expect(disk.execute({ type: 'read', file: 'a', offset: 2, length: 3 })).toEqual({
      type: 'bytes',
      bytes: utf8('etw'),
    });
    expect(disk.execute({ type: 'read', file: 'a', offset: 4, length: 99 })).toEqual({
      type: 'bytes',
      bytes: utf8('wo'),
    });
    expect(disk.execute({ type: 'size', file: 'a' })).toEqual({ type: 'size', sizeBytes: 6 });
    expect(disk.execute({ type: 'size', file: 'b' })).toMatchObject({ type: 'error', code: 'ENOENT' });
  });

  it('keeps synced bytes through every crash, and what is behind them in part', () => {
    const lengths = new Set<number>();
    let garbled = 0;
    for (let seed = 0; seed < 200; seed++) {
      const disk = withFile('synced');
      append(disk, 'a', '+'.repeat(700));
      disk.crash(seeded(seed, 2));
      const bytes = disk.contents('a') ?? new Uint8Array(0);
      expect(bytes.subarray(0, 6), `seed ${seed}`).toEqual(utf8('synced'));
      lengths.add(bytes.length);
      if (bytes.subarray(6).some((byte) => byte !== 43)) garbled++;
    }
    expect(Math.min(...lengths)).toBe(6);
    expect(Math.max(...lengths)).toBe(706);
    expect(lengths.size).toBeGreaterThan(20);
    expect(garbled).toBeGreaterThan(20);
  });

  it('may lose a name whose directory was not synced, though its bytes were', () => {
    const outcomes = new Set<boolean>();
    for (let seed = 0; seed < 20; seed++) {
      const disk = new SimulatedDisk();
      append(disk, 'a', 'x');
      disk.execute({ type: 'sync', file: 'a' });
      disk.crash(seeded(seed, 2));
      outcomes.add(disk.contents('a') !== null);
    }
    expect([...outcomes].sort()).toEqual([false, true]);
  });

  it('renames atomically: after a crash the file has the old name or the new one', () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const disk = withFile('x');
      disk.execute({ type: 'rename', file: 'a', to: 'b' });
      disk.crash(seeded(seed, 2));
      outcomes.add(JSON.stringify(disk.execute({ type: 'list' })));
    }
    expect([...outcomes].sort()).toEqual(['{"type":"names","names":["a"]}', '{"type":"names","names":["b"]}']);
  });

  it('may undo a removal and a truncation that were not synced', () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const disk = withFile('abc');
      disk.execute({ type: 'truncate', file: 'a', length: 1 });
      disk.execute({ type: 'remove', file: 'a' });
      disk.crash(seeded(seed, 2));
      outcomes.add(String(disk.contents('a')));
    }
    expect([...outcomes].sort()).toEqual(['97', '97,98,99', 'null']);
  });

  it('R24: a failed sync loses what it was to write, and the next sync does not bring it back', () => {
    const disk = withFile('a');
    append(disk, 'a', 'lost');
    disk.failNext('sync', 'EIO');
    expect(disk.execute({ type: 'sync', file: 'a' })).toMatchObject({ type: 'error', code: 'EIO' });
    expect(disk.execute({ type: 'sync', file: 'a' })).toEqual({ type: 'done' });
    expect(disk.contents('a')).toEqual(utf8('alost'));
    disk.crash(seeded(1, 2));
    expect(disk.contents('a')).toEqual(utf8('a'));
  });

  it('rots where it is told to', () => {
    const disk = withFile('abc');
    disk.corrupt('a', 1, 0);
    disk.crash(seeded(1, 2));
    expect(disk.contents('a')).toEqual(utf8('acc'));
  });

  it('saved and loaded, crashes to the same bytes', () => {
    for (let seed = 0; seed < 50; seed++) {
      const disk = withFile('abc');
      append(disk, 'a', 'x'.repeat(600));
      append(disk, 'b', 'new');
      disk.execute({ type: 'rename', file: 'b', to: 'c' });
      disk.execute({ type: 'truncate', file: 'a', length: 300 });
      const writer = new ByteWriter();
      disk.save(writer);
      const copy = new SimulatedDisk();
      copy.load(new ByteReader(writer.finish()));
      disk.crash(seeded(seed, 2));
      copy.crash(seeded(seed, 2));
      for (const name of ['a', 'b', 'c']) expect(copy.contents(name), `seed ${seed}`).toEqual(disk.contents(name));
    }
  });
});
