import type { Fault, Shape } from './fault.ts';
import { type Draw, type FaultSource, now, type PlannedStep, type Scene, shuffled } from './source.ts';

type Links = readonly (readonly [number, number])[];

/** Every link between the two groups, both ways. */
export function between(a: readonly number[], b: readonly number[]): Links {
  return a.flatMap((left) => b.flatMap((right) => [[left, right] as const, [right, left] as const]));
}

/**
 * - `split`: two groups that do not hear each other;
 * - `isolate`: the leader alone, or anyone when there is none;
 * - `one-way`: one member is not heard by another, or by all;
 * - `bridge`: two groups with one member that reaches both;
 * - `ring`: each member reaches only its two neighbours.
 */
export function partition(shape?: Shape | 'flapping'): FaultSource {
  const shapes: readonly Shape[] = ['split', 'isolate', 'one-way', 'bridge', 'ring'];
  return {
    name: shape === undefined ? 'partition' : `partition ${shape}`,
    weight: 3,
    plan: (scene, draw) => {
      if (scene.ids.length < 2) return [];
      const flaps = shape === 'flapping' || (shape === undefined && draw(8) === 0);
      const chosen = shape === undefined || shape === 'flapping' ? (shapes[draw(shapes.length)] as Shape) : shape;
      const cut: Fault = { type: 'partition', shape: chosen, links: linksOf(chosen, scene, draw) };
      return flaps ? flapping(cut, scene, draw) : now(cut);
    },
  };
}

/** A link that comes and goes, with gaps about as long as a time-out. */
function flapping(cut: Fault, scene: Scene, draw: Draw): PlannedStep[] {
  const steps: PlannedStep[] = [];
  let afterUs = 0;
  for (let i = 0; i < 6; i++) {
    steps.push({ afterUs, act: i % 2 === 0 ? cut : { type: 'heal' } });
    afterUs += 1 + draw(scene.paceUs * 2);
  }
  return steps;
}

function linksOf(shape: Shape, scene: Scene, draw: Draw): Links {
  const mixed = shuffled(scene.ids, draw);
  switch (shape) {
    case 'split': {
      const cut = 1 + draw(mixed.length - 1);
      return between(mixed.slice(0, cut), mixed.slice(cut));
    }
    case 'isolate': {
      const alone = scene.leader() || (mixed[0] as number);
      return between(
        [alone],
        mixed.filter((id) => id !== alone),
      );
    }
    case 'one-way': {
      const [from, ...others] = mixed as [number, ...number[]];
      return (draw(2) === 0 ? others.slice(0, 1) : others).map((to) => [from, to] as const);
    }
    case 'bridge': {
      const half = (mixed.length - 1) >> 1;
      return between(mixed.slice(0, half), mixed.slice(half + 1));
    }
    case 'ring':
      return mixed.flatMap((from, i) =>
        mixed.filter((_, j) => j !== i && !areNeighbours(i, j, mixed.length)).map((to) => [from, to] as const),
      );
  }
}

function areNeighbours(i: number, j: number, size: number): boolean {
  const apart = Math.abs(i - j);
  return apart === 1 || apart === size - 1;
}
