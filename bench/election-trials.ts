/** How long a simulated cluster of five is without a leader after its leader crashed, many times over. */
import { assert, type RaftRules, type RaftTiming, utf8 } from '@polder/core';
import { CALM, RandomStreams, SimulatedCluster } from '@polder/core/simulation';

export type Weather = Parameters<SimulatedCluster['setWeather']>[0];
type Filter = Exclude<SimulatedCluster['filter'], null>;

/** One way, evenly spread. */
export interface LatencyRange {
  readonly minLatencyUs: number;
  readonly maxLatencyUs: number;
}

export function weatherOf({ minLatencyUs: minUs, maxLatencyUs: maxUs }: LatencyRange): Weather {
  return { ...CALM, latency: { type: 'uniform', minUs, maxUs } };
}

export interface TrialOptions {
  readonly seed: number;
  readonly trials: number;
  readonly timing: Partial<RaftTiming> & Pick<RaftTiming, 'heartbeatUs'>;
  readonly rules: RaftRules;
  /** Of the election: from the crash on, or with `slowHeartbeats` before it too; else heartbeats meet calm weather. */
  readonly weather: Weather;
  readonly slowHeartbeats: boolean;
  /** Two of the four that remain lack the last entries, each another number of them, and so cannot be elected. */
  readonly unequalLogs: boolean;
  /** A trial is given up when no leader is elected within this. */
  readonly limitUs: number;
}

export interface Downtimes {
  /** From the crash until another member leads, in order of size. */
  readonly ms: readonly number[];
  /** Trials that were given up. */
  readonly unfinished: number;
  /** Trials that were done again, because a time-out ran out before the crash. */
  readonly repeated: number;
}

const MEMBERS = 5;
/** A cluster is replaced by a new one after so many trials, since its log only grows. */
const TRIALS_PER_CLUSTER = 50;
const SETTLE_LIMIT_US = 10_000_000;
const SETTLE_ATTEMPTS = 20;
/** Heartbeats between the last change of weather or logs and the one after which the leader crashes. */
const BEATS_BEFORE = 2;
const FAST_DISK = { minLatencyUs: 20, maxLatencyUs: 50 };
const DRAW = { order: 1, crash: 2, latency: 3, start: 4 } as const;
const PUT = { type: 'put', key: utf8('k'), value: utf8('v') } as const;

export function measureDowntimes(options: TrialOptions): Downtimes {
  const random = new RandomStreams(options.seed);
  const ms: number[] = [];
  let unfinished = 0;
  let repeated = 0;
  let clusters = 0;
  let trial: ElectionTrial | null = null;
  for (let done = 0; done < options.trials; ) {
    if (trial === null || trial.count === TRIALS_PER_CLUSTER) {
      trial = new ElectionTrial(options.seed * 1_000 + ++clusters, options, random);
    }
    const downtimeUs = trial.run();
    if (downtimeUs === 'repeat') {
      repeated++;
      assert(repeated < 20 * options.trials, 'most trials of an election begin with a leader');
      continue;
    }
    done++;
    if (downtimeUs === 'unfinished') {
      unfinished++;
      trial = null;
    } else {
      ms.push(downtimeUs / 1_000);
    }
  }
  return { ms: ms.sort((a, b) => a - b), unfinished, repeated };
}

/** The mean time for a message to all four others and the slowest of their answers. */
export function broadcastMs({ minLatencyUs, maxLatencyUs }: LatencyRange, rounds = 10_000): number {
  const random = new RandomStreams(1);
  const latencyUs = (peer: number): number => {
    return minLatencyUs + random.below(DRAW.latency, peer, maxLatencyUs - minLatencyUs + 1);
  };
  let sumUs = 0;
  for (let i = 0; i < rounds; i++) sumUs += Math.max(...[1, 2, 3, 4].map((peer) => latencyUs(peer) + latencyUs(peer)));
  return sumUs / rounds / 1_000;
}

class ElectionTrial {
  count = 0;
  readonly #cluster: SimulatedCluster;
  readonly #options: TrialOptions;
  readonly #random: RandomStreams;

  constructor(seed: number, options: TrialOptions, random: RandomStreams) {
    const { timing, rules } = options;
    const keepAll = { snapshotEntries: 1_000_000, trailingEntries: 1_000_000 };
    this.#cluster = new SimulatedCluster({ seed, members: MEMBERS, timing, rules, diskSpeed: FAST_DISK, ...keepAll });
    this.#options = options;
    this.#random = random;
  }

