/**
 * A run that can be sought, as a film can: it goes forward by running, back by loading the nearest checkpoint into a
 * fresh run and stepping on. Events are counted as in Simulation.events.
 *
 *   0 ──────■────────■────────■──► event      ■ checkpoint      ◆ a change: the run was altered here by hand
 *                    └─ seek ─►
 */
import { assert, defined } from '../base/assert.ts';
import { PolderError } from '../base/error.ts';
import type { Strand } from './divergence.ts';
import type { ProtocolTypes } from './protocol.ts';
import type { Run, RunReport } from './scenario/run.ts';
import { type Step, StepLog } from './step-log.ts';
import type { QueuedEvent } from './world/event-queue.ts';

export interface TimelineOptions {
  /** How many events lie between two checkpoints, as long as memory lasts. Default 1,000. */
  readonly checkpointEvents?: number;
  /** What checkpoints may take in all. When they take more, every other one goes. Default 64 MiB. */
  readonly memoryBytesMax?: number;
}

interface Checkpoint {
  readonly event: number;
  /** How many steps had been logged. */
  readonly steps: number;
  readonly bytes: Uint8Array;
  /** The beginning, or a change: it cannot be made again by running. */
  readonly pinned: boolean;
}

const CHECKPOINT_EVENTS = 1_000;
const NEAR_EVENTS = 256;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

export class Timeline<Types extends ProtocolTypes> implements Strand {
  readonly #begin: () => Run<Types>;
  readonly #memoryBytesMax: number;
  #spacing: number;
  #run: Run<Types>;
  #log: StepLog;
  #checkpoints: Checkpoint[];
  /** Made shortly before the event to which it last went back: who goes back once goes back again. */
  #near: Checkpoint | null = null;
  /** How many logged steps lie behind. */
  #steps = 0;
  /** Nothing has happened since the event at which it stands. */
  #exact = true;

