/** How throughput and CPU of puts change with the number of members, the size of values and the number of keys. */
import { writeFileSync } from 'node:fs';
import { Cluster, storesHere } from './cluster.ts';
import { inTurns, type Measured, summarize } from './kv.ts';
import { Load } from './load.ts';
import { type Panel, svgOf } from './log-chart.ts';

const FILE = 'docs/images/growth.svg';
const CALLERS = 64;
const BASE = { members: 3, valueBytes: 256, keys: 1_000 } as const;
const FULL = { rounds: 3, sliceMs: 1_500 } as const;
const QUICK = { rounds: 2, sliceMs: 800 } as const;
const WARM_UP_MS = 1_500;
const COLORS = { polder: '#2f7fd6', etcd: '#d6802f' } as const;

const AXES = [
  { name: 'members', title: 'members', values: [1, 3, 5, 7] },
  { name: 'valueBytes', title: 'bytes a value', values: [16, 256, 4_096, 16_384] },
  { name: 'keys', title: 'keys', values: [1_000, 10_000, 100_000, 1_000_000] },
] as const;

export interface Point {
  readonly axis: (typeof AXES)[number]['name'];
  readonly value: number;
  readonly measured: readonly { readonly store: 'polder' | 'etcd'; readonly put: Measured }[];
}

export async function benchGrowth(progress: (line: string) => void, quick: boolean): Promise<Point[]> {
  const plan = quick ? QUICK : FULL;
  const points: Point[] = [];
  for (const { name, values } of AXES) {
    for (const value of quick ? values.slice(0, 3) : values) {
      progress(`measuring puts, ${name}: ${value}`);
      points.push({ axis: name, value, measured: await measure({ ...BASE, [name]: value }, plan) });
    }
  }
  writeFileSync(FILE, svgOf(panelsOf(points), 2));
  return points;
}

async function measure(
  shape: { members: number; valueBytes: number; keys: number },
  plan: { readonly rounds: number; readonly sliceMs: number },
): Promise<Point['measured']> {
  const loads: Load[] = [];
  for (const name of storesHere()) {
    const cluster = await Cluster.start({ name, members: shape.members });
    loads.push(await Load.start({ cluster, keys: shape.keys, valueBytes: shape.valueBytes }));
  }
  for (const load of loads) await load.fill();
  for (const load of loads) await load.run('put', CALLERS, WARM_UP_MS);
  const slices = await inTurns(loads, 'put', CALLERS, plan);
  for (const load of loads) {
    load.close();
    await load.cluster.stop();
  }
  return loads.map(({ cluster: { name } }, i) => ({ store: name, put: summarize(slices[i] ?? []) }));
}

function panelsOf(points: readonly Point[]): Panel[] {
  return AXES.flatMap(({ name, title }) => {
    const here = points.filter(({ axis }) => axis === name);
    const lines = (figure: (put: Measured) => number): Panel['lines'] =>
      (['polder', 'etcd'] as const).map((store) => ({
        name: store,
        color: COLORS[store],
        points: here.flatMap(({ value, measured }) => {
          const found = measured.find((each) => each.store === store);
          return found === undefined ? [] : [{ x: value, y: figure(found.put) }];
        }),
      }));
    return [
      { title: 'puts a second', xLabel: title, lines: lines((put) => put.opsPerSecond) },
      { title: 'µs of server CPU a put', xLabel: title, lines: lines((put) => put.serverCpuUs) },
    ];
  });
}

export function formatGrowth(points: readonly Point[]): string {
  const lines = ['axis              value  store      puts/s    p99 ms  server µs/put'];
  for (const { axis, value, measured } of points) {
    for (const { store, put } of measured) {
      lines.push(
        [
          axis.padEnd(12),
          String(value).padStart(9),
          store.padEnd(6),
          put.opsPerSecond.toFixed(0).padStart(8),
          put.p99Ms.toFixed(1).padStart(8),
          put.serverCpuUs.toFixed(0).padStart(13),
        ].join('  '),
      );
    }
  }
  return [...lines, `drawn in ${FILE}`].join('\n');
}
