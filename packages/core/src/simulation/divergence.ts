/** Two runs that should be one: where do they part? */
import type { Step } from './step-log.ts';

/** A run that can be asked about any of its events. A `Timeline` is one; so is what another engine tells of its run. */
export interface Strand {
  /** The rolling hash after this event; of the end when there are fewer. 0 at event 0. */
  hashAt(event: number): number;
  /** What happened after the event before, up to this one; behind the last event, what came after it. */
  stepsAt(event: number): readonly Step[];
  reaches(event: number): boolean;
}

export interface Divergence {
  /** The first event at which the hashes differ. */
  readonly event: number;
  /** The first step that differs; null: that run had come to its end. */
  readonly a: Step | null;
  readonly b: Step | null;
  /** For people: both, and in what they differ. */
  readonly sentence: string;
}

const STRIDE_EVENTS = 1_024;

/** The first event that two runs do not share; null when they are the same to the end. Hashes roll: once apart, they stay so. */
export function firstDivergence(a: Strand, b: Strand): Divergence | null {
  let low = 0;
  let high = STRIDE_EVENTS;
  while (a.hashAt(high) === b.hashAt(high)) {
    if (!a.reaches(high) && !b.reaches(high)) return null;
    low = high;
    high += STRIDE_EVENTS;
  }
  // At low they agree, at high they do not.
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (a.hashAt(middle) === b.hashAt(middle)) low = middle;
    else high = middle;
  }
  return describe(high, a.stepsAt(high), b.stepsAt(high));
}

/** The events between which two lists of hashes, one noted after every `every` events, part; null: they do not. */
export function divergentStretch(
  a: readonly number[],
  b: readonly number[],
  every: number,
): { readonly after: number; readonly upTo: number } | null {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a[i] !== b[i]) return { after: i * every, upTo: (i + 1) * every };
  }
  return null;
}

function describe(event: number, stepsA: readonly Step[], stepsB: readonly Step[]): Divergence {
  let i = 0;
  while (i < stepsA.length && stepsA[i]?.fingerprint === stepsB[i]?.fingerprint) i++;
  const a = stepsA[i] ?? null;
  const b = stepsB[i] ?? null;
  if (a === null || b === null) {
    const ended = a === null ? 'the first' : 'the second';
    const sentence = `at event ${event} ${ended} run is over, while in the other: ${formatStep(a ?? b)}`;
    return { event, a, b, sentence };
  }
  const names = ['timeUs', 'sequence', 'member', 'kind', 'from', 'frameKind', 'draws', 'events'] as const;
  const differing = names.filter((name) => a[name] !== b[name]).map((name) => `${name} ${a[name]} or ${b[name]}`);
  const difference = differing.length === 0 ? 'what was hashed before' : differing.join(', ');
  const sentence = `at event ${event} they differ in ${difference}\n  one:   ${formatStep(a)}\n  other: ${formatStep(b)}`;
  return { event, a, b, sentence };
}

function formatStep(step: Step | null): string {
  if (step === null) return 'nothing';
  const { timeUs, member, kind, from, frameKind, draws, sequence } = step;
  const what = kind === 'frame' ? `frame ${frameKind} from member ${from}` : kind;
  return `${timeUs} µs, member ${member}: ${what} (sequence ${sequence}, ${draws} draws)`;
}
