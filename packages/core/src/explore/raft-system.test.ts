import { describe, expect, it } from 'vitest';
import type { RaftMessage, RaftRules } from '../consensus/raft/index.ts';
import type { Effect } from '../consensus/replica.ts';
import { type Exploration, type ExploreOptions, explore } from './explorer.ts';
import { raftSystem } from './raft-system.ts';
import type { ExplorableSystem, SystemBounds } from './system.ts';
import { type SystemAction, SystemModel, type SystemState } from './system-model.ts';

const NOTHING: SystemBounds = { timeouts: 0, proposals: 0, crashes: 0, duplicates: 0, drops: 0, persists: 'immediate' };

interface Walked extends Exploration<SystemState, SystemAction> {
  /** Different states of single members that the walk met. */
  readonly locals: number;
}

function walk(
  system: ExplorableSystem<RaftMessage>,
  bounds: Partial<SystemBounds>,
  options: ExploreOptions = {},
): Walked {
  const model = new SystemModel(system, { ...NOTHING, ...bounds });
  return { ...explore(model, options), locals: model.computed.locals };
}

/** SPEC.md lists these and larger ones. */
const SCOPES: readonly [bounds: Partial<SystemBounds>, states: number, transitions: number, depth: number][] = [
  [{ timeouts: 1 }, 78, 139, 12],
  [{ timeouts: 2 }, 4_471, 9_674, 21],
  [{ timeouts: 2, duplicates: 1 }, 32_286, 83_908, 22],
  [{ timeouts: 2, crashes: 1 }, 52_095, 123_081, 23],
  [{ timeouts: 1, proposals: 1, persists: 'delayed' }, 9_178, 24_336, 31],
  [{ timeouts: 1, proposals: 1, crashes: 1, persists: 'delayed' }, 110_495, 306_530, 32],
];

describe("production's Raft with three members, explored whole", () => {
  it.each(SCOPES)('E11: keeps the promises of Figure 3 within %j', (bounds, states, transitions, depth) => {
    const walked = walk(raftSystem(), bounds);
    expect(walked).toMatchObject({ complete: true, violation: null, states, transitions, depth, unreached: [] });
  });

  it('E11: of a walk that is cut short it is not said that it was complete', () => {
    const model = new SystemModel(raftSystem(), { ...NOTHING, timeouts: 2 });
    expect(explore(model, { maxStates: 4_470 })).toMatchObject({ complete: false, stoppedBy: 'maxStates' });
    expect(explore(model, { maxDepth: 20 })).toMatchObject({ complete: false, stoppedBy: 'maxDepth' });
  });

  it('E2: has as many states by whole encodings as by fingerprints', () => {
    const model = new SystemModel(raftSystem(), { ...NOTHING, timeouts: 2, duplicates: 1 });
    expect(explore(model, { exact: true })).toMatchObject({ complete: true, states: 32_286, transitions: 83_908 });
  });
});

describe('what makes the scope smaller loses nothing', () => {
  it('E12: without symmetry there are more states, as deep, and the same verdict', () => {
    for (const [bounds, states] of [
      [{ timeouts: 1 }, 253],
      [{ timeouts: 2 }, 12_985],
    ] as const) {
      const all = walk(raftSystem({ symmetry: false }), bounds);
      expect(all).toMatchObject({ complete: true, violation: null, states });
      expect(all.depth).toBe(walk(raftSystem(), bounds).depth);
    }
  });

  it('E12: without symmetry a broken rule is found at the same depth', () => {
    for (const [, rules, bounds] of BROKEN.slice(0, 3)) {
      const [all, some] = [false, true].map((symmetry) => walk(raftSystem({ rules, symmetry }), bounds));
      expect(all?.violation?.actions.length).toBe(some?.violation?.actions.length);
      expect(all?.violation?.property).toBe(some?.violation?.property);
    }
  });

  it('E13: members get into the same states whether or not what they ignore is taken off the network', () => {
    for (const [notices, bounds, maxDepth] of [
      [false, { timeouts: 1, proposals: 1, persists: 'delayed' }, 40],
      [true, { timeouts: 1, crashes: 1 }, 40],
      // Two elections, told of each other's terms: whole, that is a million states.
      [true, { timeouts: 2 }, 13],
    ] as const) {
      const system = raftSystem({ notices });
      const taken = walk(system, bounds, { maxDepth });
      const left = walk({ ...system, ignores: () => false }, bounds, { maxDepth });
      expect(taken.locals).toBe(left.locals);
      expect(taken.states).toBeLessThan(left.states);
      expect(left.violation).toBeNull();
    }
  });

  it('E14: a lost message brings no member into a state that a late one does not', () => {
    const bounds = { timeouts: 1, proposals: 1 };
    const [lossy, late] = [walk(raftSystem(), { ...bounds, drops: 1 }), walk(raftSystem(), bounds)];
    expect(lossy.locals).toBe(late.locals);
    expect(lossy.states).toBeGreaterThan(late.states);
  });
});

