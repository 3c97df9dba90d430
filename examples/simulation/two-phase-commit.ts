/**
 * Two-phase commit (Gray, 1978; presumed abort: Mohan and Lindsay, 1983). Member 1 coordinates. A member votes yes only
 * once it has stored that it will; the coordinator tells a decision only once it has stored it; who is in doubt asks.
 *
 *   npx polder hunt --scenario examples/simulation/two-phase-commit.ts --seeds 1000
 *
 * Nothing is found. With a `haste` (a yes, or a decision, that leaves before it is stored) something is.
 */
import {
  type Always,
  blackout,
  crash,
  direct,
  disk,
  milliseconds,
  network,
  type Participant,
  type ParticipantTypes,
  participants,
  partition,
  pause,
  type Scenario,
  type Self,
  scenario,
  seconds,
  swarm,
} from '@polder/core/simulation';

type Json = Parameters<Self<Message>['ok']>[1];
type Operation = Parameters<Participant<Message>['onOperation']>[1];
type Decision = 'commit' | 'abort';

type Message =
  | { readonly type: 'prepare'; readonly transaction: number }
  | { readonly type: 'vote'; readonly transaction: number; readonly yes: boolean }
  | { readonly type: 'decide'; readonly transaction: number; readonly decision: Decision }
  | { readonly type: 'ask'; readonly transaction: number };

interface Transaction {
  prepared: boolean;
  decision: Decision | null;
  /** At the coordinator: who has voted yes, and which client waits. */
  votes: number[];
  client: number;
}

interface State {
  transactions: { [transaction: string]: Transaction };
}

const COORDINATOR = 1;
const PATIENCE_US = milliseconds(300);

/** What does not wait for the disk. */
export type Haste = 'none' | 'vote' | 'decision';

class Member implements Participant<Message> {
  state: State = { transactions: {} };
  readonly #self: Self<Message>;
  readonly #haste: Haste;

  constructor(self: Self<Message>, haste: Haste) {
    this.#self = self;
    this.#haste = haste;
  }

  onStart(stored: Readonly<Record<string, Json>>): void {
    for (const [name, value] of Object.entries(stored)) {
      const [what, transaction] = name.split(' ') as [string, string];
      const known = this.#of(Number(transaction));
      if (what === 'prepared') known.prepared = true;
      else known.decision = value as Decision;
    }
    this.#self.setTimer('ask', PATIENCE_US);
  }

