import type { RecordedOperation } from '../recorded.ts';
import type { OptionalStep, Program, Step } from './program.ts';

export type SequentialResult =
  | { readonly type: 'valid'; readonly order: readonly RecordedOperation[] }
  | { readonly type: 'unknown' }
  /** `order` is the longest that was found, `stuck` the next operation of each process, `state` what they met. */
  | {
      readonly type: 'invalid';
      readonly order: readonly RecordedOperation[];
      readonly stuck: readonly { readonly step: Step; readonly met: number }[];
    };

interface Move {
  /** A process, or beyond them an optional step. */
  readonly mover: number;
  readonly step: Step;
  /** The number of the value that was there. */
  readonly met: number;
}

interface Frame {
  /** How many moves had been made when the frame was opened. */
  readonly moves: number;
  readonly choices: readonly number[];
  next: number;
}

/**
 * Looks for one order of all operations that keeps the order of each process and gives every read its answer (Lamport,
 * "How to make a multiprocessor computer that correctly executes multiprocess programs", 1979). Depth first, earliest
 * invocation first, so that a history that real time nearly explains is walked straight through. States seen before
 * are not entered again, and four reductions lose no answer:
 * - a read of the present value is placed at once: it changes nothing, so waiting gains nothing;
 * - a value is not overwritten while an operation must still see it and nobody is left to write it again;
 * - an optional step is placed only right before an operation that sees what it leaves: earlier gains nothing;
 * - a step that leaves what is there already, and is optional, is not placed.
 */
export class SequentialSearch {
  readonly #program: Program;
  readonly #maxStates: number;
  readonly #positions: number[];
  readonly #used: boolean[];
  readonly #values: number[];
  readonly #observers: number[];
  readonly #writers: number[];
  readonly #moves: Move[] = [];
  readonly #seen = new Set<string>();
  readonly #steps: number;
  #left: number;
  #best: Extract<SequentialResult, { type: 'invalid' }> = { type: 'invalid', order: [], stuck: [] };
  #bestLeft: number;

  constructor(program: Program, maxStates: number) {
    this.#program = program;
    this.#maxStates = maxStates;
    this.#positions = program.processes.map(() => 0);
    this.#used = program.optional.map(() => false);
    this.#values = [...program.initial];
    this.#observers = [...program.observers];
    this.#writers = [...program.writers];
    this.#steps = program.processes.reduce((sum, steps) => sum + steps.length, 0);
    this.#left = this.#steps;
    this.#bestLeft = this.#steps + 1;
  }

  get states(): number {
    return this.#seen.size;
  }

  run(): SequentialResult {
    const stack: Frame[] = [];
    const open = (moves: number): void => {
      this.#placeReads();
      const name = this.#name();
      const known = this.#seen.has(name);
      if (!known) this.#seen.add(name);
      stack.push({ moves, choices: known ? [] : this.#choices(), next: 0 });
    };
    open(0);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      if (this.#left === 0) return { type: 'valid', order: this.#order() };
      if (this.#seen.size > this.#maxStates) return { type: 'unknown' };
      const choice = frame.choices[frame.next++];
      if (choice === undefined) {
        stack.pop();
        this.#remember();
        this.#undo(frame.moves);
        continue;
      }
      const moves = this.#moves.length;
      this.#place(choice);
      open(moves);
    }
    return this.#best;
  }

  #head(process: number): Step | undefined {
    return this.#program.processes[process]?.[this.#positions[process] ?? 0];
  }

  /** What may come next, besides reads, which are placed already when they can be. */
  #choices(): number[] {
    const heads: { mover: number; at: number }[] = [];
    const wanted = new Set<number>();
    for (let process = 0; process < this.#positions.length; process++) {
      const step = this.#head(process);
      if (step === undefined) continue;
      if (step.sees !== null) wanted.add(step.sees);
      if (step.leaves !== null && this.#fits(step)) heads.push({ mover: process, at: step.operation.invokedAt });
    }
    for (const [at, { step }] of this.#program.optional.entries()) {
      if (step.sees !== null && this.#isFree(at)) wanted.add(step.sees);
    }
    for (const [at, { step }] of this.#program.optional.entries()) {
      const useful = step.leaves !== null && wanted.has(step.leaves) && step.leaves !== this.#values[step.key];
      if (useful && this.#isFree(at) && this.#fits(step)) {
        heads.push({ mover: this.#positions.length + at, at: step.operation.invokedAt });
      }
    }
    return heads.sort((a, b) => a.at - b.at).map(({ mover }) => mover);
  }

  #isFree(optional: number): boolean {
    const { process, after } = this.#program.optional[optional] as OptionalStep;
    return this.#used[optional] === false && (this.#positions[process] ?? 0) >= after;
  }

  #fits({ key, sees, leaves }: Step): boolean {
    const present = this.#values[key] ?? 0;
    if (sees !== null && sees !== present) return false;
    if (leaves === null || leaves === present) return true;
    const observers = (this.#observers[present] ?? 0) - (sees === present ? 1 : 0);
    return observers <= 0 || (this.#writers[present] ?? 0) > 0;
  }

  #placeReads(): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (let process = 0; process < this.#positions.length; process++) {
        for (let step = this.#head(process); step !== undefined; step = this.#head(process)) {
          if (step.leaves !== null || step.sees !== this.#values[step.key]) break;
          this.#place(process);
          moved = true;
        }
      }
    }
  }

  #place(mover: number): void {
    const optional = this.#program.optional[mover - this.#positions.length];
    const step = optional?.step ?? this.#head(mover);
    if (step === undefined) return;
    this.#moves.push({ mover, step, met: this.#values[step.key] ?? 0 });
    this.#shift(mover, step, 1);
    if (step.leaves !== null) this.#values[step.key] = step.leaves;
  }

  #undo(moves: number): void {
    while (this.#moves.length > moves) {
      const move = this.#moves.pop();
      if (move === undefined) return;
      this.#shift(move.mover, move.step, -1);
      this.#values[move.step.key] = move.met;
    }
  }

  #shift(mover: number, { sees, leaves }: Step, by: 1 | -1): void {
    const optional = mover - this.#positions.length;
    if (leaves !== null) this.#writers[leaves] = (this.#writers[leaves] ?? 0) - by;
    if (optional >= 0) {
      this.#used[optional] = by === 1;
      return;
    }
    if (sees !== null) this.#observers[sees] = (this.#observers[sees] ?? 0) - by;
    this.#positions[mover] = (this.#positions[mover] ?? 0) + by;
    this.#left -= by;
  }

  /** Called before moves are taken back, and not after each: then a straight walk copies nothing. */
  #remember(): void {
    if (this.#left >= this.#bestLeft) return;
    this.#bestLeft = this.#left;
    const heads = this.#positions.map((_, process) => this.#head(process)).filter((step) => step !== undefined);
    const stuck = heads.map((step) => ({ step, met: this.#values[step.key] ?? 0 }));
    this.#best = { type: 'invalid', order: this.#order(), stuck };
  }

  #order(): RecordedOperation[] {
    return this.#moves.map(({ step }) => step.operation);
  }

  #name(): string {
    const used = this.#used.map((each) => (each ? 1 : 0));
    return `${this.#positions.join()} ${used.join('')} ${this.#values.join()}`;
  }
}
