/**
 * A register on a primary and its backup, as one might write it on a Friday: the primary answers a write once the
 * backup has it; a backup that hears nothing for a while takes over. Try it:
 *
 *   npx polder hunt --scenario examples/simulation/primary-backup.ts --seeds 100
 *
 * The simulator finds within a few seeds that silence is not death: cut off from each other, both serve.
 */
import {
  clock,
  crash,
  direct,
  linearizable,
  milliseconds,
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

type Message =
  | { readonly type: 'ping' }
  | { readonly type: 'update'; readonly id: number; readonly value: Json }
  | { readonly type: 'updated'; readonly id: number };

interface State {
  role: 'primary' | 'backup';
  value: Json;
  /** Writes that wait for the backup. */
  waiting: { id: number; value: Json }[];
}

const PING_US = milliseconds(50);
const SILENCE_US = milliseconds(200);

class Server implements Participant<Message> {
  state: State = { role: 'backup', value: null, waiting: [] };
  readonly #self: Self<Message>;

  constructor(self: Self<Message>) {
    this.#self = self;
  }

  get #other(): number {
    return this.#self.member === 1 ? 2 : 1;
  }

  onStart(stored: Readonly<Record<string, Json>>): void {
    this.state.value = stored['value'] ?? null;
    // Member 1 begins as the primary, unless it comes back from a crash: then the other has taken over.
    if (this.#self.member === 1 && stored['started'] === undefined) this.#lead();
    else this.#self.setTimer('silence', SILENCE_US);
    this.#self.store('started', true);
  }

  onMessage(from: number, message: Message): void {
    switch (message.type) {
      case 'ping':
        if (this.state.role === 'backup') this.#self.setTimer('silence', SILENCE_US);
        return;
      case 'update':
        this.state.value = message.value;
        this.#self.store('value', message.value);
        return this.#self.send(from, { type: 'updated', id: message.id });
      case 'updated':
        for (const { id, value } of this.state.waiting) if (id === message.id) this.#finish(id, value);
        this.state.waiting = this.state.waiting.filter(({ id }) => id !== message.id);
        return;
    }
  }

  onOperation(id: number, { f, value }: Operation): void {
    if (this.state.role !== 'primary') return this.#self.fail(id, 'not the primary');
    if (f === 'read') return this.#self.ok(id, this.state.value);
    this.state.waiting.push({ id, value });
    this.#self.send(this.#other, { type: 'update', id, value });
    // A backup that does not answer is taken for dead, and the write for done.
    this.#self.setTimer(`write ${id}`, SILENCE_US);
  }

  onTimer(name: string): void {
    if (name === 'silence') return this.#lead();
    if (name === 'ping') return this.#ping();
    const waiting = this.state.waiting.find(({ id }) => name === `write ${id}`);
    if (waiting !== undefined) this.onMessage(this.#other, { type: 'updated', id: waiting.id });
  }

  #finish(id: number, value: Json): void {
    this.state.value = value;
    this.#self.store('value', value);
    this.#self.ok(id, value);
  }

  #lead(): void {
    this.state.role = 'primary';
    this.#ping();
  }

  #ping(): void {
    this.#self.send(this.#other, { type: 'ping' });
    this.#self.setTimer('ping', PING_US);
  }
}

const primaryBackup: Scenario<ParticipantTypes> = scenario({
  replicas: participants<Message, State>({
    name: 'primary-backup',
    members: 2,
    messages: ['ping', 'update', 'updated'],
    create: (self) => new Server(self),
    leads: (state) => state.role === 'primary',
  }),
  clients: 3,
  paceUs: SILENCE_US,
})
  .workload(
    direct('register', 'register', ({ draw, fresh }) =>
      draw(2) === 0 ? { f: 'read', key: 'x', value: null } : { f: 'write', key: 'x', value: fresh() },
    ),
  )
  .faults(swarm(partition('split'), crash(), pause(), clock.drift(500)))
  .sometimes('the backup has taken over', ({ simulation }) => simulation.member(2).status()?.leads === true)
  .eventually('nothing is left to do', { withinUs: seconds(1) })
  .check(linearizable());

export default primaryBackup;
