/** A deterministic world for replicas: virtual time, seeded faults, invariants at every step. */
export { Campaign, type CampaignOptions, type Exercised, runCampaign, SHORT } from './campaign.ts';
export { type ClientsOptions, SimulatedClients } from './clients.ts';
export { type Actor, type ClusterOptions, type Outcome, QUICK, SimulatedCluster } from './cluster.ts';
export { SimulatedDisk } from './disk.ts';
export { EventQueue, type QueuedEvent, type WorldEvent } from './event-queue.ts';
export { Invariants, InvariantViolation, replayCommand } from './invariants.ts';
export { type MemberStatus, SimulatedMember } from './member.ts';
export { type DiskSpeed, MemberWorld, type SharedWorld } from './member-world.ts';
export { CALM, type FrameVerdict, type NetworkWeather, SimulatedNetwork } from './network.ts';
export { CONCERN, RandomStreams } from './random-streams.ts';
export { hashOf, RollingHash } from './rolling-hash.ts';
