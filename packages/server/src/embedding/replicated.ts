/** A user's own state machine, replicated. */
import type { StateMachine } from '@polder/core';
import { type CallOptions } from './calls.ts';
import { jsonCodec } from './codec.ts';
import { type Envelope, encodeEnvelope } from './envelope.ts';
import { OperationError } from './errors.ts';
import { Host, type Placed, type ProposeOptions } from './host.ts';
import { HostedMember } from './hosted-member.ts';
import { type EmbeddedOptions, type MemberEnvironment, type Placement, resolveOptions } from './options.ts';
import { type Applied, type Query, ReplicatedMachine } from './replicated-machine.ts';
import { openSession, ReplicatedSession } from './replicated-session.ts';
import type { SessionToken } from './session.ts';
import type { CodecsOption, NotAsync, ReadOnly, ReplicatedStateMachine } from './state-machine.ts';

/** Of what goes into the log at once. */
export const MAX_COMMAND_BYTES = 1024 * 1024;

export type ReplicatedOptions<Command, Result, State, View> = EmbeddedOptions &
  Placement &
  CodecsOption<Command, Result, State> & {
    /**
     * Makes a new one, in its first state; a snapshot is restored into one, and every member of a process needs its own.
     */
    readonly stateMachine: () => ReplicatedStateMachine<Command, Result, State, View> &
      NotAsync<NoInfer<Result>, 'apply must not be asynchronous'>;
    /** For development: stop with `NotDeterministic` at the first command that two machines would not apply alike. */
    readonly verifyDeterminism?: boolean;
  };

export interface ReplicaStatus {
  readonly role: 'follower' | 'precandidate' | 'candidate' | 'leader';
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
}

/** A command's result, and the entry that it came from. */
export interface Proposed<Result> {
  readonly index: number;
  readonly term: number;
  readonly result: Result;
}

type ReplicatedHost<Result, View> = Host<
  Applied<Result>,
  Query<View>,
  unknown,
  StateMachine<Applied<Result>, Query<View>, unknown>
>;

/** One member of a replicated state machine; made by `startReplicated`. */
export class Replicated<Command, Result, View> extends HostedMember {
  readonly #host: ReplicatedHost<Result, View>;
  readonly #encode: (command: Command) => Uint8Array;

  constructor(host: ReplicatedHost<Result, View>, encode: (command: Command) => Uint8Array) {
    super(host);
    this.#host = host;
    this.#encode = encode;
  }

  status(): ReplicaStatus {
    const { role, term, commitIndex, appliedIndex } = this.#host.status();
    return { role, term, commitIndex, appliedIndex };
  }

  /**
   * Resolves once it is on a majority's disks and applied here. After an error whose `outcome` is `unknown` it may have
   * happened: to try again and have it happen once, use a `session()`.
   */
  async propose(command: Command, options?: ProposeOptions): Promise<Result> {
    return (await this.proposeAt(command, options)).result;
  }

  /** As `propose`, with the entry's index and term, which only grow: fencing tokens. */
  async proposeAt(command: Command, options?: ProposeOptions): Promise<Proposed<Result>> {
    const bytes = encodeEnvelope({ type: 'plain', command: this.#encode(command) });
    const { index, term, value } = await this.#host.propose(bytes, options);
    if (value.type === 'result') return { index, term, result: value.result };
    throw new TypeError(`a command was answered ${value.type}`);
  }

  /** Linearizable: sees every command that had its result before this was called. */
  async read<T>(
    query: (view: ReadOnly<View>) => T & NotAsync<T, 'a query must not be asynchronous'>,
    options?: CallOptions,
  ): Promise<T> {
    return (await this.#host.read(query as Query<View>, options)).value as T;
  }

  /** This member's own state, at once; it may be behind. */
  readLocal<T>(query: (view: ReadOnly<View>) => T & NotAsync<T, 'a query must not be asynchronous'>): T {
    return this.#host.readLocally(query as Query<View>).value as T;
  }

  /** Commands of which each happens once, however often it is tried. With a token: that session, continued. */
  async session(token?: SessionToken, options: CallOptions = {}): Promise<ReplicatedSession<Command, Result>> {
    const propose = (envelope: Envelope, each: CallOptions): Promise<Placed<Applied<Result>>> =>
      this.#host.propose(encodeEnvelope(envelope), each);
    return new ReplicatedSession(propose, this.#encode, token ?? (await openSession(propose, options)));
  }
}

/**
 * Starts a member that replicates `stateMachine`: alone, or with `members` and `name` one of a cluster. Resolves once
 * its log is read; a leader may be known later. Throws as `startMember` does.
 */
export async function startReplicated<Command, Result, State, View>(
  options: ReplicatedOptions<Command, Result, State, View>,
  environment: MemberEnvironment = {},
): Promise<Replicated<Command, Result, View>> {
  const codecs = {
    command: options.codecs?.command ?? jsonCodec<Command>(),
    result: options.codecs?.result ?? jsonCodec<Result>(),
    state: options.codecs?.state ?? jsonCodec<State>(),
  };
  const { stateMachine: create, verifyDeterminism = false } = options;
  const machine = new ReplicatedMachine<Command, Result, State, View>({ create, codecs, verifyDeterminism });
  const hosted = { machine, revision: () => machine.appliedIndex() };
  const host: ReplicatedHost<Result, View> = await Host.start(resolveOptions(options), () => hosted, environment);
  return new Replicated(host, (command) => {
    const bytes = codecs.command.encode(command);
    if (bytes.length <= MAX_COMMAND_BYTES) return bytes;
    const message = `a command has at most ${MAX_COMMAND_BYTES} bytes, and this one ${bytes.length}: split it`;
    throw new OperationError('CommandTooLarge', 'notApplied', message);
  });
}