/** Broken rules that two or three elections show: what the walk finds first is one of the shortest ways. */
const BROKEN: readonly [string, Partial<RaftRules>, Partial<SystemBounds>, property: string, depth: number][] = [
  [
    'S1: half of the members is a majority',
    { majority: (n) => Math.floor(n / 2) },
    { timeouts: 2 },
    'Election Safety',
    2,
  ],
  [
    'R7: an acknowledgement covers one entry too many',
    { matchIndex: (p, n) => p + n + 1 },
    { timeouts: 1 },
    'Assertions',
    7,
  ],
  ['R2: a member votes as often as it is asked', { mayGrantVote: () => true }, { timeouts: 2 }, 'Election Safety', 10],
  ['R3: a voter does not compare logs', { isUpToDate: () => true }, { timeouts: 2 }, 'Leader Completeness', 12],
  [
    'R5: an entry of another term is not a conflict',
    { conflicts: () => false, mayTruncate: () => false },
    { timeouts: 2 },
    'State Machine Safety',
    13,
  ],
];

describe('a broken rule is found', () => {
  it.each(BROKEN)('E15 %s', (_, rules, bounds, property, depth) => {
    const { violation } = walk(raftSystem({ rules }), bounds);
    expect(violation?.property).toBe(property);
    expect(violation?.actions).toHaveLength(depth);
  });

  it('E15 R3: a voter that compares indexes only, from where an old leader has the longer log', () => {
    const start = [
      { term: 1, log: [1, 1] },
      { term: 2, log: [2] },
      { term: 2, log: [2] },
    ];
    const rules: Partial<RaftRules> = { isUpToDate: (candidate, voter) => candidate.index >= voter.index };
    expect(walk(raftSystem({ start, rules }), { timeouts: 2 }).violation).toMatchObject({
      property: 'Leader Completeness',
      sentence: 'member 1 leads term 4 without the entry at index 1, committed in term 3',
    });
    expect(walk(raftSystem({ start }), { timeouts: 2 })).toMatchObject({ complete: true, violation: null });
  });

  it('E15 R1: an entry of an earlier term is committed by counting, from Figure 8 (b)', () => {
    const rules: Partial<RaftRules> = { mayCommit: () => true };
    const start = [
      { term: 2, log: [1] },
      { term: 2, log: [2] },
      { term: 2, log: [] },
    ];
    const bounds = { timeouts: 2, crashes: 1, persists: 'delayed' } as const;
    const { violation } = walk(onlyCampaigning([1, 2], raftSystem({ start, rules })), bounds);
    expect(violation?.property).toBe('Leader Completeness');
    expect(violation?.actions).toHaveLength(22);
  });
});

/** The others' requests for votes are lost: what they would lead to is left out, and the way found is a way all the same. */
function onlyCampaigning(
  members: readonly number[],
  system: ExplorableSystem<RaftMessage>,
): ExplorableSystem<RaftMessage> {
  return change(system, (effect, member) => {
    const asks = effect.type === 'send' && effect.message.type === 'requestVote';
    return asks && !members.includes(member) ? null : effect;
  });
}

type RaftEffect = Effect<RaftMessage>;

function change(
  system: ExplorableSystem<RaftMessage>,
  effectOf: (effect: RaftEffect, member: number) => RaftEffect | null,
): ExplorableSystem<RaftMessage> {
  return {
    ...system,
    create: (member, outbox) =>
      system.create(member, {
        put: (effect) => {
          const changed = effectOf(effect, member);
          if (changed !== null) outbox.put(changed);
        },
      }),
  };
}

describe('a driver that does not wait for the disk is found', () => {
  const delayed = { timeouts: 2, crashes: 1, persists: 'delayed' } as const;

  it('E15 R2: messages leave before what they promise is durable', () => {
    const hasty = change(raftSystem(), (effect) => (effect.type === 'send' ? { ...effect, after: 0 } : effect));
    const { violation } = walk(hasty, delayed);
    expect(violation?.property).toBe('Election Safety');
    expect(violation?.actions).toHaveLength(13);
    expect(violation?.described).toContain('member 3 crashes and starts again');
  });

  it('E15 R28: entries are applied before they are durable', () => {
    const hasty = change(raftSystem(), (effect) => (effect.type === 'apply' ? { ...effect, after: 0 } : effect));
    expect(walk(hasty, { ...delayed, timeouts: 1 }).violation?.property).toBe('Durable Before Applied');
  });
});
