import { defined, unreachable } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { PolderError } from '../../base/error.ts';

/** What can happen in the simulated world. Plain records, never closures, so that the queue can be saved. */
export type WorldEvent =
  /** A frame arrives. */
  | { readonly type: 'frame'; readonly from: number; readonly member: number; readonly frame: Uint8Array }
  /** The oldest operation in flight on the member's disk completes. */
  | { readonly type: 'disk'; readonly member: number; readonly epoch: number }
  /** Valid only while the member still wants to wake at `atUs`. */
  | { readonly type: 'wake'; readonly member: number; readonly epoch: number; readonly atUs: number }
  /** The member handles what it has queued as one batch. */
  | { readonly type: 'turn'; readonly member: number; readonly epoch: number }
  /** A client's question arrives; `id` is the simulation's, `request` its bytes. */
  | {
      readonly type: 'request';
      readonly member: number;
      readonly epoch: number;
      readonly id: number;
      readonly request: Uint8Array;
    }
  /** Whoever runs on the world beside the members (a client, a nemesis): `member` is 0. */
  | { readonly type: 'timer'; readonly member: 0; readonly owner: number; readonly token: number };

export interface QueuedEvent {
  readonly timeUs: number;
  /** Counts pushes, of timers and of members' events apart: the order among events of one microsecond. */
  readonly sequence: number;
  readonly event: WorldEvent;
}

/** The numbers by which kinds are hashed and saved. */
export const EVENT_KINDS: { readonly [type in WorldEvent['type']]: number } = {
  frame: 1,
  disk: 2,
  wake: 3,
  turn: 4,
  timer: 5,
  request: 6,
};

/**
 * A binary heap ordered by (time, timers first, sequence). Timers are numbered apart, so that a script that plays
 * back what clients and a nemesis once decided leaves the members' events exactly as they were.
 */
export class EventQueue {
  #heap: QueuedEvent[] = [];
  #sequence = 0;
  #timerSequence = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(timeUs: number, event: WorldEvent): void {
    const sequence = event.type === 'timer' ? ++this.#timerSequence : ++this.#sequence;
    this.#heap.push({ timeUs, sequence, event });
    this.#rise(this.#heap.length - 1);
  }

  /** `Infinity` when nothing will ever happen. */
  nextTimeUs(): number {
    return this.#heap[0]?.timeUs ?? Number.POSITIVE_INFINITY;
  }

  pop(): QueuedEvent | null {
    const first = this.#heap[0];
    if (first === undefined) return null;
    const last = defined(this.#heap.pop(), 'a heap with a first has a last');
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#sequence);
    writer.varint(this.#timerSequence);
    writer.varint(this.#heap.length);
    // Sorted, so that equal queues give equal bytes whatever the shape of their heaps.
    for (const queued of [...this.#heap].sort((a, b) => (before(a, b) ? -1 : 1))) {
      writer.varint(queued.timeUs);
      writer.varint(queued.sequence);
      saveEvent(writer, queued.event);
    }
  }

  load(reader: ByteReader): void {
    this.#sequence = reader.varint();
    this.#timerSequence = reader.varint();
    this.#heap = [];
    // A sorted array is a heap.
    for (let count = reader.varint(); count > 0; count--) {
      this.#heap.push({ timeUs: reader.varint(), sequence: reader.varint(), event: loadEvent(reader) });
    }
  }

  #rise(start: number): void {
    const heap = this.#heap;
    const item = heap[start] as QueuedEvent;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as QueuedEvent;
      if (!before(item, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = item;
  }

  #sink(): void {
    const heap = this.#heap;
    const item = heap[0] as QueuedEvent;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as QueuedEvent, heap[child] as QueuedEvent)) child++;
      const below = heap[child] as QueuedEvent;
      if (!before(below, item)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = item;
  }
}

function before(a: QueuedEvent, b: QueuedEvent): boolean {
  if (a.timeUs !== b.timeUs) return a.timeUs < b.timeUs;
  const timerA = a.event.type === 'timer';
  return timerA === (b.event.type === 'timer') ? a.sequence < b.sequence : timerA;
}

export function saveEvent(writer: ByteWriter, event: WorldEvent): void {
  writer.u8(EVENT_KINDS[event.type]);
  writer.varint(event.member);
  switch (event.type) {
    case 'frame':
      writer.varint(event.from);
      return writer.bytes(event.frame);
    case 'disk':
    case 'turn':
      return writer.varint(event.epoch);
    case 'wake':
      writer.varint(event.epoch);
      return writer.varint(event.atUs);
    case 'timer':
      writer.varint(event.owner);
      return writer.varint(event.token);
    case 'request':
      writer.varint(event.epoch);
      writer.varint(event.id);
      return writer.bytes(event.request);
    default:
      unreachable(event);
  }
}

export function loadEvent(reader: ByteReader): WorldEvent {
  const kind = reader.u8();
  const member = reader.varint();
  switch (kind) {
    case EVENT_KINDS.frame:
      return { type: 'frame', member, from: reader.varint(), frame: reader.bytes() };
    case EVENT_KINDS.disk:
      return { type: 'disk', member, epoch: reader.varint() };
    case EVENT_KINDS.wake:
      return { type: 'wake', member, epoch: reader.varint(), atUs: reader.varint() };
    case EVENT_KINDS.turn:
      return { type: 'turn', member, epoch: reader.varint() };
    case EVENT_KINDS.timer:
      return { type: 'timer', member: 0, owner: reader.varint(), token: reader.varint() };
    case EVENT_KINDS.request: {
      const epoch = reader.varint();
      const id = reader.varint();
      return { type: 'request', member, epoch, id, request: reader.bytes() };
    }
    default:
      throw new PolderError('MalformedBytes', `a saved world holds an event of unknown kind ${kind}`);
  }
}
