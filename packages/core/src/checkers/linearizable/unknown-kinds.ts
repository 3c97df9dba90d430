import { defined } from '../../base/assert.ts';
import type { Machine } from './machine.ts';

export interface UnknownKind {
  action: number;
  /** How many of them were invoked by now; each may be used once. */
  invoked: number;
}

/** Operations of unknown outcome; those that do the same are interchangeable and count as one kind. */
export class UnknownKinds {
  #kinds: UnknownKind[] = [];
  readonly #ofAction = new Map<number, number>();
  readonly #byTopic = new Map<number, number[]>();
  /** Kinds of which cannot be told what they give. */
  readonly #untold: number[] = [];

  get size(): number {
    return this.#kinds.length;
  }

  kind(kind: number): UnknownKind {
    return defined(this.#kinds[kind], 'a kind is one of those invoked');
  }

  /** One more operation of unknown outcome; its kind. */
  add(action: number, machine: Machine, invoked = 1): number {
    const known = this.#ofAction.get(action);
    if (known !== undefined) {
      this.kind(known).invoked += invoked;
      return known;
    }
    const kind = this.#kinds.length;
    this.#kinds.push({ action, invoked });
    this.#ofAction.set(action, kind);
    const topic = machine.gives(action);
    if (topic < 0) this.#untold.push(kind);
    const giving = this.#byTopic.get(topic);
    if (giving === undefined) this.#byTopic.set(topic, [kind]);
    else giving.push(kind);
    return kind;
  }

  giving(topic: number): readonly number[] {
    return this.#byTopic.get(topic) ?? [];
  }

  get untold(): readonly number[] {
    return this.#untold;
  }
}
