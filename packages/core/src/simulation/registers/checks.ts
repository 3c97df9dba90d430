/** Each level is judged by its own checker, from one history in which they are mixed. */
import {
  checkCausal,
  checkLinearizable,
  checkSessions,
  type HistoryEvent,
  type Operation,
  pairOperations,
} from '../../checkers/index.ts';
import type { Level } from '../../registers/index.ts';
import { type Check, check, type Judgement } from '../scenario/check.ts';
import { type Asked, DELETED } from './workload.ts';

const VALID: Judgement = { result: 'valid', sentence: '' };

interface Told {
  readonly operation: Operation;
  readonly asked: Asked;
  /** The level that it was served at; null: it was not. */
  readonly level: Level | null;
  /** Written, or read. */
  readonly v: unknown;
}

function told(history: readonly HistoryEvent[]): Told[] {
  const asked = new Map(history.map((event) => [event.index, event]));
  return pairOperations(history).map((operation) => {
    const question = asked.get(operation.invokeIndex)?.value as Asked;
    const answer = operation.outcome === 'ok' ? (operation.value as { level: Level; v: unknown }) : null;
    const v = operation.f === 'write' ? question.v : (answer?.v ?? null);
    return { operation, asked: question, level: answer?.level ?? null, v };
  });
}

/**
 * Strong operations among themselves. A weaker write, and a strong one that was served as less, counts as one that
 * begins and never returns: acknowledged or not, a strong read may see it or not (DESIGN's table).
 */
export function strongLinearizable(): Check {
  return check('Linearizability of strong operations', (history) => {
    const operations = told(history);
    const seen = new Set(
      operations
        .filter(({ operation, level }) => operation.f === 'read' && level === 'strong')
        .map(({ operation, v }) => nameOf(operation.key, v)),
    );
    const events: (HistoryEvent & { at: number })[] = [];
    for (const each of operations) {
      const { operation, level, v } = each;
      const { f, key, invokedAt, completedAt, outcome } = operation;
      if (outcome === 'fail' || (f === 'read' && level !== 'strong')) continue;
      const returns = level === 'strong';
      // What never returns and was never seen need not have happened.
      if (!returns && !seen.has(nameOf(key, v))) continue;
      const event = { index: 0, process: invokedAt, f, key, value: f === 'read' ? null : v, time: 0 } as const;
      events.push({ ...event, type: 'invoke', at: invokedAt });
      if (returns) events.push({ ...event, type: 'ok', value: v, at: completedAt });
    }
    events.sort((a, b) => a.at - b.at);
    if (events.length === 0) return { result: 'unknown', sentence: 'no strong operation succeeded' };
    const numbered = events.map(({ process, type, f, key, value }, index) => ({
      index,
      process,
      type,
      f,
      key,
      value,
      time: 0,
    }));
    const { result, violation, reason } = checkLinearizable(numbered, { model: 'register' });
    return { result, sentence: violation?.sentence ?? reason ?? '' };
  });
}

/** Causal operations, each client's in its order; all other writes may come at any time after they begin. */
export function causalSessions(): Check {
  return check('Causal consistency', (history) => {
    const recorded = told(history)
      .filter(({ operation }) => !operation.key.startsWith(DELETED))
      .flatMap(({ operation, asked, level, v }, i) => {
        const { f, key, outcome, invokedAt, completedAt, process } = operation;
        if (outcome === 'fail') return [];
        const inSession = level === 'causal' && asked.level === 'causal';
        if (inSession) return [{ process, f, key, value: v, outcome, invokedAt, completedAt }];
        if (f === 'read') return [];
        const late = Number.POSITIVE_INFINITY;
        return [{ process: 1_000_000 + i, f, key, value: v, outcome: 'info' as const, invokedAt, completedAt: late }];
      });
    if (!recorded.some(({ f, outcome }) => f === 'read' && outcome === 'ok')) return VALID;
    const causal = checkCausal(recorded, { model: 'CCv' });
    if (causal.result !== 'valid')
      return { result: causal.result, sentence: causal.violations[0]?.sentence ?? causal.reason ?? '' };
    const sessions = checkSessions(recorded);
    return { result: sessions.result, sentence: sessions.violations[0]?.sentence ?? sessions.reason ?? '' };
  });
}

function nameOf(key: string, v: unknown): string {
  return JSON.stringify([key, v]);
}
