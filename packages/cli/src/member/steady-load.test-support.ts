/** A light load on a cluster whose members come and go, recorded as the clients see it. */
import { clientUrl, readClusterFile } from '../cluster/cluster-file.ts';
import { MemberClient } from '../kv/member-client.ts';
import { type OperationOutcome, RecordedClient } from '../tour/recorded-client.ts';
import { Recorder } from '../tour/recorder.ts';
import { sleep } from '../tour/workload.ts';

const CLIENTS = 4;
const THINK_MS = 15;
const OPERATION_TIMEOUT_MS = 2_000;
const KEYS_AT_A_TIME = 3;
/** New keys keep each key's history short. */
const OPERATIONS_PER_GROUP = 150;

export class SteadyLoad {
  readonly recorder = new Recorder();
  readonly #directory: string;
  readonly #acknowledged = new Map<string, string>();
  #loops: Promise<void>[] = [];
  #runs = true;
  #values = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Written once each, and acknowledged. */
  get acknowledged(): ReadonlyMap<string, string> {
    return this.#acknowledged;
  }

  start(): void {
    this.#loops = Array.from({ length: CLIENTS }, (_, n) => this.#loop(n));
  }

  /** Until every client has heard back; then reads each key that was acknowledged, at a member that is left. */
  async end(): Promise<void> {
    this.#runs = false;
    await Promise.all(this.#loops);
    const member = new MemberClient(this.#url(0));
    const client = new RecordedClient(this.recorder);
    for (const key of this.#acknowledged.keys()) await client.read(member, key, OPERATION_TIMEOUT_MS);
    await member.close();
  }

  /** Stays with one member until that fails it, then takes another of those that there are now. */
  async #loop(n: number): Promise<void> {
    const client = new RecordedClient(this.recorder);
    let at = n;
    let member = new MemberClient(this.#url(at));
    while (this.#runs) {
      const outcome = await (n === 0 ? this.#writeOnce(client, member) : this.#register(client, member));
      await sleep(THINK_MS);
      if (outcome.type === 'ok' || (outcome.type === 'fail' && outcome.failure === null)) continue;
      await member.close();
      member = new MemberClient(this.#url(++at));
    }
    await member.close();
  }

  async #writeOnce(client: RecordedClient, member: MemberClient): Promise<OperationOutcome> {
    const value = `v${++this.#values}`;
    const key = `once/${value}`;
    const outcome = await client.write(member, key, value, OPERATION_TIMEOUT_MS);
    if (outcome.type === 'ok') this.#acknowledged.set(key, value);
    return outcome;
  }

  #register(client: RecordedClient, member: MemberClient): Promise<OperationOutcome> {
    const group = Math.floor(this.recorder.events.length / 2 / OPERATIONS_PER_GROUP);
    const turn = ++this.#values;
    const key = `register/${group}/${turn % KEYS_AT_A_TIME}`;
    return turn % 2 === 0
      ? client.read(member, key, OPERATION_TIMEOUT_MS)
      : client.write(member, key, `v${turn}`, OPERATION_TIMEOUT_MS);
  }

  #url(at: number): string {
    const members = readClusterFile(this.#directory)?.members ?? [];
    const member = members[at % members.length];
    if (member === undefined) throw new Error('the cluster has members');
    return clientUrl(member);
  }
}
