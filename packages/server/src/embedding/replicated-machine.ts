/** A user's state machine as core's: with the applied index, the sessions and the configuration as one state. */
import {
  assert,
  ByteReader,
  ByteWriter,
  crc32c,
  type Entry,
  PolderError,
  SessionTable,
  type SnapshotSource,
  type SnapshotStage,
  type StateMachine,
} from '@polder/core';
import { applyTwice, type Encoding } from './determinism.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import { SessionRecords } from './session-records.ts';
import type { ApplyContext, ReplicatedStateMachine } from './state-machine.ts';
import { WholeSnapshot, WholeStage } from './whole-snapshot.ts';

const FORMAT = 1;

export type Applied<Result> =
  | { readonly type: 'result'; readonly result: Result }
  /** Of a session that was opened or ended. */
  | { readonly type: 'done' }
  /** It happened, and what came of it was too long to keep. */
  | { readonly type: 'forgotten' }
  | { readonly type: 'ended' }
  | { readonly type: 'misused' };

export type Query<View> = (view: View) => unknown;

export interface ReplicatedMachineOptions<Command, Result, State, View> {
  readonly create: () => ReplicatedStateMachine<Command, Result, State, View>;
  readonly codecs: Encoding<Command, Result, State>;
  readonly verifyDeterminism: boolean;
}

export class ReplicatedMachine<Command, Result, State, View>
  implements StateMachine<Applied<Result>, Query<View>, unknown>
{
  readonly #options: ReplicatedMachineOptions<Command, Result, State, View>;
  #machine: ReplicatedStateMachine<Command, Result, State, View>;
  #appliedIndex = 0;
  #configuration = new Uint8Array(0);
  #proposals = new SessionTable();
  #sessions = new SessionRecords();

  constructor(options: ReplicatedMachineOptions<Command, Result, State, View>) {
    this.#options = options;
    this.#machine = options.create();
  }

  appliedIndex(): number {
    return this.#appliedIndex;
  }

  apply(entry: Entry): Applied<Result> | null {
    assert(entry.index === this.#appliedIndex + 1, 'entries are applied in index order, each once');
    this.#appliedIndex = entry.index;
    if (entry.origin === null) {
      if (entry.command.length > 0) this.#configuration = entry.command.slice();
      return null;
    }
    if (!this.#proposals.admit(entry.origin)) return null;
    return this.#execute(decodeEnvelope(entry.command), { index: entry.index, term: entry.term });
  }

  #execute(envelope: Envelope, context: ApplyContext): Applied<Result> {
    switch (envelope.type) {
      case 'plain':
        return { type: 'result', result: this.#run(envelope.command, context) };
      case 'once':
        return this.#once(envelope, context);
      case 'open':
        this.#sessions.open(context.index);
        return { type: 'done' };
      case 'end':
        this.#sessions.end(envelope.session);
        return { type: 'done' };
    }
  }

  #once({ session, sequence, command }: Extract<Envelope, { type: 'once' }>, context: ApplyContext): Applied<Result> {
    const checksum = crc32c(command);
    const verdict = this.#sessions.judge(session, sequence, checksum);
    switch (verdict.type) {
      case 'new': {
        const result = this.#run(command, context);
        this.#sessions.keep(session, sequence, checksum, this.#options.codecs.result.encode(result));
        return { type: 'result', result };
      }
      case 'repeat':
        if (verdict.result === null) return { type: 'forgotten' };
        return { type: 'result', result: this.#options.codecs.result.decode(verdict.result) };
      case 'ended':
      case 'misused':
        return verdict;
    }
  }

  /** Throws `ApplyFailed` or `NotDeterministic`: the member stops, for it cannot know what the others made of it. */
  #run(bytes: Uint8Array, context: ApplyContext): Result {
    const { create, codecs, verifyDeterminism } = this.#options;
    try {
      const result = verifyDeterminism
        ? applyTwice(this.#machine, create, codecs, bytes, context)
        : this.#machine.apply(codecs.command.decode(bytes), context);
      if (isThenable(result)) throw new TypeError('apply returned a promise: it must not be asynchronous');
      return result;
    } catch (cause) {
      if (cause instanceof PolderError && cause.code === 'NotDeterministic') throw cause;
      const message =
        `the state machine threw at entry ${context.index}: ${cause instanceof Error ? cause.message : String(cause)}. ` +
        'Every member stops there; with the state machine corrected they start again and apply it anew';
      throw new PolderError('ApplyFailed', message, { cause });
    }
  }

  query(query: Query<View>): unknown {
    return query(this.#machine.view());
  }

  contains(member: number, boot: number, sequence: number): boolean {
    return this.#proposals.contains(member, boot, sequence);
  }

  configuration(): Uint8Array {
    return this.#configuration;
  }

  /** The user gives all of it at once, so its bytes are whole from the start. */
  openSnapshot(): SnapshotSource {
    const writer = new ByteWriter(1024);
    writer.u8(FORMAT);
    writer.varint(this.#appliedIndex);
    writer.bytes(this.#configuration);
    this.#proposals.save(writer);
    this.#sessions.save(writer);
    writer.bytes(this.#options.codecs.state.encode(this.#machine.snapshot()));
    return new WholeSnapshot(this.#appliedIndex, writer.finish());
  }

  stageSnapshot(): SnapshotStage {
    return new WholeStage((bytes) => this.#restore(new ByteReader(bytes)));
  }

  save(writer: ByteWriter): void {
    writer.bytes(this.openSnapshot().rest());
  }

  /** Throws `MalformedBytes` and is then as it was before. */
  load(reader: ByteReader): void {
    const stage = this.stageSnapshot();
    stage.write(reader.bytes());
    if (!stage.whole) throw new PolderError('MalformedBytes', 'the snapshot is cut short: take another one');
    stage.install();
  }

  #restore(reader: ByteReader): void {
    if (reader.u8() !== FORMAT) {
      throw new PolderError('MalformedBytes', 'the snapshot is of a format that this version does not know');
    }
    const appliedIndex = reader.varint();
    const configuration = new Uint8Array(reader.bytes());
    const [proposals, sessions] = [new SessionTable(), new SessionRecords()];
    proposals.load(reader);
    sessions.load(reader);
    const machine = this.#options.create();
    machine.restore(this.#options.codecs.state.decode(reader.bytes()));
    reader.end();
    this.#appliedIndex = appliedIndex;
    this.#configuration = configuration;
    this.#proposals = proposals;
    this.#sessions = sessions;
    this.#machine = machine;
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
