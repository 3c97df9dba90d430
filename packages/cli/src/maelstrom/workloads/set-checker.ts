import type { Operation } from '../operation.ts';
import { percentiles } from '../percentiles.ts';
import { canonical } from '../protocol.ts';
import { examples, type Findings, findings } from './workload.ts';

interface Element {
  readonly value: unknown;
  attempted: boolean;
  acknowledged: boolean;
  /** When somebody first knew that it is in the set: its acknowledgement, or the first read that showed it. */
  knownMs: number;
  observed: boolean;
  /** When the last read that missed it, though it was known, began. */
  missedMs: number;
  missingAtTheEnd: string[];
  duplicated: boolean;
}

/**
 * Grow-only sets, each `add` of one element, each `read` of all of them. An element that is known (acknowledged, or
 * shown by some read) must be in every final read: otherwise it is lost. It becomes stable when the last read that
 * misses it begins; one that is stable only later than it is known is stale. Stale is allowed, for such a set converges.
 */
export function checkGrowOnlySet(history: readonly Operation[], add: string): Findings {
  const elements = new Map<unknown, Element>();
  const reads = history
    .filter(({ f, outcome, result }) => f === 'read' && outcome === 'ok' && Array.isArray(result))
    .sort((a, b) => a.completedMs - b.completedMs);
  for (const operation of history) if (operation.f === add) noteAdd(elements, operation);
  for (const read of reads) noteSeen(elements, read);
  for (const read of reads) noteMissed(elements, read);
  return judge([...elements.values()], reads);
}

function elementOf(elements: Map<unknown, Element>, value: unknown): Element {
  const key = typeof value === 'number' ? value : canonical(value);
  let element = elements.get(key);
  if (element === undefined) {
    element = {
      value,
      attempted: false,
      acknowledged: false,
      knownMs: Number.POSITIVE_INFINITY,
      observed: false,
      missedMs: Number.NEGATIVE_INFINITY,
      missingAtTheEnd: [],
      duplicated: false,
    };
    elements.set(key, element);
  }
  return element;
}

function noteAdd(elements: Map<unknown, Element>, { value, outcome, completedMs }: Operation): void {
  const element = elementOf(elements, value);
  element.attempted = true;
  if (outcome !== 'ok') return;
  element.acknowledged = true;
  element.knownMs = Math.min(element.knownMs, completedMs);
}

function noteSeen(elements: Map<unknown, Element>, read: Operation): void {
  const inThisRead = new Set<Element>();
  for (const value of read.result as unknown[]) {
    const element = elementOf(elements, value);
    if (inThisRead.has(element)) element.duplicated = true;
    inThisRead.add(element);
    element.observed = true;
    element.knownMs = Math.min(element.knownMs, read.completedMs);
  }
}

function noteMissed(elements: Map<unknown, Element>, read: Operation): void {
  const shown = new Set((read.result as unknown[]).map((value) => elementOf(elements, value)));
  for (const element of elements.values()) {
    if (shown.has(element) || element.knownMs > read.invokedMs) continue;
    element.missedMs = Math.max(element.missedMs, read.invokedMs);
    if (read.final) element.missingAtTheEnd.push(read.node);
  }
}

function judge(elements: readonly Element[], reads: readonly Operation[]): Findings {
  const known = elements.filter((element) => element.acknowledged || element.observed);
  const lost = known.filter((element) => element.missingAtTheEnd.length > 0);
  const invented = elements.filter((element) => !element.attempted);
  const duplicated = elements.filter((element) => element.duplicated);
  const finalReads = reads.filter((read) => read.final);
  const stable = known.filter((element) => element.missingAtTheEnd.length === 0 && finalReads.length > 0);
  const latencies = stable.map((element) => Math.max(0, element.missedMs - element.knownMs));
  const violations: string[] = [];
  if (lost.length > 0) violations.push(sentenceOfLost(lost));
  if (invented.length > 0) {
    violations.push(`nobody added ${examples(invented.map(({ value }) => value))}, but reads show it`);
  }
  if (duplicated.length > 0) {
    violations.push(`one read shows the same element twice: ${examples(duplicated.map(({ value }) => value))}`);
  }
  const doubts: string[] = [];
  if (finalReads.length === 0) doubts.push('no final read succeeded, so nobody knows what was lost');
  else if (known.length === 0) doubts.push('no element was ever added');
  return findings(violations, doubts, {
    attempted: elements.length - invented.length,
    acknowledged: elements.filter((element) => element.acknowledged).length,
    stable: stable.length,
    stale: latencies.filter((latency) => latency > 0).length,
    lost: lost.length,
    stableLatencyMs: percentiles(latencies),
  });
}

function sentenceOfLost(lost: readonly Element[]): string {
  const nodes = [...new Set(lost.flatMap((element) => element.missingAtTheEnd))].sort();
  const what = examples(lost.map(({ value }) => value));
  return `${lost.length} known elements are lost, missing from the final reads of ${nodes.join(', ')}: ${what}`;
}
