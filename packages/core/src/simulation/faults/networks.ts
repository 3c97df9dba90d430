import { CALM, type Weather } from '../world/network.ts';
import type { Draw, FaultSource, Scene } from './source.ts';

/** Loss, duplication, lateness, damage and narrow links, in any mixture, for a while. */
export const network = {
  any: (): FaultSource => weather('bad weather', 3, mixture),
  lossy: (): FaultSource => weather('loss', 1, (_, draw) => ({ lossPerMillion: draw(300_000) })),
  duplicating: (): FaultSource => weather('duplication', 1, (_, draw) => ({ duplicatePerMillion: draw(300_000) })),
  corrupting: (): FaultSource => weather('damage', 1, (_, draw) => ({ corruptPerMillion: draw(100_000) })),
  /** Some frames arrive long after those sent behind them. */
  reordering: (): FaultSource =>
    weather('reordering', 1, (scene, draw) => ({ spikePerMillion: draw(200_000), spikeUs: draw(scene.paceUs * 2) })),
  slow: (): FaultSource =>
    weather('slow network', 1, (scene, draw) => ({
      latency: { type: 'exponential', minUs: 100, meanUs: 1 + draw(scene.paceUs / 2) },
    })),
  narrow: (): FaultSource => weather('narrow network', 1, (_, draw) => ({ bytesPerSecond: 20_000 + draw(200_000) })),
};

function weather(name: string, weight: number, draw: (scene: Scene, draw: Draw) => Partial<Weather>): FaultSource {
  return {
    name,
    weight,
    plan: (scene, choose) => [
      { afterUs: 0, act: { type: 'weather', weather: { ...CALM, ...draw(scene, choose) } } },
      { afterUs: scene.paceUs + choose(scene.paceUs * 8), act: { type: 'weather', weather: CALM } },
    ],
  };
}

function mixture(scene: Scene, draw: Draw): Partial<Weather> {
  const sometimes = (bound: number): number => (draw(3) === 0 ? draw(bound) : 0);
  return {
    latency:
      draw(4) === 0
        ? { type: 'pareto', minUs: 100, alphaThousandths: 1_200 + draw(2_000) }
        : { type: 'uniform', minUs: 100, maxUs: 600 + draw(3_000) },
    lossPerMillion: sometimes(200_000),
    duplicatePerMillion: sometimes(200_000),
    corruptPerMillion: sometimes(20_000),
    spikePerMillion: sometimes(100_000),
    spikeUs: draw(draw(3) === 0 ? scene.paceUs * 20 : scene.paceUs * 2),
    bytesPerSecond: draw(12) === 0 ? 50_000 + draw(500_000) : 0,
  };
}
