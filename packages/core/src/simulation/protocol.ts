/**
 * What a simulated member runs. The world knows nothing of Raft: a protocol brings its processes, and the world
 * brings them time, a network, disks, clients and faults.
 */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { DiskResult, World } from '../world/world.ts';
import type { ExplorationBounds, ExplorationReport } from './exploration.ts';

/** One life of one member: made at each start, gone at a crash, while its World's disk stays. */
export interface Process<Status> {
  start(): void;
  onFrame(from: number, frame: Uint8Array): void;
  onDisk(token: number, result: DiskResult): void;
  /** The wake-up it asked for is due. */
  onWake(): void;
  /** A client asks; answered through `environment.answer`, never before `turn`. */
  onRequest(id: number, request: Uint8Array): void;
  /** An operator's command that the protocol understands; others are ignored. */
  onControl(command: Control): void;
  /** Ends a batch: what came in is handled, and effects leave. Between turns it can be saved. */
  turn(): void;
  status(): Status;
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

/** Plain JSON, for it stands in traces. */
export interface Control {
  readonly type: string;
  readonly [argument: string]: string | number | boolean;
}

/** What a process is given. */
export interface Environment<Outcome> {
  readonly member: number;
  readonly members: readonly number[];
  /** Made anew with each disk: a wiped member has another one. */
  readonly directory: number;
  readonly world: World;
  readonly answer: (id: number, outcome: Outcome) => void;
  /** The process must not go on, and says why. */
  readonly stop: (error: Error) => void;
}

/** Plain JSON: what stands in histories and traces. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** How a client's operation ended: it happened, it certainly did not, nobody knows. */
export type Completion = 'ok' | 'fail' | 'info';

/** An outcome as a client's program understands it. */
export interface Answer {
  readonly completion: Completion;
  readonly value: Json;
}

export interface ProtocolTypes {
  /** A client's question. */
  readonly request: unknown;
  /** Its answer. */
  readonly outcome: unknown;
  readonly status: MemberStatus;
}

/** The least that every protocol tells of a member. */
export interface MemberStatus {
  readonly leads?: boolean;
  /** Whether it takes part already: before that, to lose a disk can be more than a protocol bears. Default: yes. */
  readonly ready?: boolean;
}

/** A protocol for `members` members, numbered from 1. */
export interface Protocol<Types extends ProtocolTypes> {
  readonly name: string;
  readonly members: number;
  /** So many members' disks may be damaged in a run; default: a minority. */
  readonly damagedMembers?: number;
  /** What frames are called in traces and pictures, by the number that `kindOf` gives. At most 63. */
  readonly frameKinds: readonly string[];
  readonly kindOf: (frame: Uint8Array) => number;
  readonly encodeRequest: (request: Types['request']) => Uint8Array;
  readonly answerOf: (outcome: Types['outcome']) => Answer;
  /** What a member makes of a frame in which a bit has flipped: null when it notices. Default: the real wire's checksum. */
  readonly damage?: (frame: Uint8Array, word: number) => Uint8Array | null;
  /** What must hold of the members at every moment, besides what a run's own watchers see. */
  readonly always?: readonly {
    readonly name: string;
    readonly holds: (members: readonly (Types['status'] | null)[]) => true | string;
  }[];
  /** Every order of what may happen, in a small scope. */
  readonly explore?: (bounds: ExplorationBounds) => ExplorationReport;
  /** Everything of one run. */
  begin(run: RunContext): ProtocolRun<Types>;
}

export interface RunContext {
  readonly nowUs: () => number;
  /** A promise is broken: throws, unless the scenario does not ask for that rule. */
  readonly violated: (rule: string, sentence: string) => void;
}

export interface ProtocolRun<Types extends ProtocolTypes> {
  createProcess(environment: Environment<Types['outcome']>): Process<Types['status']>;
  /** What a client is told whose member died while it waited. */
  lost(request: Uint8Array): Types['outcome'];
  onAnswered(outcome: Types['outcome']): void;
  /** A member stopped by itself: whether the protocol meant it to. Default: no. */
  mayStop?(member: number, error: Error): boolean;
  /** Whether these are enough for progress to be owed, else what is missing. Default: more than half of the members. */
  suffices?(running: readonly Types['status'][]): string | null;
  onCrashed(member: number): void;
  onWiped(member: number): void;
  /** How much happened: a run in which nothing happened proves nothing (PITFALLS D5). */
  counts(): Readonly<Record<string, number>>;
  /** After faults end: null when these members, all that run, have come to rest and agree; else what is missing. */
  settled(members: readonly Types['status'][], stateOf: (id: number) => Uint8Array | null): string | null;
  /** What a member's replicated state is, in bytes; null: nothing to compare. */
  stateOf(process: Process<Types['status']>): Uint8Array | null;
  /** A full look at everything kept, at the end of a run. */
  sweep(): void;
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}
