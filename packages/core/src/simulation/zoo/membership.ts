/** Mistakes about who the members are: Raft paper §6; dissertation §4. */
import { votingSets } from '../../consensus/configuration.ts';
import type { RaftRules } from '../../consensus/raft/index.ts';
import type { KvRequest, KvResult } from '../../kv/index.ts';
import { raftMembershipStorm } from '../raft/general.ts';
import { NO_SABOTAGE } from '../raft/sabotage.ts';
import { WrappedStateMachine } from '../raft/wrapped.ts';
import { type Bug, directed, general, seedsOf } from './bug.ts';
import { exchangeBehindAPartition, lastVoterDies } from './schedules.ts';

const NONE = new Uint8Array(0);

class ForgetfulStateMachine extends WrappedStateMachine<KvResult, KvRequest, KvResult> {
  override configuration(): Uint8Array {
    return NONE;
  }
}

/** Members come and go in every seed, while leaders die and are cut off. */
function changing(rules: Partial<RaftRules>): Bug['caughtBy'] {
  const sabotage = { ...NO_SABOTAGE, rules };
  const seeds = seedsOf(raftMembershipStorm({ sabotage }));
  return { type: 'directed', why: 'in few seeds of the general campaign do several voters change at once', seeds };
}

export const MEMBERSHIP_BUGS: readonly Bug[] = [
  {
    id: 'r14-counts-over-the-union',
    pitfalls: ['R14'],
    breaks: 'in a joint configuration a majority of all voters together is enough',
    source: 'Raft paper §6: "separate majorities from both the old and new configurations"',
    caughtBy: directed(
      'an exchange of two voters at once must meet a partition between them and the others',
      exchangeBehindAPartition,
      { rules: { votingSets: (configuration) => [[...new Set(votingSets(configuration).flat())]] } },
    ),
  },
  {
    id: 'r14-new-voters-decide',
    pitfalls: ['R14'],
    breaks: 'in a joint configuration the new voters decide alone: there is no joint configuration',
    source: 'Raft paper §6, Figure 10',
    caughtBy: directed(
      'an exchange of two voters at once must meet a partition between them and the others',
      exchangeBehindAPartition,
      { rules: { votingSets: (configuration) => votingSets(configuration).slice(0, 1) } },
    ),
  },
  {
    id: 'r14-leaves-joint-early',
    pitfalls: ['R14'],
    breaks: 'the leader leaves the joint configuration before it is committed',
    source: 'Raft paper §6: "once C-old,new has been committed"',
    caughtBy: general({ rules: { mayLeaveJoint: () => true } }),
  },
  {
    id: 'r14-keeps-a-truncated-configuration',
    pitfalls: ['R14'],
    breaks: 'a configuration stays in force although its entry was truncated',
    source: 'dissertation §4.1',
    caughtBy: changing({ revertsConfiguration: () => false }),
  },
  {
    id: 'r16-leaves-before-it-is-committed',
    pitfalls: ['R16'],
    breaks:
      'a member without a vote in its newest configuration never campaigns, though it alone may have that configuration',
    source: 'dissertation §4.2.2',
    caughtBy: directed(
      'a leader that removes itself must die between its last entry and that entry’s first copy',
      lastVoterDies,
      { rules: { mayCampaign: (votesInNewest) => votesInNewest } },
    ),
  },
  {
    id: 'r17-snapshot-without-membership',
    pitfalls: ['R17'],
    breaks: 'a state that was saved does not say who the members were',
    source: 'Raft paper §7: "the latest configuration in the log as of last included index"',
    caughtBy: general({ stateMachine: (machine) => new ForgetfulStateMachine(machine) }),
  },
];
