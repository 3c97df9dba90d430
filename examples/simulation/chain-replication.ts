/**
 * Chain replication (van Renesse and Schneider, OSDI 2004) over a fixed chain: writes enter at the head and travel to the
 * tail, which answers reads. An update is forwarded once it is stored, and acknowledged once the tail has stored it.
 *
 *   npx polder hunt --scenario examples/simulation/chain-replication.ts --seeds 1000
 *
 * Nothing is found. With a `mistake` something is: docs/SIMULATION.md walks through finding one.
 */
import {
  blackout,
  clock,
  crash,
  direct,
  disk,
  type Intent,
  type Json,
  linearizable,
  milliseconds,
  network,
  type Participant,
  type ParticipantTypes,
  participants,
  partition,
  pause,
  type Scenario,
  type Self,
  type States,
  scenario,
  seconds,
  swarm,
} from '@polder/core/simulation';

interface Update {
  readonly key: string;
  readonly value: Json;
}

/** Updates are numbered from 1, by the head. */
type Message =
  | { readonly type: 'update'; readonly number: number; readonly update: Update }
  /** The tail has stored everything up to this one. */
  | { readonly type: 'acknowledge'; readonly through: number };

interface State {
  /** False until what was stored has been read. */
  started: boolean;
  updates: Update[];
  /** So many of them are durable here, and so many at the tail. */
  stored: number;
  acknowledged: number;
  /** At the head: clients that wait for their update to reach the tail. */
  waiting: { readonly id: number; readonly number: number; readonly value: Json }[];
}

export type Mistake =
  | 'none'
  /** Whoever is asked answers a read. */
  | 'reads anywhere'
  /** An update travels on before it is stored: a head that loses power gives its number to another one. */
  | 'forwards early'
  /** The head answers a write once it has stored it itself. */
  | 'answers early';

const RESEND_US = milliseconds(50);

class Link implements Participant<Message> {
  state: State = { started: false, updates: [], stored: 0, acknowledged: 0, waiting: [] };
  readonly #self: Self<Message>;
  readonly #mistake: Mistake;

  constructor(self: Self<Message>, mistake: Mistake) {
    this.#self = self;
    this.#mistake = mistake;
  }

  onStart(stored: Readonly<Record<string, Json>>): void {
    const count = Object.keys(stored).length;
    for (let number = 1; number <= count; number++)
      this.state.updates.push(stored[nameOf(number)] as unknown as Update);
    this.state.stored = count;
    this.state.started = true;
    this.#self.setTimer('resend', RESEND_US);
  }

  onOperation(id: number, { f, key, value }: Intent): void {
    if (f === 'read') {
      if (!this.#isTail && this.#mistake !== 'reads anywhere') return this.#self.fail(id, 'not the tail');
      return this.#self.ok(id, this.#valueOf(key));
    }
    if (!this.#isHead) return this.#self.fail(id, 'not the head');
    this.#append({ key, value });
    this.state.waiting.push({ id, number: this.state.updates.length, value });
  }

  onMessage(_from: number, message: Message): void {
    switch (message.type) {
      case 'update':
        // In order and once; whatever is missing comes again.
        if (message.number === this.state.updates.length + 1) this.#append(message.update);
        else if (this.#isTail) this.#acknowledge(this.state.stored);
        return;
      case 'acknowledge':
        return this.#acknowledge(message.through);
    }
  }

  onStored(name: string): void {
    const number = numberOf(name);
    this.state.stored = number;
    if (this.#mistake !== 'forwards early') this.#forward(number);
    if (this.#isTail) this.#acknowledge(number);
    else if (this.#isHead && this.#mistake === 'answers early') this.#answer(number);
  }

  onTimer(): void {
    for (let number = this.state.acknowledged + 1; number <= this.state.stored; number++) this.#forward(number);
    this.#self.setTimer('resend', RESEND_US);
  }

  get #isHead(): boolean {
    return this.#self.member === 1;
  }

  get #isTail(): boolean {
    return this.#self.member === this.#self.members.length;
  }

  #append(update: Update): void {
    const number = this.state.updates.push(update);
    this.#self.store(nameOf(number), { key: update.key, value: update.value });
    if (this.#mistake === 'forwards early') this.#forward(number);
  }

  #forward(number: number): void {
    const update = this.state.updates[number - 1];
    if (this.#isTail || update === undefined) return;
    this.#self.send(this.#self.member + 1, { type: 'update', number, update });
  }

  #acknowledge(through: number): void {
    this.state.acknowledged = Math.max(this.state.acknowledged, through);
    if (!this.#isHead) return this.#self.send(this.#self.member - 1, { type: 'acknowledge', through });
    this.#answer(through);
  }

  #answer(through: number): void {
    const { waiting } = this.state;
    this.state.waiting = waiting.filter(({ number }) => number > through);
    for (const { id, number, value } of waiting) if (number <= through) this.#self.ok(id, value);
  }

  /** What was last stored here. */
  #valueOf(key: string): Json {
    const { updates, stored } = this.state;
    return updates.slice(0, stored).findLast((update) => update.key === key)?.value ?? null;
  }
}

function nameOf(number: number): string {
  return `update ${number}`;
}

function numberOf(name: string): number {
  return Number(name.slice('update '.length));
}

/** The paper's Update Propagation Invariant: whoever stands later in the chain has a prefix of what those before it have. */
function propagation(states: States<State>): true | string {
  const running = states.flatMap((state, i) => (state?.started === true ? [{ member: i + 1, state }] : []));
  for (const [i, { member, state }] of running.entries()) {
    const earlier = running[i - 1];
    if (earlier === undefined) continue;
    for (const [j, update] of state.updates.slice(0, state.stored).entries()) {
      const same = JSON.stringify(earlier.state.updates[j]) === JSON.stringify(update);
      if (!same) return `member ${member}'s update ${j + 1} is not that of member ${earlier.member}`;
    }
  }
  return true;
}

function whatIsMissing(states: States<State>): string | null {
  const last = states[0]?.updates.length ?? 0;
  const behind = states.findIndex((state) => state?.stored !== last || state.acknowledged !== last);
  return behind < 0 ? null : `member ${behind + 1} does not know that all ${last} updates are at the tail`;
}

export function chainReplication(mistake: Mistake = 'none', members = 3): Scenario<ParticipantTypes> {
  return scenario({
    replicas: participants<Message, State>({
      name: 'chain-replication',
      members,
      messages: ['update', 'acknowledge'],
      create: (self) => new Link(self, mistake),
      always: [{ name: 'Update Propagation', holds: propagation }],
      settled: whatIsMissing,
    }),
    clients: 4,
    paceUs: RESEND_US * 2,
  })
    .workload(
      direct('registers', 'register', ({ draw, fresh }) => {
        const key = `key-${draw(2)}`;
        return draw(2) === 0 ? { f: 'read', key, value: null } : { f: 'write', key, value: fresh() };
      }),
    )
    .faults(swarm(partition(), network.any(), crash(), blackout(), pause(), disk.slow(), clock.drift(500)))
    .sometimes('the tail is behind the head', ({ simulation }) => {
      const [head, tail] = [1, simulation.size].map((id) => simulation.member(id).status()?.state as State | undefined);
      return head !== undefined && tail !== undefined && tail.stored < head.stored;
    })
    .sometimes('an outcome is unknown', ({ operations }) => operations.info > 0)
    .eventually('every update is at the tail', { withinUs: seconds(5) })
    .check(linearizable());
}

export default chainReplication();
