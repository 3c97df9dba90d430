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
