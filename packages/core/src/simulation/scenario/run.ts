/**
 * One run of a scenario: trouble for a while, then the faults end and progress is owed, then the history is judged.
 *
 *   members start ─ clients ask, things break (a seed decides, or a trace) ─► heal ─► a write succeeds ─► rest ─► judged
 */
import { defined, unreachable } from '../../base/assert.ts';
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { PolderError } from '../../base/error.ts';
import type { HistoryEvent } from '../../checkers/index.ts';
import { applyFault, budgetFor, type Fault, type FaultType, Nemesis } from '../faults/index.ts';
import { recoverAll } from '../faults/nemesis.ts';
import type { Protocol, ProtocolTypes } from '../protocol.ts';
import { Simulation } from '../simulation.ts';
import { Violation } from '../violation.ts';
import { Clients } from '../workloads/index.ts';
import { CALM, type FrameOverride } from '../world/network.ts';
import type { Judge } from './check.ts';
import { type Course, next } from './course.ts';
import { LiveView } from './live-view.ts';
import { checkFit, Script } from './script.ts';
import { milliseconds, type ScenarioOptions, type Spec, seconds } from './spec.ts';
import type { ScriptStep, Trace, TracedFrame, TracedViolation } from './trace.ts';

/** The hash is noted after so many events, so that two runs can be compared. */
export const HASH_EVERY = 1_000;

export interface RunReport {
  readonly seed: number;
  readonly members: number;
  /** The kinds of trouble that the seed had. */
  readonly sources: readonly string[];
  readonly hash: string;
  readonly hashes: readonly number[];
  /** See Simulation.events. */
  readonly events: number;
  readonly simulatedUs: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Partial<Record<FaultType, number>>>;
  readonly operations: Readonly<Record<'ok' | 'fail' | 'info', number>>;
  readonly frames: {
    readonly sent: number;
    readonly lost: number;
    readonly duplicated: number;
    readonly damaged: number;
  };
  /** Members that stopped by themselves, as they should. */
  readonly stopped: number;
  /** Names of what the scenario wants to see sometimes, and saw. */
  readonly seen: readonly string[];
  readonly violation: TracedViolation | null;
  /** A judge gave up. */
  readonly unknown: string | null;
  readonly history: readonly HistoryEvent[];
  /** What broke, and what was mended at the end. */
  readonly faultTimes: readonly { readonly atUs: number; readonly fault: Fault }[];
  /** When the faults ended; null: a violation came before. */
  readonly healedAtUs: number | null;
  readonly trace: Trace | null;
}

export interface RunOptions {
  /** Writes everything down that a replay needs. */
  readonly record?: boolean;
  /** Plays this back instead of drawing from the seed. */
  readonly trace?: Trace;
  /** Told of each fault as it happens; those that end at the heal included. */
  readonly onFault?: (atUs: number, fault: Fault) => void;
}

const DEFAULTS = {
  clients: 3,
  thinkUs: milliseconds(20),
  timeoutUs: milliseconds(600),
  troubleUs: seconds(4),
  paceUs: milliseconds(100),
} as const;

/** Within this the faults' end must be followed by a success, and by the answer to everything that was asked. */
const PROGRESS_PACES = 60;

/** One seed of a scenario, or one trace. Never throws a Violation: it is in the report. */
export function runOnce<Types extends ProtocolTypes>(
  spec: Spec<Types>,
  seed: number,
  options: RunOptions = {},
): RunReport {
  return new Run(spec, seed, options).play();
}

export class Run<Types extends ProtocolTypes> {
  readonly simulation: Simulation<Types>;
  readonly clients: Clients<Types> | null;
  readonly #spec: Spec<Types>;
  readonly #options: RunOptions;
  readonly #settings: Required<Pick<ScenarioOptions<Types>, keyof typeof DEFAULTS>>;
  readonly #nemesis: Nemesis<Types> | null;
  readonly #script: ScriptStep[] = [];
  readonly #frames: FrameOverride[] = [];
  readonly #hashes: number[] = [];
  readonly #faultTimes: { atUs: number; fault: Fault }[] = [];
  readonly #faults: Partial<Record<FaultType, number>> = {};
  readonly #operations = { ok: 0, fail: 0, info: 0 };
  readonly #seen = new Set<string>();
  readonly #view: LiveView<Types>;
  /** False where it is known that nothing is broken: the judges hear of it later, if ever. Not part of the saved state. */
  judging = true;
  #judges: readonly Judge[];
  /** How much of the history the judges have heard. */
  #heard = 0;
  #healedAtUs: number | null = null;
  #scripting = true;
  #unknown: string | null = null;
  #violation: TracedViolation | null = null;
  #course: Course;
  #trace: Trace | null;