  /** Microseconds from the crash to the next leader. */
  run(): number | 'repeat' | 'unfinished' {
    const cluster = this.#cluster;
    const { timing, weather, slowHeartbeats, unequalLogs, limitUs } = this.#options;
    this.count++;
    this.#settle();
    const leader = cluster.leader();
    const wanted = unequalLogs ? this.#wantedLogs(leader) : [];
    let lastBeatUs = 0;
    const judge = lagging(leader, new Map(wanted));
    cluster.filter = (from, to, message) => {
      if (from === leader && message.type === 'append') lastBeatUs = cluster.nowUs;
      return judge(from, to, message);
    };
    if (unequalLogs) this.#spreadLogs(leader, wanted);
    if (slowHeartbeats) cluster.setWeather(weather);
    for (let beat = 0; beat <= BEATS_BEFORE; beat++) {
      const before = cluster.nowUs;
      cluster.runUntil(() => lastBeatUs > before, 2 * timing.heartbeatUs);
    }
    cluster.run(this.#random.below(DRAW.crash, 0, timing.heartbeatUs));
    const led = cluster.leader() === leader && cluster.status().every((status) => status?.leader === leader);
    const asWanted = wanted.every(([member, last]) => cluster.member(member).status()?.lastIndex === last);
    const crashedUs = cluster.nowUs;
    cluster.setWeather(weather);
    cluster.crash(leader);
    const elected = cluster.runUntil(() => cluster.leader() !== 0, limitUs);
    const downtimeUs = cluster.nowUs - crashedUs;
    cluster.restart(leader);
    if (!led || !asWanted) return 'repeat';
    return elected ? downtimeUs : 'unfinished';
  }

  /** Everyone runs, follows one leader and has all that it has. */
  #settle(): void {
    const cluster = this.#cluster;
    const settled = (): boolean => {
      const leader = cluster.leader();
      if (leader === 0) return false;
      const lastIndex = cluster.member(leader).status()?.lastIndex;
      return cluster.status().every((each) => each?.leader === leader && each.commitIndex === lastIndex);
    };
    cluster.filter = null;
    cluster.setWeather(CALM);
    for (let attempt = 0; attempt < SETTLE_ATTEMPTS; attempt++) {
      if (cluster.runUntil(settled, SETTLE_LIMIT_US)) return;
      // Without randomness members whose time-outs run out together do so for ever: they are started one by one.
      for (const id of cluster.ids) {
        cluster.crash(id);
        cluster.run(5_000 + this.#random.below(DRAW.start, id, 20_000));
        cluster.restart(id);
      }
    }
    throw new Error('a calm cluster elects no leader: this benchmark needs a look');
  }

  /** The last index for each follower: two get two more entries, one gets one of them, one gets none. */
  #wantedLogs(leader: number): [number, number][] {
    const lastIndex = this.#cluster.member(leader).status()?.lastIndex ?? 0;
    const followers = this.#shuffled(this.#cluster.ids.filter((id) => id !== leader));
    return followers.map((id, i) => [id, lastIndex + (i < 2 ? 2 : 3 - i)]);
  }

  #spreadLogs(leader: number, wanted: readonly [number, number][]): void {
    const cluster = this.#cluster;
    const lastIndex = cluster.member(leader).status()?.lastIndex ?? 0;
    for (let entries = 1; entries <= 2; entries++) {
      cluster.propose(leader, PUT);
      const arrived = ([id, last]: readonly [number, number]): boolean =>
        cluster.member(id).status()?.lastIndex === Math.min(last, lastIndex + entries);
      cluster.runUntil(() => wanted.every(arrived), 5_000);
    }
  }

  #shuffled(members: number[]): number[] {
    for (let i = members.length - 1; i > 0; i--) {
      const j = this.#random.below(DRAW.order, i, i + 1);
      [members[i], members[j]] = [members[j] ?? 0, members[i] ?? 0];
    }
    return members;
  }
}

/**
 * Lets nobody's log grow beyond what is wanted, while all keep hearing the leader. It is not told that they lag, or it
 * would send the entries with every heartbeat, and a heartbeat that is dropped is not heard.
 */
function lagging(leader: number, most: ReadonlyMap<number, number>): Filter {
  return (from, to, message) => {
    if (most.size > 0 && to === leader && message.type === 'conflict') return 'drop';
    const last = from === leader && message.type === 'append' ? message.entries.at(-1) : undefined;
    return last !== undefined && last.index > (most.get(to) ?? last.index) ? 'drop' : 'deliver';
  };
}
