export {
  type Exploration,
  type ExploreOptions,
  type ExploreProgress,
  Explorer,
  explore,
  type Reached,
  type Violation,
  type Walk,
} from './explorer.ts';
export type { Encoding, Goal, Model, Property } from './model.ts';
export { type RaftSystemOptions, raftSystem } from './raft-system.ts';
export type { ExplorableSystem, Fact, MemberView, SystemBounds, SystemView } from './system.ts';
export { type SystemAction, SystemModel, type SystemState } from './system-model.ts';