  constructor(spec: Spec<Types>, seed: number, options: RunOptions = {}) {
    this.#spec = spec;
    this.#options = options;
    this.#trace = options.trace ?? null;
    this.#settings = { ...DEFAULTS, ...definedOf(spec.options), ...troubleOf(this.#trace) };
    this.#judges = this.#newJudges();
    const protocol = protocolOf(spec, seed, this.#trace);
    const { latency, diskSpeed, mayStop } = spec.options;
    this.simulation = new Simulation({
      protocol,
      seed,
      ...definedOf({ latency, diskSpeed, mayStop, rules: spec.rules ?? undefined }),
    });
    if (options.record === true) this.simulation.network.record = this.#frames;
    const { troubleUs } = this.#settings;
    this.#course = { stage: 'trouble', owed: 0, okBefore: 0, limitUs: troubleUs, endUs: troubleUs };
    this.#view = new LiveView(this.simulation, this.#faults, this.#operations);
    this.clients = this.#newClients();
    this.#nemesis = this.#trace === null ? this.#newNemesis() : null;
    if (this.#trace !== null) this.#playBack(this.#trace);
    else this.clients?.begin();
  }

  play(): RunReport {
    while (this.step());
    return this.report();
  }

  /** Nothing more will happen: all is judged, or a promise is broken. */
  get over(): boolean {
    return this.#course.stage === 'over';
  }

  /** The next thing that happens; false: the run is over. Never throws a Violation: it is in the report. */
  step(): boolean {
    if (this.over) return false;
    try {
      return this.#advance();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.#violation = { rule: error.rule, sentence: error.sentence, atUs: error.atUs };
      this.#course.stage = 'over';
      return false;
    }
  }

  /** Breaks something here and now, beside what the seed or the trace breaks. */
  inject(fault: Fault): void {
    this.#onFault(fault);
    applyFault(this.simulation, fault);
  }

  /** Everything: the world, and what the run has noted of it. */
  save(): Uint8Array {
    const writer = new ByteWriter(1 << 16);
    const { underway } = this.#view;
    const notes = {
      course: this.#course,
      hashes: this.#hashes,
      faultTimes: this.#faultTimes,
      faults: this.#faults,
      operations: this.#operations,
      underway,
      seen: [...this.#seen],
      scripting: this.#scripting,
      script: this.#script,
      frames: this.#frames,
      unknown: this.#unknown,
      violation: this.#violation,
      healedAtUs: this.#healedAtUs,
    };
    writer.string(JSON.stringify(notes));
    this.simulation.saveTo(writer);
    return writer.finish();
  }

  /** Goes on exactly where `save` was called, in a run made with the same specification, seed and options. */
  load(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    const notes = JSON.parse(reader.string());
    this.#course = notes.course;
    // Others hold these: they are filled anew, not replaced.
    refill(this.#hashes, notes.hashes);
    refill(this.#faultTimes, notes.faultTimes);
    refill(this.#script, notes.script);
    refill(this.#frames, notes.frames);
    for (const type of Object.keys(this.#faults)) delete this.#faults[type as FaultType];
    Object.assign(this.#faults, notes.faults);
    Object.assign(this.#operations, notes.operations);
    this.#view.underway = notes.underway;
    this.#seen.clear();
    for (const name of notes.seen) this.#seen.add(name);
    this.#scripting = notes.scripting;
    this.#unknown = notes.unknown;
    this.#violation = notes.violation;
    this.#healedAtUs = notes.healedAtUs;
    this.simulation.loadFrom(reader);
    this.#judges = this.#newJudges();
    this.#heard = 0;
    reader.end();
  }

  /** Nothing more breaks, and what is broken is mended, but for what a disk has lost. */
  #heal(): void {
    const { simulation } = this;
    this.#nemesis?.stop();
    this.clients?.stop();
    this.#scripting = false;
    simulation.setWeather(CALM);
    simulation.heal();
    for (const id of simulation.ids) {
      const { world } = simulation.member(id);
      world.files.calm();
      world.setDiskSlowness(1);
    }
    this.#healedAtUs = simulation.nowUs;
    for (const fault of [{ type: 'heal' } as const, ...recoverAll(simulation)]) {
      this.#options.onFault?.(simulation.nowUs, fault);
      this.#faultTimes.push({ atUs: simulation.nowUs, fault });
      applyFault(simulation, fault);
    }
  }

  /** One event, and what follows from it for the run; before it, whatever stage has been reached. */
  #advance(): boolean {
    while (this.#reached()) this.#enter(next(this.#course, this.#spec.eventually.length));
    if (this.over) return false;
    const { simulation } = this;
    const { events } = simulation;
    if (!simulation.stepBy(this.#course.endUs)) this.#late();
    else if (simulation.events !== events) this.#watch();
    return true;
  }

  /** Whether the stage has come to what it waits for. */
  #reached(): boolean {
    switch (this.#course.stage) {
      case 'trouble':
      case 'over':
        return false;
      case 'probing':
        return this.clients === null || this.#operations.ok >= this.#course.okBefore + 3;
      case 'answering':
        return this.clients?.waiting !== true;
      case 'settling': {
        const owed = this.#spec.eventually[this.#course.owed];
        if (owed === undefined) return true;
        return owed.holds === null ? this.#missing() === null : owed.holds(this.#view);
      }
      default:
        return unreachable(this.#course.stage);
    }
  }

  /** What is owed once the faults have ended (PITFALLS D7), by the members that run, while a majority does. */
  #enter({ stage, owed }: Pick<Course, 'stage' | 'owed'>): void {
    const course = this.#course;
    course.stage = stage;
    course.owed = owed;
    switch (stage) {
      case 'trouble':
        return;
      case 'probing':
        this.#heal();
        course.okBefore = this.#operations.ok;
        this.clients?.begin('prober');
        return this.#within(this.#settings.paceUs * PROGRESS_PACES);
      case 'answering':
        this.clients?.stop();
        return this.#within(this.#settings.paceUs * PROGRESS_PACES);
      case 'settling':
        return this.#within(this.#spec.eventually[owed]?.withinUs ?? 0);
      case 'over':
        this.simulation.protocolRun.sweep();
        return this.#judge();
      default:
        unreachable(stage);
    }
  }

  #within(limitUs: number): void {
    this.#course.limitUs = limitUs;
    this.#course.endUs = this.simulation.nowUs + limitUs;
  }

  /** The stage's time is up. */
  #late(): void {
    switch (this.#course.stage) {
      case 'trouble':
        return this.#enter(next(this.#course, this.#spec.eventually.length));
      case 'probing':
        return this.#owed('no operation succeeded');
      case 'answering':
        return this.#owed('a client still waits for an answer');
      case 'settling': {
        const owed = defined(this.#spec.eventually[this.#course.owed], 'something owed has a number');
        const missing = owed.holds === null ? this.#missing() : null;
        return this.#owed(missing ?? `"${owed.name}" did not come true`);
      }
      case 'over':
        return;
      default:
        unreachable(this.#course.stage);
    }
  }

  #judge(): void {
    this.#look();
    this.#hear();
    for (const judge of this.#judges) {
      const { result, sentence } = judge.judge();
      if (result === 'invalid') throw new Violation(judge.name, sentence, this.simulation.nowUs);
      if (result === 'unknown') this.#unknown ??= `${judge.name}: ${sentence}`;
    }
  }

  #newJudges(): Judge[] {
    const model = this.#spec.workload?.model ?? '';
    return this.#spec.checks.map((check) => check.begin(model));
  }

  #watch(): void {
    const { simulation } = this;
    const { events } = simulation;
    // Not steps: a trace has other timers than the run that it comes from.
    if (events % HASH_EVERY === 0) this.#hashes.push(Number.parseInt(simulation.hash.slice(0, 12), 16));
    if (events % 64 === 0) this.#look();
    for (const { name, holds } of this.#spec.always) this.#hold(name, holds(this.#view));
    const { rules } = this.#spec;
    for (const { name, holds } of simulation.protocol.always ?? []) {
      if (rules === null || rules.has(name)) this.#hold(name, holds(simulation.status()));
    }
  }

  #hold(name: string, held: true | string): void {
    if (held !== true) throw new Violation(name, held, this.simulation.nowUs);
  }

  /** What the scenario wants to have seen. */
  #look(): void {
    for (const { name, seen } of this.#spec.sometimes) {
      if (!this.#seen.has(name) && seen(this.#view)) this.#seen.add(name);
    }
  }

  #missing(): string | null {
    const { simulation } = this;
    const running = simulation.status().filter((status) => status !== null);
    const missing = this.#majorityMissing(running);
    if (missing !== null) return missing;
    return simulation.protocolRun.settled(running, (id) => simulation.member(id).stateBytes());
  }

  #majorityMissing(running: readonly Types['status'][]): string | null {
    const { size, protocolRun } = this.simulation;
    if (protocolRun.suffices !== undefined) return protocolRun.suffices(running);
    return running.length * 2 <= size ? `only ${running.length} of ${size} members run` : null;
  }

  #owed(what: string): never {
    const sentence = `${what} within ${this.#course.limitUs / 1_000} ms after the faults ended`;
    throw new Violation('Liveness', sentence, this.simulation.nowUs);
  }

  #newClients(): Clients<Types> | null {
    const { workload } = this.#spec;
    if (workload === null) return null;
    const { clients, thinkUs, timeoutUs } = this.#settings;
    return new Clients(this.simulation, {
      clients,
      workload,
      thinkUs,
      timeoutUs,
      onOperation: (operation) => this.#note({ atUs: this.simulation.nowUs, do: 'operation', operation }),
      onEvent: (event) => this.#onEvent(event),
    });
  }

  #newNemesis(): Nemesis<Types> {
    const { sources, swarm } = this.#spec.faults;
    const { paceUs, troubleUs } = this.#settings;
    return new Nemesis(this.simulation, {
      sources,
      swarm,
      paceUs,
      budget: this.#spec.options.budget ?? budgetFor(this.simulation.size, this.simulation.protocol.damagedMembers),
      untilUs: troubleUs,
      onFault: (fault) => this.#onFault(fault),
    });
  }

  #playBack(trace: Trace): void {
    const { simulation, clients } = this;
    checkFit(trace, this.#spec.name, { members: simulation.size, clients: this.#settings.clients });
    const kinds = simulation.protocol.frameKinds;
    simulation.network.playBack(
      trace.frames
        .map(({ kind, ...frame }) => ({ ...frame, kind: kinds.indexOf(kind) }))
        .filter(({ kind }) => kind >= 0),
    );
    new Script(simulation, trace.script, (step) => {
      if (step.do === 'operation') return clients?.perform(step.operation);
      this.#onFault(step.fault);
      // Weather stands in the frames.
      if (step.fault.type !== 'weather') applyFault(simulation, step.fault);
    });
  }

  #onFault(fault: Fault): void {
    this.#faults[fault.type] = (this.#faults[fault.type] ?? 0) + 1;
    this.#faultTimes.push({ atUs: this.simulation.nowUs, fault });
    this.#options.onFault?.(this.simulation.nowUs, fault);
    this.#note({ atUs: this.simulation.nowUs, do: 'fault', fault });
  }

  #onEvent(event: HistoryEvent): void {
    if (this.judging) this.#hear();
    if (event.type === 'invoke') {
      this.#view.underway++;
      return;
    }
    this.#view.underway--;
    this.#operations[event.type]++;
  }

  /** The judges hear what they have not yet heard: after a load, all of it. */
  #hear(): void {
    const history = this.clients?.history ?? [];
    for (; this.#heard < history.length; this.#heard++) {
      for (const judge of this.#judges) {
        const sentence = judge.add(history[this.#heard] as HistoryEvent);
        if (sentence !== null) throw new Violation(judge.name, sentence, this.simulation.nowUs);
      }
    }
  }

  #note(step: ScriptStep): void {
    if (this.#scripting && this.#options.record === true) this.#script.push(step);
  }

  /** Of what has happened so far. */
  report(): RunReport {
    const { simulation } = this;
    const violation = this.#violation;
    return {
      seed: simulation.seed,
      members: simulation.size,
      sources: this.#nemesis?.sources ?? [],
      hash: simulation.hash,
      hashes: this.#hashes,
      events: simulation.events,
      simulatedUs: simulation.nowUs,
      counts: simulation.protocolRun.counts(),
      faults: this.#faults,
      operations: this.#operations,
      frames: simulation.network.counts,
      stopped: simulation.stopped.size,
      seen: [...this.#seen],
      violation,
      unknown: this.#unknown,
      history: this.clients?.history ?? [],
      faultTimes: this.#faultTimes,
      healedAtUs: this.#healedAtUs,
      trace: this.#options.record === true ? this.#newTrace(violation) : null,
    };
  }

  #newTrace(violation: TracedViolation | null): Trace {
    const kinds = this.simulation.protocol.frameKinds;
    const frames = this.#frames.map(({ kind, ...frame }): TracedFrame => ({ ...frame, kind: kinds[kind] ?? '' }));
    return {
      polder: 'trace',
      version: 1,
      scenario: this.#spec.name,
      seed: this.simulation.seed,
      members: this.simulation.size,
      troubleUs: this.#settings.troubleUs,
      violation,
      hashes: this.#hashes,
      script: this.#script,
      frames,
    };
  }
}

function protocolOf<Types extends ProtocolTypes>(
  spec: Spec<Types>,
  seed: number,
  trace: Trace | null,
): Protocol<Types> {
  const { replicas } = spec.options;
  const protocol = typeof replicas === 'function' ? replicas(seed, trace?.members) : replicas;
  if (trace !== null && trace.members !== protocol.members) {
    const sentence = `the trace has ${trace.members} members, scenario "${spec.name}" has ${protocol.members}`;
    throw new PolderError('TraceDoesNotFit', `${sentence}: replay it with the scenario that it was made with`);
  }
  return protocol;
}

function refill<Item>(items: Item[], saved: readonly Item[]): void {
  items.length = 0;
  for (const item of saved) items.push(item);
}

function troubleOf(trace: Trace | null): { readonly troubleUs?: number } {
  return trace === null ? {} : { troubleUs: trace.troubleUs };
}

/** Without what is undefined, which `exactOptionalPropertyTypes` does not let through. */
function definedOf<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
