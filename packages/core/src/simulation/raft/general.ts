/** The general campaign: everything that may break, fixed before any bug of the zoo is switched on. */
import {
  blackout,
  clock,
  crash,
  disk,
  freeze,
  leaderChurn,
  leaderReturns,
  network,
  operator,
  partition,
  pause,
  rumour,
} from '../faults/index.ts';
import type { Protocol } from '../protocol.ts';
import { consistent } from '../scenario/check.ts';
import { type Scenario, scenario, swarm } from '../scenario/scenario.ts';
import { counted, type ScenarioOptions, seconds } from '../scenario/spec.ts';
import { kv } from '../workloads/index.ts';
import { membershipChange, membershipWalk } from './membership.ts';
import { raft } from './protocol.ts';
import type { RaftSimulationOptions, RaftTypes } from './types.ts';

/** Members that wait to be added. */
const SPARES = 6;

/** Snapshots and segments are small, so that members fall behind the log and logs are rolled within seconds. */
const SMALL: RaftSimulationOptions = {
  snapshotEntries: 60,
  trailingEntries: 20,
  snapshotChunkBytes: 512,
  segmentBytes: 16 * 1024,
  checkpoints: { checkpointUs: 20_000, checkpointBytes: 8 * 1024 },
  maxOverlayBytes: 16 * 1024,
};

/**
 * In half of the seeds the members stay the same, three or five; in the others one to five begin, and more may come.
 * In a third leaders hold leases; in half the members' state is in a durable store, in the others in memory.
 */
function replicas(seed: number, members: number | undefined, options: RaftSimulationOptions): Protocol<RaftTypes> {
  const kind = seed % 4;
  const durable = Math.floor(seed / 3) % 2 === 1;
  const drawn = { ...SMALL, leaseReads: (seed >> 2) % 3 === 0, durable, ...options };
  if (kind < 2) return raft(members ?? (kind === 0 ? 3 : 5), drawn);
  const initial = 1 + ((seed >> 2) % 5);
  const size = members ?? initial + SPARES;
  return raft(size, { initial: Math.min(initial, size), ...drawn });
}

/** `settings`: fewer clients, or slower ones, for histories that are hard to judge. */
export function generalRaft(
  options: RaftSimulationOptions = {},
  settings: Partial<ScenarioOptions<RaftTypes>> = {},
): Scenario<RaftTypes> {
  return scenario<RaftTypes>({
    name: 'raft',
    replicas: (seed, members) => replicas(seed, members, options),
    clients: 5,
    ...settings,
  })
    .workload(kv.registers({ keys: 3 }))
    .faults(
      swarm(
        partition(),
        network.any(),
        network.slow(),
        crash(),
        blackout(),
        pause(),
        freeze(),
        leaderChurn(),
        leaderReturns(),
        clock.drift(500),
        clock.jump(60_000),
        disk.error(),
        disk.full(),
        disk.slow(),
        disk.lost(),
        disk.rot(),
        disk.misdirect(),
        membershipChange(),
        operator('leadership transfer', (to) => ({ type: 'transferLeadership', to })),
        rumour(),
      ),
    )
    .sometimes('the leader changes', raft.leaderChanged)
    .sometimes('the membership changes', counted('membershipChanges'))
    .sometimes('a snapshot is installed', counted('snapshotsInstalled'))
    .sometimes('an outcome is unknown', (view) => view.operations.info > 0)
    .sometimes('a damaged frame is noticed', (view) => view.simulation.network.counts.damaged > 0)
    .sometimes('a member stops by itself', (view) => view.simulation.stopped.size > 0)
    .sometimes('a member loses power', (view) => (view.faults.crash ?? 0) > 0)
    .eventually('all members come to rest and agree', { withinUs: seconds(10) })
    .check(consistent());
}

/** The general campaign of three or five members that stay the same, with their state in memory: disks break in every seed. */
export function raftSteady(options: RaftSimulationOptions = {}): Scenario<RaftTypes> {
  const steady = (seed: number, members = seed % 2 === 0 ? 3 : 5) => raft(members, { ...SMALL, ...options });
  return generalRaft({}, { name: 'raft-steady', replicas: steady });
}

/** Members come and go all the time, several at once, while leaders die and are cut off. */
export function raftMembershipStorm(options: RaftSimulationOptions = {}): Scenario<RaftTypes> {
  return scenario<RaftTypes>({
    name: 'raft-membership-storm',
    replicas: (_, members = 11) => raft(members, { ...SMALL, initial: 3, ...options }),
    clients: 3,
  })
    .workload(kv.registers({ keys: 3 }))
    .faults(partition(), network.any(), crash(), leaderChurn(), leaderReturns(), membershipChange())
    .sometimes('the membership changes', counted('membershipChanges'))
    .eventually('all members come to rest and agree', { withinUs: seconds(10) })
    .check(consistent());
}

/** From one member to five, to five others, to one, while the network and the processes fail: each step as the leader sees fit. */
export function raftMembershipWalk(options: RaftSimulationOptions = {}): Scenario<RaftTypes> {
  return scenario<RaftTypes>({
    name: 'raft-membership',
    replicas: (_, members = 10) => raft(members, { ...SMALL, initial: 1, ...options }),
    clients: 3,
    troubleUs: seconds(6),
  })
    .workload(kv.registers({ keys: 3 }))
    .faults(partition(), network.any(), crash(), pause(), leaderChurn(), clock.drift(500), membershipWalk())
    .sometimes('the membership changes', counted('membershipChanges'))
    .sometimes('one is left, of the last five', counted('walked'))
    .eventually('all members come to rest and agree', { withinUs: seconds(10) })
    .check(consistent());
}
