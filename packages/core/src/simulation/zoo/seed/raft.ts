/**
 * The seed text's `RaftNode` (section 2) on real messages: where the text throws dice for votes and for replication,
 * peers are asked. Without mistakes it is Raft's core (Ongaro and Ousterhout, 2014, Figure 2); reads go through the log.
 */
import type { Participant, Self, StateInvariant } from '../../participants/index.ts';
import type { Json } from '../../protocol.ts';
import type { Intent } from '../../workloads/index.ts';
import type { SeedMistakes } from './mistakes.ts';

interface Entry extends Intent {
  readonly term: number;
  /** The client's question. */
  readonly id: number;
}

/** Positions in the log are counts: `after` entries come before. */
export type RaftMessage = { readonly term: number } & (
  | { readonly type: 'requestVote'; readonly lastTerm: number; readonly length: number }
  | { readonly type: 'vote'; readonly granted: boolean }
  | {
      readonly type: 'append';
      readonly after: number;
      readonly afterTerm: number;
      readonly entries: readonly Entry[];
      readonly committed: number;
    }
  | { readonly type: 'appended'; readonly success: boolean; readonly matched: number }
);

export interface RaftState {
  role: 'follower' | 'candidate' | 'leader';
  term: number;
  votedFor: number;
  log: Entry[];
  committed: number;
  applied: number;
  machine: { [key: string]: Json };
  votes: number[];
  next: { [member: number]: number };
  matched: { [member: number]: number };
  /** Clients that wait for their entry. */
  waiting: number[];
  /** Written, and durable: what is said waits for what was written before. */
  writes: number;
  durable: number;
  outbox: { after: number; to: number; message: RaftMessage }[];
}

const TURN_US = 10_000;
const HEARTBEAT_US = 40_000;
/** The text's 5 to 10 seconds, faster. */
export const ELECTION_US = 150_000;

export class SeedRaft implements Participant<RaftMessage> {
  state: RaftState;
  readonly #self: Self<RaftMessage>;
  readonly #mistakes: SeedMistakes;

  constructor(self: Self<RaftMessage>, mistakes: SeedMistakes) {
    this.#self = self;
    this.#mistakes = mistakes;
    const first = mistakes.skipsFirstEntry ? 1 : 0;
    const log = { term: 0, votedFor: 0, log: [], committed: first, applied: first, machine: {} };
    const leading = { votes: [], next: {}, matched: {}, waiting: [], writes: 0, durable: 0, outbox: [] };
    this.state = { role: 'follower', ...log, ...leading };
  }

  onStart(stored: Readonly<Record<string, Json>>): void {
    if (stored['state'] !== undefined) Object.assign(this.state, stored['state']);
    this.#awaitLeader();
  }

  onStored(): void {
    const { state } = this;
    state.durable++;
    const ready = state.outbox.filter(({ after }) => after <= state.durable);
    state.outbox = state.outbox.filter(({ after }) => after > state.durable);
    for (const { to, message } of ready) this.#deliver(to, message);
  }

  onTimer(name: string): void {
    const { role } = this.state;
    if (name === 'election' && role !== 'leader') this.#campaign();
    if (name === 'heartbeat' && role === 'leader') this.#replicate();
  }

  onOperation(id: number, { f, key, value }: Intent): void {
    const { state } = this;
    if (state.role !== 'leader') return this.#self.fail(id, 'not the leader');
    state.log.push({ term: state.term, id, f, key, value });
    state.waiting.push(id);
    // What counts as committed from the outset is answered at once.
    if (state.log.length <= state.committed) this.#self.ok(id, value);
    this.#persist();
    this.#replicate();
  }

