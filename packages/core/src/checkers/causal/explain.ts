import type { Digraph, Edge } from '../graph/digraph.ts';
import { described, shown } from '../recorded.ts';
import type { Access, CausalHistory } from './history.ts';
import { ORDER } from './model.ts';

/** For instance: process 1's read of 2 at "x" (event 4). */
export function nameOf({ operation }: Access): string {
  return described(operation);
}

/** The shortest way from one access to another along edges in the mask; empty when there is none. */
export function pathBetween(graph: Digraph, from: number, to: number, mask: number): Edge[] {
  const cameBy = new Map<number, Edge>();
  let layer = [from];
  while (layer.length > 0 && !cameBy.has(to)) {
    const next: number[] = [];
    for (const node of layer) {
      for (let edge = graph.firstEdge(node); edge < graph.firstEdge(node + 1); edge++) {
        const target = graph.target(edge);
        if ((graph.label(edge) & mask) === 0 || cameBy.has(target) || target === from) continue;
        cameBy.set(target, { from: node, to: target, label: graph.label(edge), evidence: graph.evidence(edge) });
        next.push(target);
      }
    }
    layer = next;
  }
  const path: Edge[] = [];
  for (let edge = cameBy.get(to); edge !== undefined; edge = cameBy.get(edge.from)) path.push(edge);
  return path.reverse();
}

/** Why the first access of the path comes before the last, step by step; steps within a process are one. */
export function pathInWords(history: CausalHistory, path: readonly Edge[]): string {
  const words: string[] = [];
  let previous = 0;
  for (const edge of path) {
    const [before, after] = [history.access(edge.from), history.access(edge.to)];
    if (edge.label === ORDER.program) {
      if (previous === ORDER.program) words.pop();
      words.push(`then process ${after.operation.process} did its ${stepOf(after)}`);
    } else if (edge.label === ORDER.readsFrom) {
      words.push(`process ${after.operation.process} read that (event ${after.operation.invokedAt})`);
    } else {
      const reader = history.access(edge.evidence[0]);
      const saw = `${nameOf(reader)} saw ${stepOf(after)} and not ${shown(before.value)}, which came before that read`;
      words.push(`${stepOf(before)} must lose against ${stepOf(after)}, for ${saw}`);
    }
    previous = edge.label;
  }
  return words.join('; ');
}

function stepOf({ type, value, operation }: Access): string {
  return `${type} of ${shown(value)} at ${JSON.stringify(operation.key)} (event ${operation.invokedAt})`;
}
