import { assert } from '../../base/assert.ts';
import { utf8 } from '../../base/bytes.ts';
import type { Answer, Process, Protocol, ProtocolRun } from '../protocol.ts';
import type { Intent } from '../workloads/workload.ts';
import type { Message, ParticipantsOptions } from './participant.ts';
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
    begin: () => newRun(options),
  };
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
    settled: (members) => {
      const states: (State | null)[] = Array.from({ length: options.members }, () => null);
      for (const { member, state } of members) states[member - 1] = state as State;
      return options.settled?.(states) ?? null;
    },
    stateOf: (process: Process<ParticipantStatus>) => {
      assert(process instanceof ParticipantProcess, 'a process of this run');
      return process.stateBytes();
    },
    sweep: () => {},
    save: () => {},
    load: () => {},
  };
}