  onOperation(id: number, { value }: Operation): void {
    if (this.#self.member !== COORDINATOR) return this.#self.fail(id, 'not the coordinator');
    const transaction = Number(value);
    this.#of(transaction).client = id;
    this.#self.broadcast({ type: 'prepare', transaction });
    this.#self.setTimer(`give up ${transaction}`, PATIENCE_US);
  }

  onMessage(from: number, message: Message): void {
    const { transaction } = message;
    const known = this.#of(transaction);
    switch (message.type) {
      case 'prepare':
        if (known.decision !== null) return;
        // Some say no.
        if (this.#self.draw(8) === 0 && !known.prepared)
          return this.#self.send(from, { type: 'vote', transaction, yes: false });
        this.#self.store(`prepared ${transaction}`, true);
        if (this.#haste === 'vote') this.onStored(`prepared ${transaction}`);
        return;
      case 'vote':
        if (!message.yes) return this.#decide(transaction, 'abort');
        if (!known.votes.includes(from)) known.votes.push(from);
        if (known.votes.length === this.#self.members.length - 1) this.#decide(transaction, 'commit');
        return;
      case 'decide':
        if (known.decision === null) this.#self.store(`decided ${transaction}`, message.decision);
        known.decision ??= message.decision;
        return;
      case 'ask':
        // A coordinator that remembers nothing has not decided to commit, and from now on never will.
        if (known.decision === null && known.client === 0) this.#decide(transaction, 'abort');
        else if (known.decision !== null)
          this.#self.send(from, { type: 'decide', transaction, decision: known.decision });
        return;
    }
  }

  onStored(name: string): void {
    const [what, transaction] = name.split(' ') as [string, string];
    const known = this.#of(Number(transaction));
    if (what === 'prepared') {
      known.prepared = true;
      return this.#self.send(COORDINATOR, { type: 'vote', transaction: Number(transaction), yes: true });
    }
    if (this.#self.member !== COORDINATOR || known.decision === null) return;
    this.#self.broadcast({ type: 'decide', transaction: Number(transaction), decision: known.decision });
    if (known.client !== 0) this.#self.ok(known.client, known.decision);
  }

  onTimer(name: string): void {
    if (name !== 'ask') return this.#decide(Number(name.split(' ').at(-1)), 'abort');
    for (const [transaction, { prepared, decision }] of Object.entries(this.state.transactions)) {
      if (prepared && decision === null)
        this.#self.send(COORDINATOR, { type: 'ask', transaction: Number(transaction) });
    }
    this.#self.setTimer('ask', PATIENCE_US);
  }

  /** At the coordinator; the first decision stands. */
  #decide(transaction: number, decision: Decision): void {
    const known = this.#of(transaction);
    if (known.decision !== null) return;
    known.decision = decision;
    this.#self.store(`decided ${transaction}`, decision);
    if (this.#haste === 'decision') this.onStored(`decided ${transaction}`);
  }

  #of(transaction: number): Transaction {
    const { transactions } = this.state;
    transactions[transaction] ??= { prepared: false, decision: null, votes: [], client: 0 };
    return transactions[transaction];
  }
}

/** What was told to anyone: of one transaction all members decide the same (Gray's atomic commitment). */
const agreement: Always<ParticipantTypes> = {
  name: 'Agreement',
  holds: ({ simulation }) => {
    const decided = new Map<string, Decision>();
    for (const status of simulation.status()) {
      if (status === null || status.member === COORDINATOR) continue;
      for (const [transaction, { decision }] of Object.entries((status.state as State).transactions)) {
        if (decision === null) continue;
        const other = decided.get(transaction) ?? decision;
        if (other !== decision) return `transaction ${transaction} is decided as ${decision} and as ${other}`;
        decided.set(transaction, decision);
      }
    }
    return true;
  },
};

/** Whoever voted yes comes to know the decision; so what is committed is committed by all. */
function whatIsMissing(states: readonly State[]): string | null {
  for (const { transactions } of states) {
    for (const [transaction, { prepared, decision }] of Object.entries(transactions)) {
      if (prepared && decision === null) return `transaction ${transaction} leaves a member in doubt`;
      const commits = states.filter((state) => state.transactions[transaction]?.decision === 'commit').length;
      if (decision === 'commit' && commits < states.length) return `transaction ${transaction} is not committed by all`;
    }
  }
  return null;
}

export function twoPhaseCommit(haste: Haste = 'none'): Scenario<ParticipantTypes> {
  return scenario({
    replicas: participants<Message, State>({
      name: 'two-phase-commit',
      members: 4,
      messages: ['prepare', 'vote', 'decide', 'ask'],
      create: (self) => new Member(self, haste),
      settled: (states) => whatIsMissing(states.filter((state) => state !== null)),
    }),
    clients: 2,
    thinkUs: milliseconds(100),
    paceUs: PATIENCE_US,
  })
    .workload(direct('transactions', 'none', ({ fresh }) => ({ f: 'commit', key: '', value: fresh() })))
    .faults(swarm(partition(), network.any(), crash(), blackout(), pause(), disk.slow()))
    .always(agreement)
    .sometimes('a member is in doubt', ({ simulation }) =>
      simulation.status().some((status) => {
        const transactions = Object.values((status?.state as State | undefined)?.transactions ?? {});
        return transactions.some(({ prepared, decision }) => prepared && decision === null);
      }),
    )
    .eventually('nobody is in doubt', { withinUs: seconds(5) });
}

export default twoPhaseCommit();