  onMessage(from: number, message: RaftMessage): void {
    const { state } = this;
    if (message.term > state.term) {
      if (state.role === 'leader' && this.#mistakes.neverStepsDown) return;
      this.#becomeFollower(message.term);
    }
    const isCurrent = message.term === state.term;
    switch (message.type) {
      case 'requestVote':
        return this.#onRequestVote(from, message, isCurrent);
      case 'vote':
        if (!isCurrent || !message.granted || state.role !== 'candidate' || state.votes.includes(from)) return;
        state.votes.push(from);
        if (state.votes.length > this.#self.members.length / 2) this.#becomeLeader();
        return;
      case 'append':
        return this.#onAppend(from, message, isCurrent);
      case 'appended':
        if (isCurrent && state.role === 'leader') this.#onAppended(from, message.success, message.matched);
    }
  }

  #onRequestVote(from: number, message: Extract<RaftMessage, { type: 'requestVote' }>, isCurrent: boolean): void {
    const { state } = this;
    const lastTerm = state.log.at(-1)?.term ?? 0;
    const upToDate =
      message.lastTerm > lastTerm || (message.lastTerm === lastTerm && message.length >= state.log.length);
    const isFree = state.role === 'follower' && (state.votedFor === 0 || state.votedFor === from);
    const granted = this.#mistakes.votesByChance ? this.#self.draw(10) < 7 : isFree && upToDate;
    if (isCurrent && granted) {
      state.votedFor = from;
      this.#persist();
      this.#awaitLeader();
    }
    this.#say(from, { type: 'vote', term: state.term, granted: isCurrent && granted });
  }

  #onAppend(from: number, message: Extract<RaftMessage, { type: 'append' }>, isCurrent: boolean): void {
    const { state } = this;
    const { after, afterTerm, entries, committed } = message;
    if (isCurrent && state.role !== 'leader') {
      state.role = 'follower';
      this.#awaitLeader();
    }
    const fits = after === 0 || state.log[after - 1]?.term === afterTerm;
    if (!isCurrent || state.role === 'leader' || !fits) {
      const matched = Math.min(after - 1, state.log.length);
      return this.#say(from, { type: 'appended', term: state.term, success: false, matched });
    }
    const conflict = entries.findIndex(({ term }, i) => state.log[after + i]?.term !== term);
    if (conflict >= 0) {
      state.log.splice(after + conflict, state.log.length, ...entries.slice(conflict));
      this.#persist();
    }
    const matched = after + entries.length;
    this.#commit(Math.min(committed, matched));
    this.#say(from, { type: 'appended', term: state.term, success: true, matched });
  }

  #onAppended(from: number, success: boolean, matched: number): void {
    const { state } = this;
    if (this.#mistakes.sendsNoEntries && from !== this.#self.member) return;
    const known = state.matched[from] ?? 0;
    state.next[from] = Math.max(known, matched);
    // The next heartbeat tries from there.
    if (!success) return;
    state.matched[from] = Math.max(known, matched);
    this.#countCopies();
  }

