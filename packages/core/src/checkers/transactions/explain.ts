import { assert, defined } from '../../base/assert.ts';
import type { Edge } from '../graph/digraph.ts';
import { canonical } from '../history.ts';
import { LABELS } from './dependencies.ts';
import type { Anomaly, Dependency, DependencyType, Transaction, TransactionViolation } from './model.ts';
import { INITIAL, type Interned, type TransactionHistory } from './parse.ts';
import { elementShown, keyShown } from './words.ts';

const DEPENDENCY_TYPES: readonly DependencyType[] = ['ww', 'wr', 'rw', 'process', 'realtime'];

const MEANING: Readonly<Partial<Record<Anomaly, string>>> = {
  G0: 'dirty write: writes of transactions are interleaved',
  G1c: 'circular information flow: each transaction builds on the other',
  'G-single': 'read skew: one transaction saw part of what another did',
  'G-nonadjacent': 'no snapshot explains these reads',
  'G2-item': 'write skew: each missed what another wrote',
};

/** A cycle in words: who took part, and a sentence for each edge with what it rests on. */
export function explainCycle(
  cycle: readonly Edge[],
  { transactions, interned, type }: TransactionHistory,
  anomaly: Anomaly,
): Omit<TransactionViolation, 'anomaly'> {
  const members = cycle.map(({ from }) => defined(transactions[from], 'a cycle leads through transactions'));
  const dependencies = cycle.map((edge, at): Dependency => {
    const to = (at + 1) % cycle.length;
    const [before, after] = [members[at], members[to]];
    assert(before !== undefined && after !== undefined, 'both ends of an edge are members of its cycle');
    const words = sentenceOf(typeOf(edge), edge, interned, type === 'list-append' ? 'appended' : 'wrote');
    const sentence = words(`T${at + 1}`, `T${to + 1}`, before, after);
    return { type: typeOf(edge), from: at, to, sentence };
  });
  const who = members.map(({ operation }, at) => {
    return `T${at + 1} is process ${operation.process}'s ${canonical(operation.value)} (event ${operation.invokedAt})`;
  });
  const meaning = MEANING[anomaly.replace(/-(process|realtime)$/, '') as Anomaly] ?? '';
  const why = dependencies.map(({ from, to, sentence }) => `T${from + 1} comes before T${to + 1}, for ${sentence}`);
  const sentence = `${anomaly}, ${meaning}. ${why.join('. ')}. So each comes before itself. ${who.join('; ')}.`;
  return { transactions: members.map(({ operation }) => operation), cycle: dependencies, sentence };
}

type Words = (before: string, after: string, first: Transaction, second: Transaction) => string;

function sentenceOf(type: DependencyType, { evidence: [one, other] }: Edge, interned: Interned, wrote: string): Words {
  const value = (element: number): string => elementShown(interned, element);
  const key = keyShown(interned, interned.keyOf[other === INITIAL ? one : other] ?? INITIAL);
  switch (type) {
    case 'ww':
      return (before, after) =>
        `${before} ${wrote} ${value(one)} to ${key} and ${after} ${wrote} ${value(other)} after it`;
    case 'wr':
      return (before, after) => `${before} ${wrote} ${value(one)} to ${key} and ${after} read it`;
    case 'rw':
      return (before, after) =>
        `${before} read ${key} when its newest value was ${value(one)}, without ${value(other)}, which ${after} ${wrote} later`;
    case 'process':
      return (before, after, { operation }) => `process ${operation.process} ran ${before} and then ${after}`;
    case 'realtime':
      return (before, after, first, second) =>
        `${before} was over (event ${first.operation.completedAt}) when ${after} began (event ${second.operation.invokedAt})`;
  }
}

function typeOf(edge: Edge): DependencyType {
  const type = DEPENDENCY_TYPES.find((each) => LABELS[each] === edge.label);
  return defined(type, 'an edge has one of the known labels');
}
