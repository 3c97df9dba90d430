import type { Body } from '../protocol.ts';
import type { SeededStream } from '../seeded-stream.ts';
import { type Cell, isUnchanged, keyOf, NO_KEY, stepKey } from './key-value.ts';
import type { Service } from './service.ts';

/** How many versions a client may lag behind: Maelstrom keeps as many. */
export const PAST_VERSIONS = 32;

interface Version {
  readonly version: number;
  readonly cell: Cell;
}

/**
 * seq-kv: one total order of all changes, in which every client only moves forward. A request that changes nothing may
 * act on any version that its client has not passed yet, so reads can be old for as long as the client changes
 * nothing; a request that changes something acts on the latest and takes its client there.
 */
export class SequentialKeyValue implements Service {
  readonly #stream: SeededStream;
  readonly #versions = new Map<string, Version[]>();
  readonly #passed = new Map<string, number>();
  #latest = 0;

  constructor(stream: SeededStream) {
    this.#stream = stream;
  }

  handle(client: string, request: Body): Body {
    const key = keyOf(request);
    if (key === null) return NO_KEY;
    const oldest = Math.max(this.#passed.get(client) ?? 0, this.#latest - PAST_VERSIONS);
    const version = oldest + this.#stream.below(this.#latest - oldest + 1);
    const past = this.#at(key, version);
    const inPast = stepKey(past, request);
    if (isUnchanged(past, inPast.cell)) {
      this.#passed.set(client, version);
      return inPast.reply;
    }
    const present = this.#at(key, this.#latest);
    const inPresent = stepKey(present, request);
    if (!isUnchanged(present, inPresent.cell)) this.#change(key, inPresent.cell);
    this.#passed.set(client, this.#latest);
    return inPresent.reply;
  }

  #at(key: string, version: number): Cell {
    return this.#versions.get(key)?.findLast((entry) => entry.version <= version)?.cell;
  }

  #change(key: string, cell: Cell): void {
    this.#latest++;
    const versions = this.#versions.get(key) ?? [];
    versions.push({ version: this.#latest, cell });
    // The newest of those that are too old is still what a reader of the oldest version sees.
    while ((versions[1]?.version ?? Number.POSITIVE_INFINITY) <= this.#latest - PAST_VERSIONS) versions.shift();
    this.#versions.set(key, versions);
  }
}
