import { generalRaft } from '../raft/general.ts';
import { NO_SABOTAGE, type Sabotage } from '../raft/sabotage.ts';
import { type Bug, seedsOf } from './bug.ts';

/** Caught by the general campaign, whose faults were fixed before any of these was switched on. */
function general(sabotage: Partial<Sabotage>): Bug['caughtBy'] {
  return { type: 'general', seeds: seedsOf(generalRaft({ sabotage: { ...NO_SABOTAGE, ...sabotage } })) };
}

export const BUGS: readonly Bug[] = [
  {
    id: 'r8-reads-before-own-commit',
    pitfalls: ['R8'],
    breaks: 'a leader answers reads before an entry of its own term is committed',
    source: 'Raft paper §8',
    caughtBy: general({ rules: { mayServeReads: () => true } }),
  },
];
