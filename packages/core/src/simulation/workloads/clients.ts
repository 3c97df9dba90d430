import { assert, defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { HistoryEvent } from '../../checkers/index.ts';
import type { Completion, Json, ProtocolTypes } from '../protocol.ts';
import type { Actor, Simulation } from '../simulation.ts';
import { CONCERN } from '../world/random-streams.ts';
import type { Intent, Workload } from './workload.ts';

export interface ClientsOptions<Request> {
  readonly clients: number;
  readonly workload: Workload<Request>;
  /** Between an answer and the next question, at most. */
  readonly thinkUs: number;
  /** A client that waited for long gives up, at most this long: its operation may or may not have happened. */
  readonly timeoutUs: number;
  readonly onOperation: (operation: ScriptedOperation) => void;
  readonly onEvent: (event: HistoryEvent) => void;
}

/** An operation as a trace keeps it: which client asked which member for what. */
export interface ScriptedOperation extends Intent {
  readonly client: number;
  readonly member: number;
  /** How long the client waits. */
  readonly timeoutUs: number;
}

interface Client {
  process: number;
  /** null: it thinks. */
  intent: Intent | null;
  member: number;
  /** The last operation failed there: the next one is tried at the next member. */
  leaves: boolean;
  /** The simulation's id of the question that it waits for. */
  waitsFor: number;
  /** The question may have changed something, whatever its answer. */
  changes: boolean;
  answers: Json[];
  /** Counts operations: a timer of an earlier one means nothing. */
  turn: number;
  /** What it last did with success, one for each key. */
  known: { readonly key: string; readonly f: string; readonly value: Json }[];
}

/** Far above what clients write. */
const PROBER_VALUES = 1_000_000_000;

/**
 * Clients that do one thing at a time at any member, and write down what they did and what they heard. A client
 * whose question stays open goes on under another process number, as a history's rules want.
 */
export class Clients<Types extends ProtocolTypes> implements Actor<Types['outcome']> {
  readonly #simulation: Simulation<Types>;
  readonly #options: ClientsOptions<Types['request']>;
  readonly #owner: number;
  #clients: Client[];
  #history: HistoryEvent[] = [];
  #lastValue = 0;
  /** They think of operations by themselves; otherwise they do what they are told. */
  #active = false;
  #concern: number = CONCERN.client;

  constructor(simulation: Simulation<Types>, options: ClientsOptions<Types['request']>) {
    this.#simulation = simulation;
    this.#options = options;
    this.#owner = simulation.attach(this);
    this.#clients = Array.from({ length: options.clients }, (_, process) => ({
      process,
      intent: null,
      member: 1 + (process % simulation.size),
      leaves: false,
      waitsFor: 0,
      changes: false,
      answers: [],
      turn: 0,
      known: [],
    }));
  }

  get history(): readonly HistoryEvent[] {
    return this.#history;
  }

  /** Whether any client still waits for an answer. */
  get waiting(): boolean {
    return this.#clients.some((client) => client.intent !== null);
  }

  /** As `prober` they draw from streams and values of their own: the same after a run as after its trace. */
  begin(as: 'client' | 'prober' = 'client'): void {
    this.#active = true;
    this.#concern = as === 'client' ? CONCERN.client : CONCERN.prober;
    if (as === 'prober') this.#lastValue = Math.max(this.#lastValue, PROBER_VALUES);
    for (const [i, client] of this.#clients.entries()) if (client.intent === null) this.#think(i);
  }

  /** From now on no client begins an operation. */
  stop(): void {
    this.#active = false;
  }

  /** A client begins this operation now. One that still waits gives up on what it asked before. */
  perform(operation: ScriptedOperation): void {
    const client = this.#client(operation.client);
    if (client.intent !== null) this.#finish(operation.client, client, 'info', client.intent.value);
    this.#begin(client, operation);
  }

  onTimer(token: number): void {
    const i = token % this.#options.clients;
    const client = this.#client(i);
    if (client.turn !== Math.floor(token / this.#options.clients)) return;
    if (client.intent !== null) this.#finish(i, client, client.changes ? 'info' : 'fail', client.intent.value);
    else if (this.#active) this.#decide(i, client);
  }

  onOutcome(id: number, outcome: Types['outcome']): void {
    const i = this.#clients.findIndex((client) => client.waitsFor === id);
    if (i < 0) return;
    const client = this.#client(i);
    client.waitsFor = 0;
    const { completion, value } = this.#simulation.protocol.answerOf(outcome);
    if (completion === 'ok') {
      client.answers.push(value);
      return this.#goOn(i, client);
    }
    this.#finish(i, client, completion === 'info' && client.changes ? 'info' : 'fail', null);
  }

  save(writer: ByteWriter): void {
    const [clients, history, lastValue] = [this.#clients, this.#history, this.#lastValue];
    writer.string(JSON.stringify({ clients, history, lastValue, active: this.#active, concern: this.#concern }));
  }

  load(reader: ByteReader): void {
    const saved = JSON.parse(reader.string());
    this.#clients = saved.clients;
    this.#history = saved.history;
    this.#lastValue = saved.lastValue;
    this.#active = saved.active;
    this.#concern = saved.concern;
  }

  #decide(i: number, client: Client): void {
    const draw = (bound: number): number => this.#simulation.decisions.below(this.#concern, i, bound);
    // Connections last: most questions go where the last one went, while they are answered.
    const { size } = this.#simulation;
    const elsewhere = client.leaves ? 1 + (client.member % size) : 1 + draw(size);
    const member = draw(4) > 0 && !client.leaves ? client.member : elsewhere;
    const { timeoutUs: longestUs } = this.#options;
    const timeoutUs = (longestUs >> 2) + draw(longestUs - (longestUs >> 2));
    const intent = this.#options.workload.begin({
      draw,
      fresh: () => ++this.#lastValue,
      known: (key) => client.known.find((done) => done.key === key) ?? null,
      last: () => client.known.at(-1) ?? null,
    });
    const { f, key, value } = intent;
    this.#begin(client, { client: i, member, timeoutUs, f, key, value });
  }

  #begin(client: Client, operation: ScriptedOperation): void {
    this.#options.onOperation(operation);
    const { client: i, member, timeoutUs, f, key, value } = operation;
    client.intent = { f, key, value };
    client.member = member;
    client.answers = [];
    client.changes = false;
    client.turn++;
    this.#record(client, 'invoke', value);
    this.#simulation.timer(this.#owner, this.#simulation.nowUs + timeoutUs, this.#token(i, client));
    this.#goOn(i, client);
  }

  /** The next request of the operation, or its end. */
  #goOn(i: number, client: Client): void {
    const intent = defined(client.intent ?? undefined, 'a client that goes on has something in hand');
    const step = this.#options.workload.next(intent, client.answers);
    if (step.type === 'done') return this.#finish(i, client, step.completion, step.value);
    client.waitsFor = this.#simulation.ask(client.member, step.request);
    // Refused at the door: nothing can have happened.
    if (client.waitsFor === 0) return this.#finish(i, client, 'fail', null);
    client.changes = step.changes;
  }

  #finish(i: number, client: Client, type: Completion, value: Json): void {
    assert(client.intent !== null, 'only what was begun ends');
    this.#record(client, type, type === 'ok' ? value : client.intent.value);
    if (type === 'ok') this.#remember(client, client.intent, value);
    client.leaves = type !== 'ok';
    if (type === 'info') client.process += this.#options.clients;
    client.intent = null;
    client.waitsFor = 0;
    if (this.#active) this.#think(i);
  }

  #remember(client: Client, { f, key }: Intent, value: Json): void {
    client.known = client.known.filter((done) => done.key !== key);
    client.known.push({ key, f, value });
  }

  #think(i: number): void {
    const client = this.#client(i);
    client.turn++;
    const thinkUs = 1 + this.#simulation.decisions.below(this.#concern, i, this.#options.thinkUs);
    this.#simulation.timer(this.#owner, this.#simulation.nowUs + thinkUs, this.#token(i, client));
  }

  #token(i: number, client: Client): number {
    return client.turn * this.#options.clients + i;
  }

  #record(client: Client, type: HistoryEvent['type'], value: Json): void {
    const { f, key } = defined(client.intent ?? undefined, 'what is recorded belongs to an operation');
    const { process } = client;
    const time = this.#simulation.nowUs;
    const event = { index: this.#history.length, process, type, f, key, value, time } as HistoryEvent;
    this.#history.push(event);
    this.#options.onEvent(event);
  }

  #client(i: number): Client {
    return defined(this.#clients[i], 'a client has a number from 0 to n - 1');
  }
}
