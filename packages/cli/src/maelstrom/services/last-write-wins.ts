import { type Body, canonical } from '../protocol.ts';
import type { SeededStream } from '../seeded-stream.ts';
import { type Cell, isUnchanged, keyOf, NO_KEY, stepKey } from './key-value.ts';
import type { Service } from './service.ts';

const REPLICAS = 5;

interface Stamped {
  readonly timestamp: number;
  readonly cell: Cell;
}

interface Replica {
  clock: number;
  readonly cells: Map<string, Stamped>;
}

/**
 * lww-kv: five replicas with Lamport clocks. Each request goes to any one of them, after one of them has taken over
 * what another knows, newer timestamps winning: acknowledged writes may vanish.
 */
export class LastWriteWinsKeyValue implements Service {
  readonly #stream: SeededStream;
  readonly #replicas: readonly Replica[] = Array.from({ length: REPLICAS }, () => ({ clock: 0, cells: new Map() }));

  constructor(stream: SeededStream) {
    this.#stream = stream;
  }

  handle(_client: string, request: Body): Body {
    const key = keyOf(request);
    if (key === null) return NO_KEY;
    merge(this.#stream.pick(this.#replicas), this.#stream.pick(this.#replicas));
    const replica = this.#stream.pick(this.#replicas);
    const before = replica.cells.get(key)?.cell;
    const { cell, reply } = stepKey(before, request);
    if (request.type === 'write' || !isUnchanged(before, cell)) {
      replica.cells.set(key, { timestamp: replica.clock++, cell });
    }
    return reply;
  }
}

function merge(source: Replica, target: Replica): void {
  target.clock = Math.max(target.clock, source.clock);
  for (const [key, theirs] of source.cells) {
    const ours = target.cells.get(key);
    if (ours === undefined || isNewer(theirs, ours)) target.cells.set(key, theirs);
  }
}

/** Equal timestamps are broken by the value, so that all replicas agree in the end. */
function isNewer(a: Stamped, b: Stamped): boolean {
  if (a.timestamp !== b.timestamp) return a.timestamp > b.timestamp;
  return canonical(a.cell?.value) > canonical(b.cell?.value);
}
