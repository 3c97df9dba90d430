/** The seed text's system under trouble: its store (section 1) and its Raft (section 2). */
import { checkLinearizable } from '../../../checkers/index.ts';
import { blackout, clock, crash, network, partition, pause } from '../../faults/index.ts';
import { type ParticipantTypes, participants } from '../../participants/index.ts';
import { check, linearizable } from '../../scenario/check.ts';
import { type Scenario, scenario, swarm } from '../../scenario/scenario.ts';
import { milliseconds, seconds } from '../../scenario/spec.ts';
import { type Choice, direct, type Intent } from '../../workloads/index.ts';
import { NO_MISTAKES, type SeedMistakes } from './mistakes.ts';
import {
  ELECTION_US,
  electionSafety,
  type RaftMessage,
  type RaftState,
  SeedRaft,
  stateMachineSafety,
  whatLags,
} from './raft.ts';
import { SeedStore, type StoreMessage, type StoreState, whatDiffers } from './store.ts';

const MEMBERS = 3;
const LEVELS = ['strong', 'strong', 'eventual', 'weak'] as const;

/** Each level promises something else: so each has keys of its own, and only `strong` ones are judged as registers. */
export function seedStore(mistakes: Partial<SeedMistakes> = {}): Scenario<ParticipantTypes> {
  const all = { ...NO_MISTAKES, ...mistakes };
  const strong = check('Linearizability', (history) => {
    const { result, violation, reason } = checkLinearizable(history.filter(({ key }) => key.startsWith('strong')));
    return { result, sentence: violation?.sentence ?? reason ?? '' };
  });
  return scenario({
    replicas: participants<StoreMessage, StoreState>({
      name: 'seed-store',
      members: MEMBERS,
      messages: ['ping', 'ask', 'answer', 'write', 'written'],
      create: (self) => new SeedStore(self, all),
      settled: (states) => whatDiffers(states.filter((state) => state !== null)),
    }),
    clients: 8,
    thinkUs: milliseconds(40),
    paceUs: milliseconds(200),
    troubleUs: seconds(3),
    latency: { type: 'exponential', minUs: 1_000, meanUs: milliseconds(15) },
  })
    .workload(
      direct('levels', 'register', (choice) => readOrWrite(`${LEVELS[choice.draw(4)]} ${choice.draw(2)}`, choice)),
    )
    .faults(swarm(partition(), network.any(), pause(), clock.jump(1_000)))
    .sometimes('an outcome is unknown', ({ operations }) => operations.info > 0)
    .eventually('whatever spreads is the same everywhere', { withinUs: seconds(2) })
    .check(strong);
}

export function seedRaft(mistakes: Partial<SeedMistakes> = {}): Scenario<ParticipantTypes> {
  const all = { ...NO_MISTAKES, ...mistakes };
  return scenario({
    replicas: participants<RaftMessage, RaftState>({
      name: 'seed-raft',
      members: MEMBERS,
      messages: ['requestVote', 'vote', 'append', 'appended'],
      create: (self) => new SeedRaft(self, all),
      always: [electionSafety, stateMachineSafety],
      settled: (states) => whatLags(states.filter((state) => state !== null)),
      leads: ({ role }) => role === 'leader',
    }),
    clients: 3,
    thinkUs: milliseconds(60),
    paceUs: milliseconds(200),
    troubleUs: seconds(3),
  })
    .workload(direct('registers', 'register', (choice) => readOrWrite(`key-${choice.draw(3)}`, choice)))
    .faults(swarm(partition(), network.any(), crash(), blackout(), pause()))
    .always({
      name: 'Terms take time',
      holds: ({ simulation }) => {
        const terms = simulation.status().map((status) => (status?.state as RaftState | undefined)?.term ?? 0);
        const most = (MEMBERS * simulation.nowUs) / ELECTION_US;
        const term = Math.max(...terms);
        return term <= most ? true : `term ${term} came sooner than ${term} election time-outs`;
      },
    })
    .sometimes('the leader changes', ({ simulation }) =>
      simulation.status().some((status) => status?.leads === true && (status.state as RaftState).term > 2),
    )
    .eventually('one leader, and the same log everywhere', { withinUs: seconds(2) })
    .check(linearizable());
}

function readOrWrite(key: string, { draw, fresh }: Choice): Intent {
  return draw(2) === 0 ? { f: 'read', key, value: null } : { f: 'write', key, value: fresh() };
}
