import { componentsOf } from '../graph/components.ts';
import { CycleSearch, type CycleShape } from '../graph/cycles.ts';
import type { Digraph, Edge } from '../graph/digraph.ts';
import { LABELS } from './dependencies.ts';
import { explainCycle } from './explain.ts';
import type { Findings } from './findings.ts';
import type { Anomaly, TimeOrder } from './model.ts';
import type { TransactionHistory } from './parse.ts';

const { ww, wr, rw } = LABELS;

/** From the gravest on; a `lesser` shape is not looked for in a knot that has shown a graver cycle. */
const SHAPES: readonly (CycleShape & { readonly lesser: boolean })[] = [
  { start: ww, rest: ww, lesser: false },
  { start: wr, rest: ww | wr, lesser: false },
  { start: rw, rest: ww | wr, lesser: false },
  { start: rw, rest: ww | wr | rw, apart: rw, lesser: true },
  { start: rw, rest: ww | wr | rw, lesser: true },
];

/**
 * Looks for cycles of dependencies and adds them, one of each kind for each knot (strongly connected component), the
 * shortest there is. Without a knot, which is the usual case, it costs two passes over the graph. Returns whether the
 * search was exhaustive: if not, a cycle was found wherever there is one, but a graver or a shorter one may exist.
 */
export function findCycles(
  graph: Digraph,
  history: TransactionHistory,
  timeOrder: TimeOrder,
  findings: Findings,
  maxVisits: number,
): boolean {
  const inTime = timeOrder === 'none' ? 0 : LABELS[timeOrder];
  const all = componentsOf(graph, ww | wr | rw | inTime);
  if (all.cyclic.length === 0) return true;
  const search = new CycleSearch(graph, maxVisits);
  const told = new Uint8Array(graph.nodes);
  const look = (shape: CycleShape, lesser: boolean): void => {
    const { of, cyclic } = componentsOf(graph, shape.start | shape.rest, all.of);
    const levels = cyclic.length === 0 ? null : search.levels(shape);
    for (const members of cyclic) {
      if (lesser && members.some((node) => told[node] === 1)) continue;
      const cycle = search.shortest(members, of, shape, levels);
      if (cycle === null) continue;
      for (const { from } of cycle) told[from] = 1;
      findings.add(anomalyOf(cycle), () => explainCycle(cycle, history, anomalyOf(cycle)));
    }
  };
  for (const shape of SHAPES) look(shape, shape.lesser);
  if (inTime !== 0) {
    for (const shape of SHAPES) {
      if (shape.apart === undefined) look({ start: shape.start, rest: shape.rest | inTime }, true);
    }
  }
  return search.exhaustive;
}

/** The name goes by the edges that are really there, so that it is right even where a search was cut short. */
function anomalyOf(cycle: readonly Edge[]): Anomaly {
  const count = (label: number): number => cycle.filter((edge) => edge.label === label).length;
  const adjacent = cycle.some((edge, at) => edge.label === rw && cycle[(at + 1) % cycle.length]?.label === rw);
  const suffix = count(LABELS.realtime) > 0 ? '-realtime' : count(LABELS.process) > 0 ? '-process' : '';
  if (count(rw) > 1) return suffix === '' && !adjacent ? 'G-nonadjacent' : `G2-item${suffix}`;
  if (count(rw) === 1) return `G-single${suffix}`;
  return `${count(wr) > 0 ? 'G1c' : 'G0'}${suffix}`;
}
