import { assert, defined } from '../base/assert.ts';
import { type ByteReader, type ByteWriter, text, utf8 } from '../base/bytes.ts';
import type { HistoryEvent } from '../checkers/index.ts';
import type { KvRequest, KvResult } from '../kv/index.ts';
import type { Actor, Outcome, SimulatedCluster } from './cluster.ts';
import { CONCERN } from './random-streams.ts';

export interface ClientsOptions {
  readonly clients: number;
  /** Few keys, so that operations meet. */
  readonly keys: number;
  /** Between an answer and the next question, at most. */
  readonly thinkUs: number;
  /** A client that waited this long gives up: its operation may or may not have happened. */
  readonly timeoutUs: number;
}

type Kind = HistoryEvent['f'];

interface Client {
  process: number;
  /** The cluster's id of what it waits for; 0 = it thinks. */
  waitsFor: number;
  /** Counts operations: a timer of an earlier one means nothing. */
  turn: number;
  f: Kind;
  key: string;
  value: unknown;
  /** What it last saw in each key; it compares with that. */
  known: (number | null)[];
}

/**
 * Clients that ask one thing at a time of any member, and write down what they asked and what they heard. A client
 * whose question stays open goes on under another process number, as a history's rules want.
 */
export class SimulatedClients implements Actor {
  readonly #cluster: SimulatedCluster;
  readonly #options: ClientsOptions;
  readonly #owner: number;
  #clients: Client[];
  #history: HistoryEvent[] = [];
  #lastValue = 0;
  #active = true;

  constructor(cluster: SimulatedCluster, options: ClientsOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#owner = cluster.attach(this);
    this.#clients = Array.from({ length: options.clients }, (_, process) => ({
      process,
      waitsFor: 0,
      turn: 0,
      f: 'read',
      key: '',
      value: null,
      known: Array.from({ length: options.keys }, () => null),
    }));
    for (let i = 0; i < options.clients; i++) this.#think(i);
  }

  get history(): readonly HistoryEvent[] {
    return this.#history;
  }

  /** Whether any client still waits for an answer. */
  get waiting(): boolean {
    return this.#clients.some((client) => client.waitsFor !== 0);
  }

  /** From now on no client begins an operation. */
  stop(): void {
    this.#active = false;
  }

  onTimer(token: number): void {
    const i = token % this.#options.clients;
    const client = this.#client(i);
    if (client.turn !== Math.floor(token / this.#options.clients)) return;
    if (client.waitsFor === 0) {
      if (this.#active) this.#ask(i, client);
      return;
    }
    this.#finish(i, client, client.f === 'read' ? 'fail' : 'info', client.value);
  }

  onOutcome(id: number, outcome: Outcome): void {
    const i = this.#clients.findIndex((client) => client.waitsFor === id);
    if (i >= 0) this.#hear(i, this.#client(i), outcome);
  }

  save(writer: ByteWriter): void {
    const [clients, history, lastValue, active] = [this.#clients, this.#history, this.#lastValue, this.#active];
    writer.string(JSON.stringify({ clients, history, lastValue, active }));
  }

  load(reader: ByteReader): void {
    const saved = JSON.parse(reader.string());
    this.#clients = saved.clients;
    this.#history = saved.history;
    this.#lastValue = saved.lastValue;
    this.#active = saved.active;
  }

  #ask(i: number, client: Client): void {
    const member = 1 + this.#below(i, this.#cluster.size);
    const k = this.#below(i, this.#options.keys);
    const known = client.known[k] ?? null;
    const dice = this.#below(i, 10);
    client.f = dice < 4 ? 'read' : dice < 7 || known === null ? 'write' : 'cas';
    client.key = `key-${k}`;
    client.value = client.f === 'read' ? null : client.f === 'write' ? ++this.#lastValue : [known, ++this.#lastValue];
    this.#record(client, 'invoke', client.value);
    const request = requestOf(client);
    client.waitsFor =
      client.f === 'read' ? this.#cluster.read(member, request) : this.#cluster.propose(member, request);
    const outcome = this.#cluster.outcome(client.waitsFor);
    if (outcome.type !== 'pending') return this.#hear(i, client, outcome);
    client.turn++;
    this.#cluster.timer(this.#owner, this.#cluster.nowUs + this.#options.timeoutUs, this.#token(i, client));
  }

  #hear(i: number, client: Client, outcome: Outcome): void {
    switch (outcome.type) {
      case 'rejected': {
        const unknown = outcome.reason === 'Unknown' && client.f !== 'read';
        return this.#finish(i, client, unknown ? 'info' : 'fail', client.value);
      }
      case 'answer':
        return this.#finish(i, client, 'ok', valueOf(outcome.answer));
      case 'applied':
        return this.#finish(i, client, tookEffect(outcome.result) ? 'ok' : 'fail', client.value);
      case 'pending':
        assert(false, 'an outcome that is heard is no longer pending');
    }
  }

  #finish(i: number, client: Client, type: 'ok' | 'fail' | 'info', value: unknown): void {
    this.#record(client, type, value);
    if (type === 'ok') this.#remember(client, value);
    if (type === 'info') client.process += this.#options.clients;
    client.waitsFor = 0;
    this.#think(i);
  }

  #remember(client: Client, value: unknown): void {
    const k = Number(client.key.slice('key-'.length));
    const seen: unknown = Array.isArray(value) ? value[1] : value;
    client.known[k] = typeof seen === 'number' ? seen : null;
  }

  #think(i: number): void {
    const client = this.#client(i);
    client.turn++;
    const atUs = this.#cluster.nowUs + 1 + this.#below(i, this.#options.thinkUs);
    this.#cluster.timer(this.#owner, atUs, this.#token(i, client));
  }

  #token(i: number, client: Client): number {
    return client.turn * this.#options.clients + i;
  }

  #record(client: Client, type: HistoryEvent['type'], value: unknown): void {
    const { process, f, key } = client;
    this.#history.push({ index: this.#history.length, process, type, f, key, value, time: this.#cluster.nowUs });
  }

  #below(i: number, bound: number): number {
    return this.#cluster.random.below(CONCERN.client, i, bound);
  }

  #client(i: number): Client {
    return defined(this.#clients[i], 'a client has a number from 0 to n - 1');
  }
}

function requestOf(client: Client): KvRequest {
  const key = utf8(client.key);
  if (client.f === 'read') return { type: 'range', key };
  if (client.f === 'write') return { type: 'put', key, value: utf8(String(client.value)) };
  const [old, next] = client.value as [number, number];
  return {
    type: 'txn',
    compare: [{ key, target: 'value', result: 'equal', value: utf8(String(old)) }],
    success: [{ type: 'put', key, value: utf8(String(next)) }],
    failure: [],
  };
}

function valueOf(answer: KvResult): number | null {
  assert(answer.type === 'ok' && answer.response.type === 'range', 'a range is answered as a range');
  const kv = answer.response.kvs[0];
  return kv === undefined ? null : Number(text(kv.value));
}

/** A comparison that did not hold is a certain failure: nothing was written. */
function tookEffect(result: KvResult): boolean {
  assert(result.type === 'ok', 'a put or a transaction of the clients is well formed');
  return result.response.type !== 'txn' || result.response.succeeded;
}
