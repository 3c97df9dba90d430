import { Concern, SeededStream } from '../seeded-stream.ts';
import { LinearizableKeyValue } from './key-value.ts';
import { LastWriteWinsKeyValue } from './last-write-wins.ts';
import { SequentialKeyValue } from './sequential.ts';
import type { Service } from './service.ts';
import { TimestampOracle } from './timestamp-oracle.ts';

/** The services of a run, by the id under which nodes reach them. */
export function providedServices(seed: number): ReadonlyMap<string, Service> {
  return new Map<string, Service>([
    ['seq-kv', new SequentialKeyValue(new SeededStream(seed, Concern.sequential))],
    ['lin-kv', new LinearizableKeyValue()],
    ['lww-kv', new LastWriteWinsKeyValue(new SeededStream(seed, Concern.lastWriteWins))],
    ['lin-tso', new TimestampOracle()],
  ]);
}
