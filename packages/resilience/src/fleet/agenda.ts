interface Item {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
}

/** Virtual time for a simulation without promises: what is due happens in order, equals in the order in which they were asked for. */
export class Agenda {
  readonly #heap: Item[] = [];
  #order = 0;
  #nowMs = 0;

  get now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, act: () => void): void {
    const heap = this.#heap;
    const item: Item = { atMs: this.#nowMs + delayMs, order: this.#order++, act };
    let at = heap.length;
    heap.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(item, heap[parent] as Item)) break;
      heap[at] = heap[parent] as Item;
      at = parent;
    }
    heap[at] = item;
  }

  /** Until nothing is left, or time is up. */
  run(untilMs: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#removeFirst();
      this.#nowMs = next.atMs;
      next.act();
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Item;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child + 1 < heap.length && before(heap[child + 1] as Item, heap[child] as Item)) child++;
      if (child >= heap.length || !before(heap[child] as Item, last)) break;
      heap[at] = heap[child] as Item;
      at = child;
    }
    heap[at] = last;
  }
}

function before(left: Item, right: Item): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
