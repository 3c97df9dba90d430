/**
 * A protocol of one's own, without bytes: participants that send JSON messages, set timers by name, and store values
 * that survive a crash once they are told so. Everything a participant remembers is in `state`, plain JSON: so the
 * world can save it, fork it and explore it.
 */
import type { Answer, Json } from '../protocol.ts';
import type { Intent } from '../workloads/workload.ts';

export interface Message {
  readonly type: string;
}

export interface Participant<M extends Message> {
  /** Replaced as a whole when a saved world is loaded: keep nothing elsewhere. */
  state: unknown;
  /** At each start, with what was stored: everything whose `onStored` was called, and perhaps more. */
  onStart(stored: Readonly<Record<string, Json>>): void;
  onMessage(from: number, message: M): void;
  /** A client asks; answer through `self.answer`, now or later, or never. */
  onOperation(id: number, operation: Intent): void;
  onTimer?(name: string): void;
  /** What was stored under this name is durable now. */
  onStored?(name: string): void;
}

/** What a participant may do. It reads no clock but these, and draws nothing but here. */
export interface Self<M extends Message> {
  readonly member: number;
  readonly members: readonly number[];
  /** Fire and forget: it may be lost, late, repeated. Sending to oneself is a mistake. */
  send(to: number, message: M): void;
  /** To every other member. */
  broadcast(message: M): void;
  /** `onTimer(name)` once, after so long; a later call for the same name takes its place. */
  setTimer(name: string, afterUs: number): void;
  cancelTimer(name: string): void;
  /** Ends the operation; the first answer counts. */
  answer(id: number, answer: Answer): void;
  ok(id: number, value: Json): void;
  /** It certainly did not happen. */
  fail(id: number, reason: Json): void;
  /** Writes the value; `onStored(name)` when it survives a crash. */
  store(name: string, value: Json): void;
  /** An integer in [0, bound). */
  draw(bound: number): number;
  /** By this member's own clock, which drifts. */
  nowUs(): number;
  /** The wall clock: it drifts, and jumps either way. */
  wallMs(): number;
}

/** What a protocol's invariants may look at: the states of the members that run, null for those that are down. */
export type States<State> = readonly (State | null)[];

export interface ParticipantsOptions<M extends Message, State> {
  readonly name: string;
  readonly members: number;
  /** Every type of message: how traces name frames. */
  readonly messages: readonly M['type'][];
  readonly create: (self: Self<M>) => Participant<M>;
  /** Whether the members have come to rest and agree, for `eventually`; else what is missing. */
  readonly settled?: (states: States<State>) => string | null;
  /** For `sometimes`, and for reports. */
  readonly leads?: (state: State) => boolean;
}
