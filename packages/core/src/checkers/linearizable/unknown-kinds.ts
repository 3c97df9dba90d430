import { defined } from '../../base/assert.ts';
import type { Call } from '../models/model.ts';
import type { Configurations } from './configurations.ts';
import type { Machine } from './machine.ts';
import { UsedSets } from './used-sets.ts';

interface UnknownKind {
  readonly call: Call;
  readonly action: number;
  /** The caller's numbers of its operations, in order of invocation. */
  readonly operations: number[];
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
  add(call: Call, operation: number, machine: Machine, invoked = 1): number {
    const action = machine.action(call);
    const known = this.#ofAction.get(action);
    if (known !== undefined) {
      this.kind(known).invoked += invoked;
      this.kind(known).operations.push(operation);
      return known;
    }
    const kind = this.#kinds.length;
    this.#kinds.push({ call, action, operations: [operation], invoked });
    this.#ofAction.set(action, kind);
    const topics = machine.gives(action);
    if (topics === null) this.#untold.push(kind);
    for (const topic of topics ?? []) {
      const giving = this.#byTopic.get(topic);
      if (giving === undefined) this.#byTopic.set(topic, [kind]);
      else giving.push(kind);
    }
    return kind;
  }

  /** Takes back one `add`. */
  recall(action: number): void {
    const kind = this.kind(defined(this.#ofAction.get(action), 'what is recalled was added'));
    kind.invoked--;
    kind.operations.pop();
  }

  /** The n-th operation of a kind, from 0: which of them was used makes no difference, but each only once. */
  operation(kind: number, n: number): number {
    return defined(this.kind(kind).operations[n], 'a kind is used no more often than it was invoked');
  }

  /**
   * The kinds that can still make a difference, for another machine: uses that all of `live` have in common are
   * settled, and a kind that was used up everywhere is forgotten.
   */
  settled(
    live: readonly Configurations[],
    used: UsedSets,
    machine: Machine,
  ): { kinds: UnknownKinds; used: UsedSets; translate: (set: number) => number } {
    const sets = new Set<number>();
    for (const each of live) each.usedSets(sets);
    const kinds = new UnknownKinds();
    const shared: number[] = [];
    const numbers: number[] = [];
    for (const [kind, { call, operations, invoked }] of this.#kinds.entries()) {
      let common = invoked;
      for (const set of sets) common = Math.min(common, used.count(set, kind));
      shared.push(common);
      numbers.push(invoked > common ? kinds.add(call, operations[0] as number, machine, invoked - common) : -1);
    }
    const fresh = new UsedSets();
    const translate = (set: number): number => {
      const left = [...shared];
      const rest: number[] = [];
      for (const kind of used.kinds(set)) {
        if ((left[kind] as number) > 0) left[kind] = (left[kind] as number) - 1;
        else rest.push(numbers[kind] as number);
      }
      return fresh.id(rest.sort((a, b) => a - b));
    };
    return { kinds, used: fresh, translate };
  }

  giving(topic: number): readonly number[] {
    return this.#byTopic.get(topic) ?? [];
  }

  get untold(): readonly number[] {
    return this.#untold;
  }
}
