import type { Progress } from './progress.ts';

/** What happens to a proposal. A member that forwards one to its leader sees no `replicated`. */
export const PHASES = ['received', 'proposed', 'durable', 'replicated', 'committed', 'applied', 'answered'] as const;
export type Phase = (typeof PHASES)[number];

export interface Moment {
  readonly phase: Phase;
  readonly timeUs: number;
}

export interface Life {
  /** The driver's id. */
  readonly id: number;
  readonly receivedUs: number;
  /** In the log; 0: it got no place there that this member knows of. */
  readonly index: number;
  readonly appliedUs: number;
  readonly answeredUs: number;
}

/**
 * The moments of one proposal, by time. A leader's disk and the network work side by side (dissertation §10.2.1), so
 * `durable` and `replicated` come in either order.
 */
export function momentsOf(life: Life, progress: Progress): Moment[] {
  const { id, index, receivedUs, appliedUs, answeredUs } = life;
  const times: Record<Phase, number | null> = {
    received: receivedUs,
    proposed: progress.proposed.timeOf(id),
    durable: index === 0 ? null : progress.durable.timeOf(index),
    replicated: index === 0 ? null : progress.replicated.timeOf(index),
    committed: index === 0 ? null : progress.committed.timeOf(index),
    applied: index === 0 ? null : appliedUs,
    answered: answeredUs,
  };
  const moments: Moment[] = [];
  for (const phase of PHASES) {
    const timeUs = times[phase];
    // A watermark takes steps that lie close together as one, at the time of the first.
    if (timeUs !== null) moments.push({ phase, timeUs: Math.min(Math.max(timeUs, receivedUs), answeredUs) });
  }
  return moments.sort((a, b) => a.timeUs - b.timeUs);
}

/** How long each phase took after the one before it, in milliseconds: the parts' sum is the whole. */
export function partsOf(moments: readonly Moment[]): Partial<Record<Phase, number>> {
  const parts: Partial<Record<Phase, number>> = {};
  let beforeUs = moments[0]?.timeUs ?? 0;
  for (const { phase, timeUs } of moments.slice(1)) {
    parts[phase] = (timeUs - beforeUs) / 1_000;
    beforeUs = timeUs;
  }
  return parts;
}
