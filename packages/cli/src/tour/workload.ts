/** The clients that go on reading and writing while the tour breaks things. */
import { MemberClient } from '../kv/member-client.ts';
import { type OperationOutcome, RecordedClient } from './recorded-client.ts';
import type { Recorder } from './recorder.ts';

const REGISTER_CLIENTS = 5;
const KEYS_AT_A_TIME = 4;
/** New keys every so often keep each key's history, and so its search, short. */
const KEY_GROUP_MS = 3_000;
const THINK_MS = 20;
const LEDGER_THINK_MS = 60;
const AFTER_FAILURE_MS = 150;
const OPERATION_TIMEOUT_MS = 1_500;

export class Workload {
  readonly #recorder: Recorder;
  readonly #urls: readonly string[];
  readonly #prefix: string;
  readonly #startedMs = performance.now();
  /** Keys that are written once and never again: each acknowledged one must be there at the end, with this value. */
  readonly #ledger = new Map<string, string>();
  readonly #keys = new Set<string>();
  #clients: Promise<void>[] = [];
  #running = false;
  #values = 0;

  constructor(recorder: Recorder, urls: readonly string[], prefix: string) {
    this.#recorder = recorder;
    this.#urls = urls;
    this.#prefix = prefix;
  }

  get ledger(): ReadonlyMap<string, string> {
    return this.#ledger;
  }

  get keys(): ReadonlySet<string> {
    return this.#keys;
  }

  start(): void {
    this.#running = true;
    const loops = Array.from({ length: REGISTER_CLIENTS }, (_, n) => this.#loop(n, THINK_MS, this.#registers()));
    this.#clients = [...loops, this.#loop(REGISTER_CLIENTS, LEDGER_THINK_MS, this.#ledgerWriter())];
  }

  /** Until every client has heard back about what it had under way. */
  async pause(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }

  /** A key and a value that nobody has used. Noted as acknowledged by the caller, once it is. */
  fresh(): { key: string; value: string } {
    this.#values++;
    const key = `${this.#prefix}once/${String(this.#values).padStart(6, '0')}`;
    this.#keys.add(key);
    return { key, value: `v${this.#values}` };
  }

  acknowledged(key: string, value: string): void {
    this.#ledger.set(key, value);
  }

  /** Each client stays with one member until that fails it. */
  async #loop(
    n: number,
    thinkMs: number,
    operate: (client: RecordedClient, member: MemberClient) => Promise<OperationOutcome>,
  ): Promise<void> {
    const client = new RecordedClient(this.#recorder);
    const members = this.#urls.map((url) => new MemberClient(url));
    let at = n % members.length;
    while (this.#running) {
      const outcome = await operate(client, members[at] as MemberClient);
      const failed = outcome.type === 'info' || (outcome.type === 'fail' && outcome.failure !== null);
      if (failed) at = (at + 1) % members.length;
      await sleep(failed ? AFTER_FAILURE_MS : thinkMs);
    }
    await Promise.all(members.map((member) => member.close()));
  }

  /** Reads, writes and compare-and-sets over the present few keys; every value is new. */
  #registers(): (client: RecordedClient, member: MemberClient) => Promise<OperationOutcome> {
    const seen = new Map<string, string>();
    return async (client, member) => {
      const group = Math.floor((performance.now() - this.#startedMs) / KEY_GROUP_MS);
      const key = `${this.#prefix}register/${group}/${Math.floor(Math.random() * KEYS_AT_A_TIME)}`;
      this.#keys.add(key);
      const dice = Math.random();
      const old = seen.get(key);
      let outcome: OperationOutcome;
      if (dice < 0.3) {
        this.#values++;
        outcome = await client.write(member, key, `v${this.#values}`, OPERATION_TIMEOUT_MS);
      } else if (dice < 0.6 && old !== undefined) {
        this.#values++;
        outcome = await client.cas(member, key, old, `v${this.#values}`, OPERATION_TIMEOUT_MS);
      } else {
        outcome = await client.read(member, key, OPERATION_TIMEOUT_MS);
      }
      if (outcome.type === 'ok' && outcome.value !== null) seen.set(key, outcome.value);
      else seen.delete(key);
      return outcome;
    };
  }

  #ledgerWriter(): (client: RecordedClient, member: MemberClient) => Promise<OperationOutcome> {
    return async (client, member) => {
      const { key, value } = this.fresh();
      const outcome = await client.write(member, key, value, OPERATION_TIMEOUT_MS);
      if (outcome.type === 'ok') this.acknowledged(key, value);
      return outcome;
    };
  }
}

export function sleep(delayMs: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, delayMs));
}