  /** `begin` makes the run, the same each time: `() => new Run(spec, seed)`. */
  constructor(begin: () => Run<Types>, options: TimelineOptions = {}) {
    this.#begin = begin;
    this.#memoryBytesMax = options.memoryBytesMax ?? MEMORY_BYTES_MAX;
    this.#spacing = options.checkpointEvents ?? CHECKPOINT_EVENTS;
    assert(this.#spacing >= 1, 'checkpoints are at least one event apart');
    this.#run = begin();
    assert(this.#run.simulation.steps === 0, 'a timeline begins with a run in which nothing has happened');
    this.#log = new StepLog(this.#run.simulation.protocol.frameKinds);
    this.#checkpoints = [this.#checkpoint(true)];
    this.#watch();
  }

  /** The run as it is where the timeline stands: to be looked at, until the next `seek`. Alter it through `change`. */
  get run(): Run<Types> {
    return this.#run;
  }

  /** Where the timeline stands: so many events have happened. */
  get event(): number {
    return this.#run.simulation.events;
  }

  /** How many events it knows: where it has been, and where `seek` is quick. */
  get known(): number {
    return this.#log.events;
  }

  /** What checkpoints take now. */
  get memoryBytes(): number {
    return this.#checkpoints.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /**
   * Goes to the moment right after this event, or to the end when the run has fewer; gives the event at which it then
   * stands. Throws `RunDiffers` when the run does not come again as it was.
   */
  seek(event: number): number {
    assert(event >= 0, 'events are counted from 0');
    const nearest = this.#nearest(event);
    const behind = event < this.event || (event === this.event && !this.#exact);
    if (behind || nearest.event > this.event) this.#load(nearest);
    const stopBefore = behind && event - this.event > 2 * NEAR_EVENTS ? event - NEAR_EVENTS : 0;
    while (this.event < event && this.#step()) {
      if (this.event === stopBefore && this.#near?.event !== stopBefore) this.#near = this.#checkpoint(false);
    }
    return this.event;
  }

  /** To the end of the run, which is judged there. */
  end(): RunReport {
    this.seek(Number.MAX_SAFE_INTEGER);
    return this.#run.report();
  }

  /**
   * Alters the run where it stands (`run.inject(fault)`, `run.simulation.setWeather(...)`): from here on it is another
   * one, and what was known of its future is forgotten. Throws `RunIsOver`.
   */
  change(alter: (run: Run<Types>) => void): void {
    if (this.#run.over) {
      throw new PolderError(
        'RunIsOver',
        'nothing comes after the end of a run: seek an earlier event, and change that',
      );
    }
    alter(this.#run);
    this.#checkpoints = this.#checkpoints.filter(({ event }) => event === 0 || event < this.event);
    if (this.event === 0) this.#checkpoints = [];
    this.#near = null;
    this.#log = this.#log.copy(this.#steps);
    this.#checkpoints.push(this.#checkpoint(true));
    this.#thin();
  }

  /** An independent timeline with the same past, at the same event: change it, and this one stays as it is. */
  fork(): Timeline<Types> {
    const fork = new Timeline(this.#begin, { memoryBytesMax: this.#memoryBytesMax, checkpointEvents: this.#spacing });
    fork.#log = this.#log.copy(this.#log.length);
    fork.#checkpoints = [...this.#checkpoints];
    fork.#load(this.#checkpoint(false));
    fork.#exact = this.#exact;
    return fork;
  }

  /** The rolling hash after this event, as a number; of the end when there are fewer. Runs on to it if need be. */
  hashAt(event: number): number {
    this.#learn(event);
    return this.#log.fingerprint(this.#log.indexOf(event));
  }

  /** What happened after the event before, up to this one, which comes last. Runs on to it if need be. */
  stepsAt(event: number): readonly Step[] {
    this.#learn(event);
    const steps: Step[] = [];
    const last = this.#log.indexOf(event);
    for (let i = this.#log.indexOf(event - 1) + 1; i <= last; i++) steps.push(this.#log.at(i));
    return steps;
  }

  /** Whether the run has so many events. */
  reaches(event: number): boolean {
    this.#learn(event);
    return this.#log.events >= event;
  }

  #nearest(event: number): Checkpoint {
    const kept = this.#checkpoints.findLast((checkpoint) => checkpoint.event <= event);
    const nearest = defined(kept, 'the beginning is a checkpoint');
    const near = this.#near;
    return near !== null && near.event <= event && near.event > nearest.event ? near : nearest;
  }

  #learn(event: number): void {
    if (event <= this.#log.events) return;
    if (this.#steps < this.#log.length || !this.#run.over) this.seek(event);
  }

  /** One step of the run; false when it is over. */
  #step(): boolean {
    const { event } = this;
    // Where it has been before, nothing was broken.
    this.#run.judging = this.#steps === this.#log.length;
    const goesOn = this.#run.step();
    this.#exact = this.event !== event;
    const last = defined(this.#checkpoints.at(-1), 'the beginning is a checkpoint');
    if (this.#exact && this.event > last.event && this.event % this.#spacing === 0) {
      this.#checkpoints.push(this.#checkpoint(false));
      this.#thin();
    }
    return goesOn;
  }

  #watch(): void {
    this.#run.simulation.trace = (queued) => {
      if (queued.event.type !== 'timer') this.#note(queued);
    };
  }

  /** Logs what is new, and compares what has happened before. */
  #note(queued: QueuedEvent): void {
    const { protocol, random, events, fingerprint } = this.#run.simulation;
    const index = this.#steps++;
    if (index === this.#log.length) {
      const frameKind = queued.event.type === 'frame' ? protocol.kindOf(queued.event.frame) : 0;
      this.#log.push(queued, frameKind, random.draws, events, fingerprint);
    } else if (this.#log.fingerprint(index) !== fingerprint) {
      const where = `at event ${events}, ${queued.timeUs} µs`;
      const advice = 'something that decides is not saved with the processes, or is drawn outside of the world';
      throw new PolderError('RunDiffers', `the run is another one when it is loaded and goes on, ${where}: ${advice}`);
    }
  }

  #checkpoint(pinned: boolean): Checkpoint {
    return { event: this.event, steps: this.#steps, bytes: this.#run.save(), pinned };
  }

  #load({ steps, bytes }: Checkpoint): void {
    this.#run = this.#begin();
    this.#run.load(bytes);
    this.#steps = steps;
    this.#exact = true;
    this.#watch();
  }

  /** The rest stays evenly spaced, at twice the distance. */
  #thin(): void {
    while (this.memoryBytes > this.#memoryBytesMax && this.#checkpoints.some(({ pinned }) => !pinned)) {
      this.#spacing *= 2;
      this.#checkpoints = this.#checkpoints.filter(({ event, pinned }) => pinned || event % this.#spacing === 0);
    }
  }
}
