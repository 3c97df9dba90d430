/** A participant that does what its clients tell it to, and writes down what happens to it. */
import type { Json } from '../protocol.ts';
import { Simulation } from '../simulation.ts';
import type { Intent } from '../workloads/workload.ts';
import type { Participant, ParticipantsOptions, Self } from './participant.ts';
import { type ParticipantTypes, participants } from './protocol.ts';

export interface Told {
  readonly type: 'told';
  readonly value: Json;
}

export interface RecorderState {
  /** What happened, in order: `timer a`, `stored b`, `heard 2: 5`. */
  readonly heard: string[];
  /** At the start; null until then. */
  found: Readonly<Record<string, Json>> | null;
}

/** Operations: `store [name, value]`, `timer [name, afterUs]`, `cancel name`, `tell value`, `time`, `stay` silent. */
export class Recorder implements Participant<Told> {
  state: RecorderState = { heard: [], found: null };
  readonly #self: Self<Told>;

  constructor(self: Self<Told>) {
    this.#self = self;
  }

  onStart(stored: Readonly<Record<string, Json>>): void {
    this.state.found = { ...stored };
  }

  onMessage(from: number, { value }: Told): void {
    this.state.heard.push(`heard ${from}: ${JSON.stringify(value)}`);
  }

  onTimer(name: string): void {
    this.state.heard.push(`timer ${name}`);
    // What a timer named so does to others that are due.
    if (name === 'first') this.#self.cancelTimer('second');
  }

  onStored(name: string): void {
    this.state.heard.push(`stored ${name}`);
  }

  onOperation(id: number, { f, value }: Intent): void {
    const self = this.#self;
    const [name, argument] = (Array.isArray(value) ? value : [value, null]) as [string, Json];
    if (f === 'stay') return;
    if (f === 'store') self.store(name, argument);
    if (f === 'timer') self.setTimer(name, Number(argument));
    if (f === 'cancel') self.cancelTimer(name);
    if (f === 'tell') self.broadcast({ type: 'told', value });
    self.ok(id, f === 'time' ? self.nowUs() : value);
  }
}

export function recorders(
  members: number,
  options: Partial<ParticipantsOptions<Told, RecorderState>> = {},
): ReturnType<typeof participants<Told, RecorderState>> {
  return participants<Told, RecorderState>({
    name: 'recorders',
    members,
    messages: ['told'],
    create: (self) => new Recorder(self),
    ...options,
  });
}

/** Recorders in a world of their own, and whoever asks them. */
export class RecorderWorld {
  readonly simulation: Simulation<ParticipantTypes>;
  readonly answers = new Map<number, { readonly completion: string; readonly value: Json }>();

  constructor(members: number, seed = 1, options: { readonly mayStop?: boolean } = {}) {
    this.simulation = new Simulation({ protocol: recorders(members), seed, ...options });
    this.simulation.attach({
      onTimer: () => {},
      onOutcome: (id, answer) => this.answers.set(id, answer),
      save: () => {},
      load: () => {},
    });
  }

  /** 0: refused at the door. */
  ask(member: number, f: string, value: Json = null): number {
    return this.simulation.ask(member, { f, key: '', value });
  }

  state(member: number): RecorderState {
    const status = this.simulation.member(member).status();
    if (status === null) throw new Error(`member ${member} is down`);
    return status.state as RecorderState;
  }

  heard(member: number): readonly string[] {
    return this.state(member).heard;
  }
}
