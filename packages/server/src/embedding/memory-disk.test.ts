import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskOperation, DiskResult } from '@polder/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileDisk } from '../disk/index.ts';
import { MemoryDisk } from './memory-disk.ts';

const file = fc.constantFrom('a', 'b');
const bytes = fc.uint8Array({ maxLength: 6 });
const size = fc.nat({ max: 12 });
const operation: fc.Arbitrary<DiskOperation> = fc.oneof(
  fc.record({ type: fc.constant('append'), file, bytes }),
  fc.record({ type: fc.constant('sync'), file }),
  fc.record({ type: fc.constant('read'), file, offset: size, length: size }),
  fc.record({ type: fc.constant('size'), file }),
  fc.record({ type: fc.constant('truncate'), file, length: size }),
  fc.record({ type: fc.constant('rename'), file: fc.constant('a'), to: fc.constant('b') }),
  fc.record({ type: fc.constant('remove'), file }),
  fc.constantFrom({ type: 'list' } as const, { type: 'syncDirectory' } as const),
);

/** What each operation gave; of an error its code, for the messages are the system's. */
async function outcomes(disk: MemoryDisk | FileDisk, operations: readonly DiskOperation[]): Promise<unknown[]> {
  const results: unknown[] = [];
  let inside = true;
  await new Promise<void>((resolve) => {
    disk.onComplete((token, result: DiskResult) => {
      expect(inside, 'nothing completes inside submit').toBe(false);
      results[token] = result.type === 'error' ? result.code : result;
      if (results.filter((each) => each !== undefined).length === operations.length) resolve();
    });
    for (const [token, each] of operations.entries()) disk.submit(token, each);
    inside = false;
    if (operations.length === 0) resolve();
  });
  await disk.close();
  return results;
}

describe('the disk in memory', () => {
  it('gives for any operations what files give', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const directory = await mkdtemp(join(tmpdir(), 'polder-memory-disk-'));
        try {
          const files = await FileDisk.open(directory, { cluster: 'test', member: 'a' });
          expect(await outcomes(new MemoryDisk(), operations)).toEqual(await outcomes(files, operations));
        } finally {
          await rm(directory, { recursive: true, force: true });
        }
      }),
      { numRuns: 60, seed: 1 },
    );
  });
});
