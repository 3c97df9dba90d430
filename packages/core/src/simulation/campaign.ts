/** One seed's run under random faults, then healed; it either keeps every promise or throws. */
import { assert } from '../base/assert.ts';
import { equalBytes, utf8 } from '../base/bytes.ts';
import { checkLinearizable } from '../checkers/index.ts';
import type { RaftRules } from '../consensus/raft/index.ts';
import { SimulatedClients } from './clients.ts';
import { SimulatedCluster } from './cluster.ts';
import { InvariantViolation } from './invariants.ts';
import { CALM, type NetworkWeather } from './network.ts';
import { CONCERN } from './random-streams.ts';

/** What a run exercised: a run in which nothing happened proves nothing (PITFALLS D5). */
export interface Exercised {
  seed: number;
  members: number;
  hash: string;
  steps: number;
  elections: number;
  applied: number;
  acknowledged: number;
  ok: number;
  failed: number;
  unknown: number;
  crashes: number;
  partitions: number;
  oneWayCuts: number;
  pauses: number;
  /** Asked for; some are given up. */
  transfers: number;
  snapshotsInstalled: number;
  framesLost: number;
  framesDuplicated: number;
}

export interface CampaignOptions {
  /** Of faults; each lasts up to a few election time-outs. */
  readonly rounds: number;
  readonly clients: number;
  readonly keys: number;
  /** For one broken rule, or none: the zoo's tests must see every one caught. */
  readonly rules?: RaftRules;
}

export const SHORT: CampaignOptions = { rounds: 12, clients: 5, keys: 3 };

const ROUND_US = 400_000;
/** Generous: a fair network owes an election within a few time-outs, not this many. */
const LIVENESS_US = 5_000_000;

export function runCampaign(seed: number, options: CampaignOptions = SHORT): Exercised {
  const campaign = new Campaign(seed, options);
  for (let round = 0; round < options.rounds; round++) campaign.round();
  campaign.heal();
  campaign.checkLiveness();
  campaign.checkHistory();
  return campaign.exercised();
}

/** The pieces of a campaign, for tests that stop in the middle. */
export class Campaign {
  readonly cluster: SimulatedCluster;
  readonly clients: SimulatedClients;
  #crashes = 0;
  #partitions = 0;
  #oneWayCuts = 0;
  #pauses = 0;
  #transfers = 0;

  constructor(seed: number, options: CampaignOptions = SHORT) {
    const members = seed % 2 === 0 ? 3 : 5;
    // Snapshots often enough that members fall behind the log and are sent one.
    const cluster = { seed, members, snapshotEntries: 60, trailingEntries: 20 };
    this.cluster = new SimulatedCluster(options.rules === undefined ? cluster : { ...cluster, rules: options.rules });
    this.clients = new SimulatedClients(this.cluster, {
      clients: options.clients,
      keys: options.keys,
      thinkUs: 20_000,
      timeoutUs: 600_000,
    });
    this.cluster.run(ROUND_US);
  }

