import { PolderError } from '../../base/error.ts';
import { type HistoryEvent, malformed, type Where } from '../history.ts';
import { APPEND_LOG } from './append-log.ts';
import { COUNTER } from './counter.ts';
import { LOCK } from './lock.ts';
import type { Model } from './model.ts';
import { QUEUE } from './queue.ts';
import { CAS_REGISTER, REGISTER } from './registers.ts';
import { SET } from './set.ts';

/** By name, as for `polder check --model`. */
export const MODELS: readonly Model[] = [CAS_REGISTER, REGISTER, APPEND_LOG, QUEUE, SET, LOCK, COUNTER];

/** Throws `UnknownModel`. */
export function modelNamed(name: string): Model {
  const found = MODELS.find((model) => model.name === name);
  if (found !== undefined) return found;
  throw new PolderError('UnknownModel', `there is no model "${name}": use one of ${MODELS.map(nameOf).join(', ')}`);
}

/** Collects what the operations of a history say about the object they are done to. */
export class ModelInference {
  #candidates: readonly Model[] = MODELS;
  readonly #functions = new Set<string>();
  #adds = false;
  #readsIntegers = false;
  #addsOther = false;
  #readsLists = false;

  /** Throws `MalformedHistory` when no model knows all operations so far. */
  add(event: HistoryEvent, position: number, where: Where): void {
    if (!this.#functions.has(event.f)) this.#narrow(event.f, position, where);
    if (event.f === 'add') {
      this.#adds = true;
      if (event.type === 'invoke' && !Number.isSafeInteger(event.value)) this.#addsOther = true;
    }
    if (event.f !== 'read' || event.type !== 'ok') return;
    if (Array.isArray(event.value)) this.#readsLists = true;
    if (typeof event.value === 'number') this.#readsIntegers = true;
  }

  #narrow(f: string, position: number, where: Where): void {
    const left = this.#candidates.filter((model) => Object.hasOwn(model.functions, f));
    if (left.length === 0) {
      const known = new Set(this.#candidates.flatMap((model) => Object.keys(model.functions)));
      const what = `has the unknown f ${JSON.stringify(f)}: use one of ${[...known].join(', ')}`;
      throw malformed(where(position), what);
    }
    this.#candidates = left;
    this.#functions.add(f);
  }

  /** The one model that fits whatever may follow; null while that cannot be told. */
  get certain(): Model | null {
    if (!this.#candidates.includes(CAS_REGISTER)) {
      if (!this.#ambiguous) return this.model;
      if (this.#addsOther || this.#readsLists || this.#readsIntegers) return this.model;
      return null;
    }
    return this.#candidates.includes(SET) ? null : CAS_REGISTER;
  }

  /** The likeliest model: `read` alone is a register's, and `add` without a telling answer a set's. */
  get model(): Model {
    if (this.#candidates.includes(CAS_REGISTER)) return CAS_REGISTER;
    if (this.#ambiguous) return this.#readsIntegers && !this.#addsOther ? COUNTER : SET;
    return this.#candidates[0] as Model;
  }

  get #ambiguous(): boolean {
    return this.#adds && this.#candidates.includes(SET) && this.#candidates.includes(COUNTER);
  }
}

function nameOf(model: Model): string {
  return model.name;
}
