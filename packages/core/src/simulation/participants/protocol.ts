import { assert } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import type { Answer, Process, Protocol, ProtocolRun } from '../protocol.ts';
import type { Intent } from '../workloads/workload.ts';
import { exploreParticipants } from './exploration.ts';
import type { Message, ParticipantsOptions, States } from './participant.ts';
import { ParticipantProcess, type ParticipantStatus } from './process.ts';

export interface ParticipantTypes {
  readonly request: Intent;
  readonly outcome: Answer;
  readonly status: ParticipantStatus;
}

/** A protocol made of participants: give it to `scenario`. */
export function participants<M extends Message, State = unknown>(
  options: ParticipantsOptions<M, State>,
): Protocol<ParticipantTypes> {
  return {
    name: options.name,
    members: options.members,
    frameKinds: options.messages,
    kindOf: (frame) => frame[0] ?? 0,
    encodeRequest: (operation) => utf8(JSON.stringify(operation)),
    answerOf: (answer) => answer,
    always: (options.always ?? []).map(({ name, holds }) => ({
      name,
      holds: (statuses) => holds(statesOf(options.members, statuses)),
    })),
    explore: (bounds) => exploreParticipants(options, bounds),
    begin: () => newRun(options),
  };
}

function statesOf<State>(members: number, statuses: readonly (ParticipantStatus | null)[]): States<State> {
  const states: (State | null)[] = Array.from({ length: members }, () => null);
  for (const status of statuses) if (status !== null) states[status.member - 1] = status.state as State;
  return states;
}

function newRun<M extends Message, State>(options: ParticipantsOptions<M, State>): ProtocolRun<ParticipantTypes> {
  return {
    createProcess: (environment) => new ParticipantProcess(environment, options),
    // Whoever died may have done it before.
    lost: () => ({ completion: 'info', value: 'the member died' }),
    onAnswered: () => {},
    onCrashed: () => {},
    onWiped: () => {},
    counts: () => ({}),
    settled: (members) => options.settled?.(statesOf(options.members, members)) ?? null,
    stateOf: (process: Process<ParticipantStatus>) => {
      assert(process instanceof ParticipantProcess, 'a process of this run');
      return process.stateBytes();
    },
    sweep: () => {},
    save: () => {},
    load: () => {},
  };
}