  /** Some faults begin or end, then time passes. */
  round(): void {
    this.cluster.setWeather(this.#drawWeather());
    switch (this.#below(10)) {
      case 0:
        this.#partition();
        break;
      case 1:
        this.#cutOneWay();
        break;
      case 2:
        this.#crash();
        break;
      case 3:
        this.#pause();
        break;
      case 4:
        this.#crashEveryone();
        break;
      case 5:
        this.#isolateLeader();
        break;
      case 6:
        this.#bringBackOldLeader();
        break;
      case 7:
        this.#changeLeaders();
        break;
      case 8:
        this.#transfer();
        break;
      default:
        this.cluster.heal();
    }
    this.cluster.run(ROUND_US / 4 + this.#below(ROUND_US));
    if (this.#below(2) === 0) this.#recover();
  }

  heal(): void {
    this.cluster.setWeather(CALM);
    this.cluster.heal();
    this.#recover();
  }

  /** After healing the cluster owes progress (PITFALLS D7): a write succeeds, and all members come to the same state. */
  checkLiveness(): void {
    const { cluster } = this;
    this.clients.stop();
    if (!cluster.runUntil(() => !this.clients.waiting, LIVENESS_US)) this.#owed('a client still waits for an answer');
    if (!cluster.runUntil(() => this.#tryWrite(), LIVENESS_US)) this.#owed('no write succeeded');
    const settled = (): boolean => {
      const last = cluster.invariants.appliedIndex;
      return cluster.status().every((status) => status?.appliedIndex === last && status.lastIndex === last);
    };
    if (!cluster.runUntil(settled, LIVENESS_US)) this.#owed('members did not come to apply the same');
    const first = cluster.member(1).stateBytes();
    for (const id of cluster.ids) {
      const bytes = cluster.member(id).stateBytes();
      if (first === null || bytes === null || !equalBytes(first, bytes)) {
        this.#violated('Convergence', `members 1 and ${id} applied the same, yet their states differ`);
      }
    }
    if (cluster.invariants.acknowledgedIndex > cluster.invariants.appliedIndex) {
      this.#violated('Acknowledged', 'an acknowledged write is beyond what was applied');
    }
  }

  checkHistory(): void {
    const verdict = checkLinearizable(this.clients.history);
    if (verdict.result === 'valid') return;
    this.#violated('Linearizability', `${verdict.result}: ${verdict.violation?.sentence ?? verdict.reason}`);
  }

  exercised(): Exercised {
    const { cluster } = this;
    const count = (type: string): number => this.clients.history.filter((event) => event.type === type).length;
    const { lost, duplicated } = cluster.network.counts;
    return {
      seed: cluster.seed,
      members: cluster.size,
      hash: cluster.hash,
      steps: cluster.steps,
      elections: cluster.invariants.elections,
      applied: cluster.invariants.appliedIndex,
      acknowledged: cluster.invariants.acknowledgedIndex,
      ok: count('ok'),
      failed: count('fail'),
      unknown: count('info'),
      crashes: this.#crashes,
      partitions: this.#partitions,
      oneWayCuts: this.#oneWayCuts,
      pauses: this.#pauses,
      transfers: this.#transfers,
      snapshotsInstalled: cluster.invariants.snapshotsInstalled,
      framesLost: lost,
      framesDuplicated: duplicated,
    };
  }

  /** One write at a time, at a member that takes it; true once one was acknowledged. */
  #probe = { id: 0, member: 0 };

  #tryWrite(): boolean {
    const { cluster } = this;
    const outcome = this.#probe.id === 0 ? null : cluster.outcome(this.#probe.id);
    if (outcome?.type === 'applied') return true;
    if (outcome === null || outcome.type === 'rejected') {
      const member = (this.#probe.member % cluster.size) + 1;
      this.#probe = { id: cluster.propose(member, { type: 'put', key: utf8('probe'), value: utf8('alive') }), member };
    }
    return false;
  }

  #partition(): void {
    const ids = this.#shuffled();
    const cut = 1 + this.#below(ids.length - 1);
    this.cluster.partition(ids.slice(0, cut), ids.slice(cut));
    this.#partitions++;
  }

  #isolateLeader(): void {
    const leader = this.cluster.leader();
    if (leader === 0) return;
    this.cluster.partition(
      [leader],
      this.cluster.ids.filter((id) => id !== leader),
    );
    this.#partitions++;
  }

  /** A leader that was cut off, with entries that no one else has, comes back as its successor dies (R3). */
  #bringBackOldLeader(): void {
    this.cluster.heal();
    const old = this.cluster.leader();
    this.#isolateLeader();
    const replaced = this.cluster.runUntil(() => this.cluster.leader() !== old, ROUND_US);
    this.cluster.run(this.#below(ROUND_US / 4));
    this.cluster.heal();
    if (replaced) this.#crashLeader();
  }

  /** Figure 8's schedule: leaders die one after the other, in the middle of replication, and come back (R1). */
  #changeLeaders(): void {
    for (let i = 0; i < 4; i++) {
      this.#crashLeader();
      this.cluster.run(this.#below(ROUND_US / 2));
      this.#recover();
    }
  }

  #crashLeader(): void {
    const leader = this.cluster.leader();
    if (leader === 0) return;
    this.cluster.crash(leader);
    this.#crashes++;
  }

  #cutOneWay(): void {
    const [from, to] = this.#shuffled() as [number, number];
    this.cluster.blockOneWay(from, to);
    this.#oneWayCuts++;
  }

  #crash(): void {
    const id = this.#anyMember();
    if (!this.cluster.member(id).alive) return;
    this.cluster.crash(id);
    this.#crashes++;
  }

  #crashEveryone(): void {
    for (const id of this.cluster.ids) {
      if (!this.cluster.member(id).alive) continue;
      this.cluster.crash(id);
      this.#crashes++;
    }
    this.cluster.run(this.#below(50_000));
    this.#recover();
  }

  /** To any member: one that lags, is cut off or is down too (R22). */
  #transfer(): void {
    const leader = this.cluster.leader();
    const to = this.#anyMember();
    if (leader === 0 || to === leader || this.cluster.member(leader).paused) return;
    this.cluster.transferLeadership(leader, to);
    this.#transfers++;
  }

  #pause(): void {
    const id = this.#anyMember();
    if (!this.cluster.member(id).alive || this.cluster.member(id).paused) return;
    this.cluster.pause(id);
    this.#pauses++;
  }

  #recover(): void {
    for (const id of this.cluster.ids) {
      if (!this.cluster.member(id).alive) this.cluster.restart(id);
      if (this.cluster.member(id).paused) this.cluster.resume(id);
    }
  }

  #drawWeather(): NetworkWeather {
    const lossPerMillion = this.#below(3) === 0 ? this.#below(200_000) : 0;
    const duplicatePerMillion = this.#below(3) === 0 ? this.#below(200_000) : 0;
    const spikePerMillion = this.#below(3) === 0 ? this.#below(100_000) : 0;
    const maxLatencyUs = CALM.maxLatencyUs + this.#below(3_000);
    return {
      ...CALM,
      maxLatencyUs,
      lossPerMillion,
      duplicatePerMillion,
      spikePerMillion,
      spikeUs: this.#below(200_000),
    };
  }

  #shuffled(): number[] {
    const ids = [...this.cluster.ids];
    for (let i = ids.length - 1; i > 0; i--) {
      const j = this.#below(i + 1);
      [ids[i], ids[j]] = [ids[j] as number, ids[i] as number];
    }
    return ids;
  }

  #anyMember(): number {
    return 1 + this.#below(this.cluster.size);
  }

  #below(bound: number): number {
    assert(bound >= 1, 'there is something to choose from');
    return this.cluster.random.below(CONCERN.nemesis, 0, bound);
  }

  #owed(what: string): never {
    const status = JSON.stringify(this.cluster.status());
    this.#violated('Liveness', `${what} within ${LIVENESS_US} us of healing; ${status}`);
  }

  #violated(invariant: string, sentence: string): never {
    throw new InvariantViolation(invariant, sentence, this.cluster.seed);
  }
}
