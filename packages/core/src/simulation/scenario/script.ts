import { PolderError } from '../../base/error.ts';
import type { ProtocolTypes } from '../protocol.ts';
import type { Actor, Simulation } from '../simulation.ts';
import type { ScriptStep, Trace } from './trace.ts';

/** Does what a trace says, at its times. */
export class Script<Types extends ProtocolTypes> implements Actor<Types['outcome']> {
  readonly #simulation: Simulation<Types>;
  readonly #steps: readonly ScriptStep[];
  readonly #perform: (step: ScriptStep) => void;
  readonly #owner: number;

  constructor(simulation: Simulation<Types>, steps: readonly ScriptStep[], perform: (step: ScriptStep) => void) {
    this.#simulation = simulation;
    this.#steps = steps;
    this.#perform = perform;
    this.#owner = simulation.attach(this);
    this.#await(0);
  }

  onTimer(token: number): void {
    const step = this.#steps[token];
    if (step !== undefined) this.#perform(step);
    this.#await(token + 1);
  }

  onOutcome(): void {}

  /** Its place is the token of its timer, which the queue saves. */
  save(): void {}

  load(): void {}

  #await(token: number): void {
    const step = this.#steps[token];
    if (step !== undefined) this.#simulation.timer(this.#owner, step.atUs, token);
  }
}

/** Throws `TraceDoesNotFit` when it names who is not there. */
export function checkFit(
  { script }: Trace,
  scenario: string,
  there: { readonly members: number; readonly clients: number },
): void {
  for (const step of script) {
    const of = step.do === 'operation' ? step.operation : step.fault;
    const stranger = 'member' in of && (of.member < 1 || of.member > there.members);
    const client = step.do === 'operation' && step.operation.client >= there.clients;
    if (!stranger && !client) continue;
    const who = stranger ? `member ${of.member}` : 'a client';
    const message = `the trace names ${who} that scenario "${scenario}" does not have`;
    throw new PolderError('TraceDoesNotFit', `${message}: replay it with the scenario that it was made with`);
  }
}
