import type { RaftRules } from '../../consensus/raft/index.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Outbox, Replica } from '../../consensus/replica.ts';
import type { StateMachine } from '../../consensus/state-machine.ts';
import type { KvRequest, KvResult } from '../../kv/index.ts';
import type { DiskResult, World } from '../../world/world.ts';
import type { RaftOutcome } from './types.ts';

/**
 * Where the zoo may break a simulated member: a rule replaced, or a wrapper around one of its parts. Production has
 * no such place: its members are built without this file.
 */
export interface Sabotage {
  readonly rules: Partial<RaftRules>;
  readonly directory: (member: number, directory: number) => number;
  readonly outbox: (outbox: Outbox<RaftMessage>, member: number) => Outbox<RaftMessage>;
  readonly replica: (replica: Replica<RaftMessage>, member: number) => Replica<RaftMessage>;
  readonly stateMachine: (
    machine: StateMachine<KvResult, KvRequest, KvResult>,
  ) => StateMachine<KvResult, KvRequest, KvResult>;
  readonly world: (world: World) => World;
  readonly diskResult: (result: DiskResult) => DiskResult;
  readonly outcome: (outcome: RaftOutcome) => RaftOutcome;
}

export const NO_SABOTAGE: Sabotage = {
  rules: {},
  directory: (_, directory) => directory,
  outbox: (outbox) => outbox,
  replica: (replica) => replica,
  stateMachine: (machine) => machine,
  world: (world) => world,
  diskResult: (result) => result,
  outcome: (outcome) => outcome,
};
