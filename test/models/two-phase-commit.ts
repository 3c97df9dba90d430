/**
 * Two-phase commit as in J. Gray and L. Lamport, "Consensus on Transaction Commit" (2006), §3 and the TLA+ module
 * TwoPhase: one transaction manager, resource managers that prepare or abort by themselves, messages that stay.
 */
import type { Model } from '@polder/core/explore';

type ManagerState = 'working' | 'prepared' | 'committed' | 'aborted';

interface Manager {
  readonly state: ManagerState;
  /** Its "prepared" is among the messages. */
  readonly sentPrepared: boolean;
  /** The transaction manager has received it. */
  readonly heardPrepared: boolean;
}

export interface TwoPhaseState {
  readonly managers: readonly Manager[];
  readonly decision: 'none' | 'commit' | 'abort';
}

export type TwoPhaseAction =
  | { readonly type: 'commit' | 'abort' }
  | {
      readonly type: 'hearPrepared' | 'prepare' | 'chooseToAbort' | 'obeyCommit' | 'obeyAbort';
      readonly manager: number;
    };

export interface TwoPhaseOptions {
  readonly managers: number;
  readonly symmetry?: (state: TwoPhaseState) => TwoPhaseState;
  /** The transaction manager commits without having heard from everyone. */
  readonly hasty?: boolean;
}

export function twoPhaseCommit(options: TwoPhaseOptions): Model<TwoPhaseState, TwoPhaseAction> {
  const working: Manager = { state: 'working', sentPrepared: false, heardPrepared: false };
  const all = (state: TwoPhaseState, is: ManagerState) => state.managers.every((manager) => manager.state === is);
  return {
    initial: () => [{ managers: Array.from({ length: options.managers }, () => working), decision: 'none' }],
    actions: (state) => actionsIn(state, options.hasty === true),
    next,
    encode: ({ managers, decision }) =>
      decision +
      managers.map((each) => each.state[0] + (each.sentPrepared ? 's' : '-') + (each.heardPrepared ? 'h' : '-')),
    ...(options.symmetry && { representative: options.symmetry }),
    describe: (action) => ('manager' in action ? `${action.type} ${action.manager}` : action.type),
    always: [
      {
        name: 'consistent',
        sentence: 'one resource manager committed and another aborted',
        holds: ({ managers }) =>
          !(managers.some((each) => each.state === 'committed') && managers.some((each) => each.state === 'aborted')),
      },
    ],
    sometimes: [
      { name: 'all commit', reached: (state) => all(state, 'committed') },
      { name: 'all abort', reached: (state) => all(state, 'aborted') },
    ],
    atEnd: [
      {
        name: 'decided',
        sentence: 'nothing more can happen, and some resource manager has neither committed nor aborted',
        holds: ({ managers }) => managers.every((each) => each.state === 'committed' || each.state === 'aborted'),
      },
    ],
  };
}

function actionsIn({ managers, decision }: TwoPhaseState, hasty: boolean): TwoPhaseAction[] {
  const actions: TwoPhaseAction[] = [];
  if (decision === 'none') {
    if (managers.every((each) => (hasty ? each.sentPrepared || each.state === 'aborted' : each.heardPrepared))) {
      actions.push({ type: 'commit' });
    }
    actions.push({ type: 'abort' });
  }
  managers.forEach((each, manager) => {
    if (decision === 'none' && each.sentPrepared) actions.push({ type: 'hearPrepared', manager });
    if (each.state === 'working') actions.push({ type: 'prepare', manager }, { type: 'chooseToAbort', manager });
    if (decision === 'commit') actions.push({ type: 'obeyCommit', manager });
    if (decision === 'abort') actions.push({ type: 'obeyAbort', manager });
  });
  return actions;
}

function next(state: TwoPhaseState, action: TwoPhaseAction): TwoPhaseState {
  const change = (at: number, changes: Partial<Manager>): TwoPhaseState => ({
    ...state,
    managers: state.managers.map((manager, i) => (i === at ? { ...manager, ...changes } : manager)),
  });
  switch (action.type) {
    case 'commit':
    case 'abort':
      return { ...state, decision: action.type };
    case 'hearPrepared':
      return change(action.manager, { heardPrepared: true });
    case 'prepare':
      return change(action.manager, { state: 'prepared', sentPrepared: true });
    case 'chooseToAbort':
    case 'obeyAbort':
      return change(action.manager, { state: 'aborted' });
    case 'obeyCommit':
      return change(action.manager, { state: 'committed' });
  }
}

const rank = ({ state }: Manager) => ['working', 'prepared', 'committed', 'aborted'].indexOf(state);
const sorted = (state: TwoPhaseState, order: (manager: Manager) => number): TwoPhaseState => ({
  ...state,
  managers: [...state.managers].sort((a, b) => order(a) - order(b)),
});

/** All that is known of a resource manager goes into the order: one representative for each class. */
export function bySorting(state: TwoPhaseState): TwoPhaseState {
  return sorted(
    state,
    (manager) => rank(manager) * 4 + (manager.sentPrepared ? 2 : 0) + (manager.heardPrepared ? 1 : 0),
  );
}

/** As stateright's example: only their own states are sorted, so that a class may keep several representatives. */
export function bySortingStates(state: TwoPhaseState): TwoPhaseState {
  return sorted(state, rank);
}
