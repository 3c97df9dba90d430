import type { SeededStream } from '../seeded-stream.ts';

export interface Partition {
  readonly description: string;
  blocks(src: string, dest: string): boolean;
}

/** Parts that cannot reach each other. Clients and services belong to no part and reach everybody. */
export function partsPartition(parts: readonly (readonly string[])[]): Partition {
  const partOf = new Map(parts.flatMap((part, index) => part.map((id) => [id, index] as const)));
  return {
    description: parts.map((part) => part.join(',')).join(' | '),
    blocks: (src, dest) => {
      const [from, to] = [partOf.get(src), partOf.get(dest)];
      return from !== undefined && to !== undefined && from !== to;
    },
  };
}

/** Every node reaches a majority, but no two nodes the same one: each only its neighbours on a ring. */
export function ringPartition(ring: readonly string[]): Partition {
  const majority = Math.floor(ring.length / 2) + 1;
  const reach = Math.ceil((majority - 1) / 2);
  const place = new Map(ring.map((id, index) => [id, index]));
  return {
    description: `majorities on the ring ${ring.join(',')}`,
    blocks: (src, dest) => {
      const [from, to] = [place.get(src), place.get(dest)];
      if (from === undefined || to === undefined) return false;
      const distance = Math.abs(from - to);
      return Math.min(distance, ring.length - distance) > reach;
    },
  };
}

/** One alone, halves, or majorities on a ring. Needs two nodes at least. */
export function randomPartition(nodes: readonly string[], stream: SeededStream): Partition {
  const order = stream.shuffled(nodes);
  const kind = stream.below(nodes.length >= 4 ? 3 : 2);
  if (kind === 2) return ringPartition(order);
  const size = kind === 0 ? 1 : Math.floor(order.length / 2);
  return partsPartition([order.slice(0, size), order.slice(size)]);
}
