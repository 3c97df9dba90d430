import { utf8 } from '../../base/bytes.ts';
import { draw, scaled } from '../../base/random.ts';
import type { DiskResult } from '../../world/world.ts';
import { type Draws, SimulatedDisk } from './disk.ts';

/** Draws of one seed and concern, one after the other. */
export function seeded(seed: number, concern: number): Draws {
  let n = 0;
  return (bound) => scaled(draw(seed, concern, 0, n++), bound);
}

export function append(disk: SimulatedDisk, file: string, value: string): DiskResult {
  return disk.execute({ type: 'append', file, bytes: utf8(value) });
}

/** File `a` is there, and durable. */
export function withFile(value: string): SimulatedDisk {
  const disk = new SimulatedDisk();
  append(disk, 'a', value);
  disk.execute({ type: 'sync', file: 'a' });
  disk.execute({ type: 'syncDirectory' });
  return disk;
}
