/** What was hashed, step by step, in 48 bytes each: so that any moment of a long run can be told and compared at once. */
import { assert, defined } from '../base/assert.ts';
import { EVENT_KINDS, type QueuedEvent, type WorldEvent } from './world/event-queue.ts';

/** Something that happened at a member. */
export interface Step {
  readonly timeUs: number;
  /** The order in which it was planned. */
  readonly sequence: number;
  readonly member: number;
  readonly kind: Exclude<WorldEvent['type'], 'timer'>;
  /** Of a frame: its sender, and what the protocol calls its kind; otherwise 0 and ''. */
  readonly from: number;
  readonly frameKind: string;
  /** How many draws the world had made afterwards. */
  readonly draws: number;
  /** How many events there had been afterwards: not every step is one (see Simulation.events). */
  readonly events: number;
  /** The rolling hash afterwards, as a number. */
  readonly fingerprint: number;
}

const COLUMNS = 6;
/** Of a column that packs four small numbers: kinds and members are below 32, kinds of frames below 64. */
const MEMBERS = 32;
const FRAME_KINDS = 64;

const KINDS = new Map(Object.entries(EVENT_KINDS).map(([type, kind]) => [kind, type as WorldEvent['type']]));

export class StepLog {
  readonly #frameKinds: readonly string[];
  #values = new Float64Array(COLUMNS * 1_024);
  #length = 0;

  constructor(frameKinds: readonly string[]) {
    this.#frameKinds = frameKinds;
  }

  get length(): number {
    return this.#length;
  }

  /** How many events are in it. */
  get events(): number {
    return this.#length === 0 ? 0 : this.#value(this.#length - 1, 4);
  }

  push(
    { timeUs, sequence, event }: QueuedEvent,
    frameKind: number,
    draws: number,
    events: number,
    fingerprint: number,
  ) {
    const start = this.#length * COLUMNS;
    if (start === this.#values.length) {
      const grown = new Float64Array(this.#values.length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    const from = event.type === 'frame' ? event.from : 0;
    const who = (EVENT_KINDS[event.type] * MEMBERS + event.member) * MEMBERS + from;
    this.#values.set([timeUs, sequence, who * FRAME_KINDS + frameKind, draws, events, fingerprint], start);
    this.#length++;
  }

  fingerprint(index: number): number {
    return index < 0 ? 0 : this.#value(index, 5);
  }

  at(index: number): Step {
    const packed = this.#value(index, 2);
    const frameKind = packed % FRAME_KINDS;
    const who = Math.floor(packed / FRAME_KINDS);
    const kind = defined(KINDS.get(Math.floor(who / (MEMBERS * MEMBERS))), 'a logged step is of a known kind');
    assert(kind !== 'timer', 'timers are not logged');
    return {
      timeUs: this.#value(index, 0),
      sequence: this.#value(index, 1),
      member: Math.floor(who / MEMBERS) % MEMBERS,
      kind,
      from: who % MEMBERS,
      frameKind: kind === 'frame' ? (this.#frameKinds[frameKind] ?? '') : '',
      draws: this.#value(index, 3),
      events: this.#value(index, 4),
      fingerprint: this.#value(index, 5),
    };
  }

  /** The index of the step that was this event; of the last step when there are fewer events; -1 for event 0. */
  indexOf(event: number): number {
    if (event <= 0) return -1;
    if (event > this.events) return this.#length - 1;
    let low = 0;
    let high = this.#length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#value(middle, 4) < event) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first so many steps. */
  copy(length: number): StepLog {
    const copy = new StepLog(this.#frameKinds);
    copy.#values = this.#values.slice(0, Math.max(1_024, length) * COLUMNS);
    copy.#length = length;
    return copy;
  }

  #value(index: number, column: number): number {
    assert(index < this.#length, 'only what was logged is read');
    return this.#values[index * COLUMNS + column] as number;
  }
}
