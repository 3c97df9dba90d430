import type { DiskOperation } from '../../world/world.ts';
import { anyOf, type Draw, type FaultSource, now, type Scene } from './source.ts';

/** Rot is told from tearing only where a later batch bears witness: so only the first quarter of a file this long rots. */
const ROT_LEAST_BYTES = 8_192;

export const disk = {
  /** An operation fails. The member must stop, and may be started again (PITFALLS R24). */
  error(): FaultSource {
    const kinds: readonly [DiskOperation['type'], string][] = [
      ['sync', 'EIO'],
      ['append', 'EIO'],
      ['append', 'ENOSPC'],
      ['syncDirectory', 'EIO'],
      ['read', 'EIO'],
    ];
    return {
      name: 'disk error',
      weight: 1,
      plan: (scene, draw) => {
        const [operation, code] = kinds[draw(kinds.length)] as [DiskOperation['type'], string];
        return now({ type: 'diskError', member: anyOf(scene.ids, draw), operation, code });
      },
    };
  },

  /** No room for a while. */
  full(): FaultSource {
    return {
      name: 'disk full',
      weight: 1,
      plan: (scene, draw) => {
        const member = anyOf(scene.ids, draw);
        return [
          { afterUs: 0, act: { type: 'diskFull', member, full: true } },
          { afterUs: draw(scene.paceUs * 10), act: { type: 'diskFull', member, full: false } },
        ];
      },
    };
  },

  /** One member's disk, or all of them at once: what is being written stays in doubt for long. */
  slow(): FaultSource {
    return {
      name: 'disk slow',
      weight: 1,
      plan: (scene, draw) => {
        const slow = draw(2) === 0 ? [anyOf(scene.ids, draw)] : scene.ids;
        const times = 2 + draw(200);
        const untilUs = scene.paceUs + draw(scene.paceUs * 15);
        return slow.flatMap((member) => [
          { afterUs: 0, act: { type: 'diskSlow', member, times } },
          { afterUs: untilUs, act: { type: 'diskSlow', member, times: 1 } },
        ]);
      },
    };
  },

  /** A disk is gone; the member starts again with an empty one, under its old name (PITFALLS R26). */
  lost(): FaultSource {
    return {
      name: 'disk lost',
      weight: 1,
      plan: (scene, draw) => {
        const member = anyOf(scene.ids, draw);
        return [
          { afterUs: 0, act: { type: 'wipe', member } },
          { afterUs: draw(scene.paceUs * 2), act: { type: 'restart', member } },
        ];
      },
    };
  },

  /** Bits that were durable flip. */
  rot(): FaultSource {
    return {
      name: 'bit rot',
      weight: 1,
      plan: (scene, draw) => {
        const place = placeOf(scene, draw);
        return place === null ? [] : now({ type: 'rot', ...place, bit: draw(8) });
      },
    };
  },

  /** A write lands somewhere else in its file. */
  misdirect(): FaultSource {
    return {
      name: 'misdirected write',
      weight: 1,
      plan: (scene, draw) => {
        const place = placeOf(scene, draw);
        return place === null ? [] : now({ type: 'misdirect', ...place });
      },
    };
  },
};

function placeOf(scene: Scene, draw: Draw): { member: number; file: string; offset: number } | null {
  const member = anyOf(scene.ids, draw);
  const files = [...scene.durableSizes(member)].filter(([, bytes]) => bytes >= ROT_LEAST_BYTES);
  const found = files[draw(Math.max(1, files.length))];
  return found === undefined ? null : { member, file: found[0], offset: draw(found[1] >> 2) };
}

export const clock = {
  /** Each member's clocks run at a pace of their own, up to so many parts per million fast or slow. */
  drift(ppm: number): FaultSource {
    return {
      name: 'clock drift',
      weight: 1,
      plan: (scene, draw) => {
        const member = anyOf(scene.ids, draw);
        return now({ type: 'clock', member, driftPpm: draw(2 * ppm + 1) - ppm, stepMs: 0 });
      },
    };
  },

  /** A wall clock is set, forward or back. */
  jump(ms: number): FaultSource {
    return {
      name: 'clock jump',
      weight: 1,
      plan: (scene, draw) =>
        now({ type: 'clock', member: anyOf(scene.ids, draw), driftPpm: 0, stepMs: draw(2 * ms + 1) - ms }),
    };
  },
};
