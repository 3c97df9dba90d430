import type { Agenda } from './agenda.ts';

export interface BackendOptions {
  /** Requests it works on at a time. */
  readonly workers: number;
  readonly serviceMs: number;
  /** Requests that wait; the next is turned away. */
  readonly queue: number;
}

/**
 * A service with some workers and one queue, first come first served. Like most, it does not know that a client has given up: it
 * does the work all the same, which is what makes overload feed itself.
 */
export class Backend {
  readonly #agenda: Agenda;
  readonly #options: BackendOptions;
  readonly #random: () => number;
  readonly #queue: ((served: boolean) => void)[] = [];
  #head = 0;
  #busy = 0;
  #workers: number;

  constructor(agenda: Agenda, options: BackendOptions, random: () => number) {
    this.#agenda = agenda;
    this.#options = options;
    this.#random = random;
    this.#workers = options.workers;
  }

  /** A brown-out and its end. */
  setWorkers(workers: number): void {
    this.#workers = workers;
    this.#fill();
  }

  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  /** Calls back when the request was served, or with false at once when the queue is full. */
  request(done: (served: boolean) => void): void {
    if (this.#busy >= this.#workers && this.waiting >= this.#options.queue) {
      done(false);
      return;
    }
    this.#queue.push(done);
    this.#fill();
  }

  #fill(): void {
    while (this.#busy < this.#workers && this.waiting > 0) {
      const done = this.#queue[this.#head++] as (served: boolean) => void;
      // Moving the head costs nothing; now and then the dead front goes.
      if (this.#head > 1_000) {
        this.#queue.splice(0, this.#head);
        this.#head = 0;
      }
      this.#busy++;
      this.#agenda.after(this.#options.serviceMs * (0.5 + this.#random()), () => {
        this.#busy--;
        done(true);
        this.#fill();
      });
    }
  }
}