  /** Only an entry of its own term is committed by counting; those before it come with it (section 5.4.2). */
  #countCopies(): void {
    const { log, matched, term } = this.state;
    const { members } = this.#self;
    const counts = members.map((member) => matched[member] ?? 0).sort((a, b) => b - a);
    const copied = counts[Math.floor(members.length / 2)] ?? 0;
    if (log[copied - 1]?.term === term) this.#commit(copied);
  }

  #commit(committed: number): void {
    const { state } = this;
    state.committed = Math.max(state.committed, committed);
    for (; state.applied < Math.min(state.committed, state.log.length); state.applied++) {
      const { id, f, key, value } = state.log[state.applied] as Entry;
      if (f === 'write') state.machine[key] = value;
      if (!state.waiting.includes(id)) continue;
      state.waiting = state.waiting.filter((other) => other !== id);
      this.#self.ok(id, state.machine[key] ?? null);
    }
  }

  #campaign(): void {
    const { state } = this;
    state.role = 'candidate';
    state.term++;
    state.votedFor = this.#self.member;
    state.votes = [];
    this.#persist();
    const { term, log } = state;
    this.#say(this.#self.member, { type: 'vote', term, granted: true });
    const request: RaftMessage = { type: 'requestVote', term, lastTerm: log.at(-1)?.term ?? 0, length: log.length };
    for (const peer of this.#others()) this.#say(peer, request);
    this.#awaitLeader();
    if (this.#mistakes.racesThroughTerms) this.#self.setTimer('election', TURN_US);
  }

  #becomeLeader(): void {
    const { state } = this;
    state.role = 'leader';
    state.matched = {};
    state.next = Object.fromEntries(this.#others().map((peer) => [peer, state.log.length]));
    this.#self.cancelTimer('election');
    this.#replicate();
  }

  #becomeFollower(term: number): void {
    const { state } = this;
    if (state.role === 'leader') this.#awaitLeader();
    state.role = 'follower';
    state.term = term;
    state.votedFor = 0;
    this.#persist();
  }

  #replicate(): void {
    const { term, log } = this.state;
    this.#self.setTimer('heartbeat', HEARTBEAT_US);
    for (const peer of this.#others()) this.#sendEntries(peer);
    this.#say(this.#self.member, { type: 'appended', term, success: true, matched: log.length });
  }

  #sendEntries(peer: number): void {
    const { term, log, next, matched, committed } = this.state;
    const after = next[peer] ?? 0;
    const afterTerm = log[after - 1]?.term ?? 0;
    const entries = this.#mistakes.sendsNoEntries ? [] : log.slice(after);
    if (this.#mistakes.sendsNoEntries) next[peer] = matched[peer] = log.length;
    this.#say(peer, { type: 'append', term, after, afterTerm, entries, committed });
  }

  #awaitLeader(): void {
    this.#self.setTimer('election', ELECTION_US + this.#self.draw(ELECTION_US));
  }

  #persist(): void {
    if (this.#mistakes.keepsNothing) return;
    const { term, votedFor, log } = this.state;
    this.state.writes++;
    this.#self.store('state', { term, votedFor, log } as unknown as Json);
  }

  #say(to: number, message: RaftMessage): void {
    const { state } = this;
    if (state.durable < state.writes) state.outbox.push({ after: state.writes, to, message });
    else this.#deliver(to, message);
  }

  #deliver(to: number, message: RaftMessage): void {
    if (to === this.#self.member) this.onMessage(to, message);
    else this.#self.send(to, message);
  }

  #others(): number[] {
    return this.#self.members.filter((member) => member !== this.#self.member);
  }
}

/** At most one leader a term (section 5.2). */
export const electionSafety: StateInvariant<RaftState> = {
  name: 'Election Safety',
  holds: (states) => {
    const leaders = states.filter((state) => state?.role === 'leader').map((state) => state?.term);
    const twice = leaders.find((term, i) => leaders.indexOf(term) !== i);
    return twice === undefined ? true : `two members lead in term ${twice}`;
  },
};

/** What is committed agrees (section 5.4.3): looked at where the shorter of two ends, for the rest follows from that. */
export const stateMachineSafety: StateInvariant<RaftState> = {
  name: 'State Machine Safety',
  holds: (states) => {
    const running = states.filter((state) => state !== null);
    for (const a of running) {
      const last = Math.min(a.committed, a.log.length);
      const id = a.log[last - 1]?.id;
      const other = running.find((b) => Math.min(b.committed, b.log.length) >= last && b.log[last - 1]?.id !== id);
      if (other !== undefined) return `entry ${last} is committed as question ${id} and as ${other.log[last - 1]?.id}`;
    }
    return true;
  },
};

/**
 * What a healed cluster owes: one leader, and its log everywhere. Not that all of it is committed: as in the text, a
 * leader begins its term with no entry of its own (section 8), so old entries wait for the next client.
 */
export function whatLags(states: readonly RaftState[]): string | null {
  const leaders = states.filter(({ role }) => role === 'leader').length;
  if (leaders !== 1) return `${leaders} members lead`;
  return new Set(states.map(({ log }) => JSON.stringify(log))).size === 1 ? null : 'the members have different logs';
}
