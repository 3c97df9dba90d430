import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TIMEOUT_MS, trials } from '../recorded.test-support.ts';
import { componentsOf, levelsOf } from './components.ts';
import { CycleSearch, type CycleShape } from './cycles.ts';
import { type Digraph, DigraphBuilder, type Edge } from './digraph.ts';

const [SOLID, DASHED, DOTTED] = [1, 2, 4];
type Arrow = readonly [from: number, to: number, label: number];

const PLAIN_NODES = 5;
const JUNCTIONS = 2;

/** A junction's way in and way out have one label, as they do wherever junctions are used. */
function graphOf(arrows: readonly Arrow[], junctions: readonly (readonly [number[], number[], number])[]): Digraph {
  const builder = new DigraphBuilder(PLAIN_NODES);
  for (const [from, to, label] of arrows) builder.addEdge(from, to, label);
  for (const [before, after, label] of junctions) {
    const junction = builder.addJunction();
    for (const from of before) builder.addEdge(from, junction, label);
    for (const to of after) if (!before.includes(to)) builder.addEdge(junction, to, label);
  }
  return builder.build();
}

const label = fc.constantFrom(SOLID, DASHED, DOTTED);
const node = fc.nat(PLAIN_NODES - 1);
const graphs = fc
  .record({
    arrows: fc.array(fc.tuple(node, node, label), { maxLength: 9 }),
    junctions: fc.array(fc.tuple(fc.array(node, { maxLength: 2 }), fc.array(node, { maxLength: 2 }), label), {
      maxLength: JUNCTIONS,
    }),
  })
  .map(({ arrows, junctions }) => {
    const through = junctions.flatMap(([before, after, by]) =>
      before.flatMap((from) => after.filter((to) => !before.includes(to)).map((to): Arrow => [from, to, by])),
    );
    const all = [...arrows, ...through].filter(([from, to]) => from !== to);
    return { graph: graphOf(arrows, junctions), arrows: all };
  });

/** Closed walks up to a length, by trying them all. */
function shortestByTrying(arrows: readonly Arrow[], { start, rest, apart = 0 }: CycleShape): number | null {
  for (let length = 2; length <= 2 * PLAIN_NODES; length++) {
    for (const first of arrows) {
      if ((first[2] & start) === 0) continue;
      let ends: { at: number; guarded: boolean }[] = [{ at: first[1], guarded: (first[2] & apart) !== 0 }];
      for (let step = 1; step < length; step++) {
        const next = ends.flatMap(({ at, guarded }) =>
          arrows
            .filter(([from, , by]) => from === at && (by & rest) !== 0 && !(guarded && (by & apart) !== 0))
            .map(([, to, by]) => ({ at: to, guarded: (by & apart) !== 0 })),
        );
        ends = [...new Map(next.map((end) => [`${end.at} ${end.guarded}`, end])).values()];
      }
      if (ends.some(({ at, guarded }) => at === first[0] && !(guarded && (first[2] & apart) !== 0))) return length;
    }
  }
  return null;
}

function shortestFound(graph: Digraph, shape: CycleShape): Edge[] | null {
  const { of, cyclic } = componentsOf(graph, shape.start | shape.rest);
  const search = new CycleSearch(graph, 1_000_000);
  const all = cyclic.map((members) => search.shortest(members, of, shape, search.levels(shape)));
  expect(search.exhaustive).toBe(true);
  return all.filter((cycle) => cycle !== null).sort((a, b) => a.length - b.length)[0] ?? null;
}

describe('cycles', () => {
  test.each<[string, CycleShape]>([
    ['of one kind of edge', { start: SOLID, rest: SOLID }],
    ['with one edge of a kind at least', { start: DASHED, rest: SOLID | DASHED }],
    ['with exactly one edge of a kind', { start: DOTTED, rest: SOLID | DASHED }],
    ['with edges that keep apart', { start: DOTTED, rest: SOLID | DOTTED, apart: DOTTED }],
  ])(
    'the shortest cycle %s is found, as by trying all walks',
    (_, shape) => {
      fc.assert(
        fc.property(graphs, ({ graph, arrows }) => {
          const cycle = shortestFound(graph, shape);
          expect(cycle?.length ?? null).toBe(shortestByTrying(arrows, shape));
          for (const [at, edge] of (cycle ?? []).entries()) {
            expect(edge.to).toBe(cycle?.[(at + 1) % cycle.length]?.from);
            expect(arrows.some(([from, to, by]) => from === edge.from && to === edge.to && by === edge.label)).toBe(
              true,
            );
          }
        }),
        trials(1_500),
      );
    },
    TIMEOUT_MS,
  );

  test(
    'components are the nodes that reach each other',
    () => {
      fc.assert(
        fc.property(graphs, ({ graph, arrows }) => {
          const reach = (from: number): Set<number> => {
            const seen = new Set<number>();
            for (const stack = [from]; stack.length > 0; ) {
              const at = stack.pop() as number;
              for (const [source, to] of arrows) if (source === at && !seen.has(to)) stack.push((seen.add(to), to));
            }
            return seen;
          };
          const { cyclic } = componentsOf(graph, SOLID | DASHED | DOTTED);
          for (let a = 0; a < PLAIN_NODES; a++) {
            for (let b = 0; b < a; b++) {
              const together = cyclic.some((members) => members.includes(a) && members.includes(b));
              expect(together).toBe(reach(a).has(b) && reach(b).has(a));
            }
          }
        }),
        trials(1_500),
      );
    },
    TIMEOUT_MS,
  );

  test(
    'an edge leads to a higher level, unless it lies on a cycle or behind one',
    () => {
      fc.assert(
        fc.property(graphs, ({ graph, arrows }) => {
          const levels = levelsOf(graph, SOLID | DASHED);
          for (const [from, to, by] of arrows) {
            if ((by & (SOLID | DASHED)) === 0 || levels[to] === -1) continue;
            expect(levels[from]).toBeGreaterThanOrEqual(0);
            expect(levels[to]).toBeGreaterThan(levels[from] as number);
          }
        }),
        trials(1_500),
      );
    },
    TIMEOUT_MS,
  );

  test('a path of a million nodes needs no stack', () => {
    const builder = new DigraphBuilder(1_000_000);
    for (let at = 1; at < 1_000_000; at++) builder.addEdge(at - 1, at, SOLID);
    expect(componentsOf(builder.build(), SOLID).cyclic).toEqual([]);
  });
});
