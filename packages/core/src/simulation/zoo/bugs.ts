import type { Bug } from './bug.ts';
import { DURABILITY_BUGS } from './durability.ts';
import { ELECTION_BUGS } from './elections.ts';
import { MEMBERSHIP_BUGS } from './membership.ts';
import { REGISTER_BUGS } from './registers/bugs.ts';
import { REPLICATION_BUGS } from './replication.ts';
import { SEED_BUGS } from './seed/bugs.ts';
import { SNAPSHOT_BUGS } from './snapshots.ts';

export const BUGS: readonly Bug[] = [
  ...ELECTION_BUGS,
  ...REPLICATION_BUGS,
  ...MEMBERSHIP_BUGS,
  ...DURABILITY_BUGS,
  ...SNAPSHOT_BUGS,
  ...REGISTER_BUGS,
  ...SEED_BUGS,
];
