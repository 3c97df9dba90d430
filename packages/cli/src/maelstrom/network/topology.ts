export const TOPOLOGIES = ['line', 'grid', 'tree2', 'tree3', 'tree4', 'total'] as const;
export type TopologyName = (typeof TOPOLOGIES)[number];

/** Every node's neighbours: a suggestion that a broadcast may follow. Connected and symmetric. */
export function topology(name: TopologyName, nodes: readonly string[]): Record<string, string[]> {
  const linked = linkOf(name, nodes.length);
  return Object.fromEntries(
    nodes.map((id, i) => [id, nodes.filter((_, j) => i !== j && linked(Math.min(i, j), Math.max(i, j)))]),
  );
}

/** Whether nodes i < j are neighbours. */
function linkOf(name: TopologyName, count: number): (i: number, j: number) => boolean {
  switch (name) {
    case 'line':
      return (i, j) => j === i + 1;
    case 'grid': {
      const side = Math.ceil(Math.sqrt(count));
      return (i, j) => j === i + side || (j === i + 1 && j % side !== 0);
    }
    case 'tree2':
      return parent(2);
    case 'tree3':
      return parent(3);
    case 'tree4':
      return parent(4);
    case 'total':
      return () => true;
  }
}

function parent(branches: number): (i: number, j: number) => boolean {
  return (i, j) => i === Math.floor((j - 1) / branches);
}
