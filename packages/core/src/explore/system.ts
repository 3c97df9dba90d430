/** What a protocol must offer to be explored as production runs it: nothing but the contract of its replicas. */
import type { Codec, Entry, Outbox, Recovered, Replica, ReplicaStatus } from '../consensus/replica.ts';
import type { Goal, Property } from './model.ts';

/**
 * A system whose participants are pure state machines with `save` and `load`. The explorer is their driver, network
 * and disk: it steps a replica, keeps what it persists, sends and applies, and lets every order of these happen.
 *
 * Saved bytes must be equal for equal states, or the same state is walked twice. A replica whose saved bytes hold
 * times is best given time-outs of 0 and draws of 0: then everything is always due, its clock never moves, and any
 * schedule of its timers is one of those explored. With other time-outs each member has a clock of its own, which
 * only its own time-outs move on.
 */
export interface ExplorableSystem<Message> {
  readonly members: readonly number[];
  readonly codec: Codec<Message>;
  /** Not started; it must be the same machine each time, told apart by what it is told and loads. */
  create(member: number, outbox: Outbox<Message>): Replica<Message>;
  directoryOf(member: number): number;
  /** What its disk holds before its first start. */
  disk(member: number): Recovered;
  /** false: such a message is lost at once, always; a bound like the others. */
  carries?(message: Message): boolean;
  /**
   * true: from here on, however the member goes on and also after a crash, it ignores such a message. Then it is
   * taken off the network, and states that differ by it alone are one.
   */
  ignores?(member: MemberView, message: Message): boolean;
  /** false: nothing is proposed to such a member. */
  takesProposals?(status: ReplicaStatus): boolean;
  /**
   * Members differ by name only: no rule orders them, all start alike, and what is sent to some follows from what was
   * heard from them. Then only walks are taken in which members first act in the order of `members`: every other walk
   * is one of these under other names.
   */
  readonly symmetric: boolean;
  describe(message: Message): string;
  readonly always: readonly Property<SystemView>[];
  readonly sometimes: readonly Goal<SystemView>[];
}

/** How much of each may happen in one walk. What may not happen at all is not claimed. */
export interface SystemBounds {
  /** Deadlines that pass, of all members together. */
  readonly timeouts: number;
  readonly proposals: number;
  /** A member loses all but what is durable, and starts again at once: being down is no more than hearing nothing. */
  readonly crashes: number;
  /** Messages that arrive and stay under way. */
  readonly duplicates: number;
  /** Any message may stay under way for ever; to lose it adds states, and no behaviour of the members. */
  readonly drops: number;
  /** `delayed`: each step's records become durable in an action of their own, until then a crash loses them. */
  readonly persists: 'immediate' | 'delayed';
}

export interface MemberView {
  readonly member: number;
  readonly status: ReplicaStatus;
  /** As written, durable or not. Equal entries are the same object, here and everywhere in a view. */
  readonly log: readonly Entry[];
  /** What would be left after a crash. */
  readonly disk: Recovered;
  /** In this life. */
  readonly applied: readonly Entry[];
  /** Of an assertion: the member met a state that it holds to be impossible, and stopped. */
  readonly failure: string | null;
}

/** What was true of some member at some time, and stays in the state: promises are about the past, too. */
export type Fact =
  | { readonly type: 'led'; readonly term: number; readonly member: number }
  /** `term`: the lowest in which a member knew it. */
  | { readonly type: 'committed'; readonly index: number; readonly entry: Entry; readonly term: number }
  | { readonly type: 'applied'; readonly index: number; readonly entry: Entry };

export interface SystemView {
  readonly members: readonly MemberView[];
  readonly facts: readonly Fact[];
}
