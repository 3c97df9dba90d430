/** A deterministic world for replicas: virtual time, seeded faults, invariants at every step, histories judged. */

export { type Divergence, divergentStretch, firstDivergence, type Strand } from './divergence.ts';
export type { ExplorationBounds, ExplorationReport } from './exploration.ts';
export * from './faults/index.ts';
export { SimulatedMember } from './member.ts';
export * from './participants/index.ts';
export type {
  Answer,
  Completion,
  Control,
  Environment,
  Json,
  MemberStatus,
  Process,
  Protocol,
  ProtocolRun,
  ProtocolTypes,
  RunContext,
} from './protocol.ts';
export { type ClusterOptions, cluster, type Outcome, SimulatedCluster } from './raft/cluster.ts';
export { generalRaft, raftMembershipStorm, raftMembershipWalk, raftSteady } from './raft/general.ts';
export { Invariants } from './raft/invariants.ts';
export { raft } from './raft/protocol.ts';
export { QUICK, type RaftOutcome, type RaftRequest, type RaftSimulationOptions, type RaftTypes } from './raft/types.ts';
export * from './registers/index.ts';
export {
  addReports,
  type CampaignOptions,
  type CampaignReport,
  emptyReport,
  type FoundViolation,
  reportOf,
  unseen,
} from './scenario/campaign.ts';
export {
  type Check,
  check,
  conserved,
  consistent,
  type Judge,
  type Judgement,
  linearizable,
  strictlySerializable,
} from './scenario/check.ts';
export { HASH_EVERY, Run, type RunOptions, type RunReport, runOnce } from './scenario/run.ts';
export { Scenario, type Swarm, scenario, swarm } from './scenario/scenario.ts';
export { type ShrinkOptions, type ShrinkProgress, type ShrinkSize, type Shrunk } from './scenario/shrink.ts';
export * from './scenario/spec.ts';
export {
  formatTrace,
  parseTrace,
  type ScriptStep,
  type Trace,
  type TracedFrame,
  type TracedViolation,
} from './scenario/trace.ts';
export { type Actor, Simulation, type SimulationOptions } from './simulation.ts';
export type { Step } from './step-log.ts';
export { Timeline, type TimelineOptions } from './timeline.ts';
export { Violation } from './violation.ts';
export * from './workloads/index.ts';
export { SimulatedDisk } from './world/disk.ts';
export { EventQueue, type QueuedEvent, type WorldEvent } from './world/event-queue.ts';
export { type Latency, REGIONS, type Region } from './world/latency.ts';
export { type DiskSpeed, MemberWorld, type SharedWorld } from './world/member-world.ts';
export { CALM, type FrameVerdict, LOCAL_LATENCY, SimulatedNetwork, type Weather } from './world/network.ts';
export { CONCERN, RandomStreams } from './world/random-streams.ts';
export { hashOf, RollingHash } from './world/rolling-hash.ts';
export * from './zoo/index.ts';
