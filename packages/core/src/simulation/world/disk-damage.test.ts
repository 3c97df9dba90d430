import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { append, seeded, withFile } from './disk.test-support.ts';
import { SimulatedDisk } from './disk.ts';

const contents = (disk: SimulatedDisk, file: string): string | null => {
  const bytes = disk.contents(file);
  return bytes === null ? null : String.fromCharCode(...bytes);
};

describe('a full disk', () => {
  it('takes no byte, makes no file, and goes on syncing, reading and removing', () => {
    const disk = withFile('abc');
    disk.setFull(true);
    expect(append(disk, 'a', 'def')).toMatchObject({ type: 'error', code: 'ENOSPC' });
    expect(append(disk, 'b', 'x')).toMatchObject({ type: 'error', code: 'ENOSPC' });
    expect(contents(disk, 'a')).toBe('abc');
    expect(disk.execute({ type: 'list' })).toEqual({ type: 'names', names: ['a'] });
    expect(disk.execute({ type: 'sync', file: 'a' })).toEqual({ type: 'done' });
    expect(disk.execute({ type: 'remove', file: 'a' })).toEqual({ type: 'done' });
  });

  it('stays full when its machine starts again, and has room when it is told so', () => {
    const disk = withFile('abc');
    disk.setFull(true);
    disk.crash(seeded(1, 3));
    expect(append(disk, 'a', 'x')).toMatchObject({ code: 'ENOSPC' });
    disk.setFull(false);
    expect(append(disk, 'a', 'x')).toEqual({ type: 'done' });
    expect(contents(disk, 'a')).toBe('abcx');
  });
});

describe('a failing append', () => {
  it('leaves half of its bytes, and only the next one fails', () => {
    const disk = withFile('abc');
    disk.failNext('append', 'EIO');
    expect(append(disk, 'a', 'wxyz')).toMatchObject({ type: 'error', code: 'EIO' });
    expect(contents(disk, 'a')).toBe('abcwx');
    expect(append(disk, 'a', '!')).toEqual({ type: 'done' });
  });
});

describe('a misdirected write', () => {
  it('lands over what is there, and leaves zeros where it belonged', () => {
    const disk = withFile('abcdef');
    disk.misdirectNext('a', 1);
    expect(append(disk, 'a', 'XY')).toEqual({ type: 'done' });
    expect(contents(disk, 'a')).toBe('aXYdef\0\0');
    append(disk, 'a', 'g');
    expect(contents(disk, 'a')).toBe('aXYdef\0\0g');
  });

  it('is as durable as any other: before its sync it may be lost, after it it stays', () => {
    const outcomes = new Set<string | null>();
    for (let seed = 0; seed < 40; seed++) {
      const disk = withFile('abcdef');
      disk.misdirectNext('a', 0);
      append(disk, 'a', 'XY');
      disk.crash(seeded(seed, 3));
      outcomes.add(contents(disk, 'a'));
    }
    expect(outcomes).toContain('abcdef');
    const disk = withFile('abcdef');
    disk.misdirectNext('a', 0);
    append(disk, 'a', 'XY');
    disk.execute({ type: 'sync', file: 'a' });
    disk.crash(seeded(1, 3));
    expect(contents(disk, 'a')).toBe('XYcdef\0\0');
  });
});

describe('what would survive a loss of power', () => {
  it('is of each file the bytes that were synced, once its name was', () => {
    const disk = new SimulatedDisk();
    append(disk, 'a', 'abc');
    disk.execute({ type: 'sync', file: 'a' });
    expect(disk.durableSizes()).toEqual(new Map());
    disk.execute({ type: 'syncDirectory' });
    append(disk, 'a', 'def');
    expect(disk.durableSizes()).toEqual(new Map([['a', 3]]));
    disk.execute({ type: 'sync', file: 'a' });
    expect(disk.durableSizes()).toEqual(new Map([['a', 6]]));
    disk.execute({ type: 'truncate', file: 'a', length: 2 });
    expect(disk.durableSizes()).toEqual(new Map([['a', 6]]));
    disk.execute({ type: 'rename', file: 'a', to: 'b' });
    expect(disk.durableSizes()).toEqual(new Map());
    disk.execute({ type: 'syncDirectory' });
    expect(disk.durableSizes()).toEqual(new Map([['b', 6]]));
  });
});

describe('a disk with trouble to come', () => {
  const troubled = (): SimulatedDisk => {
    const disk = withFile('abcdef');
    disk.misdirectNext('a', 1);
    disk.failNext('sync', 'EIO');
    disk.setFull(true);
    return disk;
  };
  const behaviour = (disk: SimulatedDisk): unknown[] => {
    const results: unknown[] = [append(disk, 'a', 'XY'), disk.execute({ type: 'sync', file: 'a' })];
    disk.setFull(false);
    return [...results, append(disk, 'a', 'XY'), contents(disk, 'a')];
  };

  it('has the same trouble when it comes back from its bytes', () => {
    const disk = troubled();
    const writer = new ByteWriter();
    disk.save(writer);
    const copy = new SimulatedDisk();
    copy.load(new ByteReader(writer.finish()));
    const seen = behaviour(disk);
    expect(seen.slice(0, 2)).toEqual([
      expect.objectContaining({ code: 'ENOSPC' }),
      expect.objectContaining({ code: 'EIO' }),
    ]);
    expect(seen.at(-1)).toBe('aXYdef\0\0');
    expect(behaviour(copy)).toEqual(seen);
  });

  it('has none of it once the faults end', () => {
    const disk = troubled();
    disk.calm();
    expect(behaviour(disk)).toEqual([{ type: 'done' }, { type: 'done' }, { type: 'done' }, 'abcdefXYXY']);
  });
});
