import type { HistoryEvent } from '@polder/core/checkers';

export type OperationKind = HistoryEvent['f'];

/** The history as the clients see it: an event is recorded when its client begins, or learns something, never later. */
export class Recorder {
  readonly #events: HistoryEvent[] = [];
  readonly #startedMs = performance.now();
  #processes = 0;

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** A process has one operation under way at a time; after an unknown outcome it is never used again. */
  newProcess(): number {
    return this.#processes++;
  }

  record(process: number, type: HistoryEvent['type'], f: OperationKind, key: string, value: unknown): void {
    const time = Math.round((performance.now() - this.#startedMs) * 1000);
    this.#events.push({ index: this.#events.length, process, type, f, key, value, time });
  }
}
