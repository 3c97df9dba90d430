/** V8's CPU profiles, merged by stack: a flame graph as SVG, and the functions that took most. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Frame {
  readonly name: string;
  selfUs: number;
  totalUs: number;
  readonly children: Map<string, Frame>;
}

const WIDTH = 1_200;
const ROW_HEIGHT = 16;
const LEAST_WIDTH = 0.4;
const COLORS = ['#e8853d', '#e9a23b', '#dc6b3f', '#eab54d', '#d9783a'];

/** Profiles of several processes as one; idle time is left out. */
export function readProfiles(directory: string): Frame {
  const root = newFrame('all');
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.cpuprofile')) continue;
    merge(root, JSON.parse(readFileSync(join(directory, name), 'utf8')) as CpuProfile);
  }
  sumUp(root);
  return root;
}

function merge(root: Frame, profile: CpuProfile): void {
  const selfUs = new Map<number, number>();
  profile.samples.forEach((id, i) => {
    selfUs.set(id, (selfUs.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0));
  });
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const walk = (node: ProfileNode, into: Frame): void => {
    into.selfUs += selfUs.get(node.id) ?? 0;
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child === undefined || child.callFrame.functionName === '(idle)') continue;
      walk(child, childOf(into, nameOf(child)));
    }
  };
  const [first] = profile.nodes;
  if (first !== undefined) walk(first, root);
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.slice(url.lastIndexOf('/') + 1);
  return `${functionName === '' ? '(anonymous)' : functionName}${file === '' ? '' : ` ${file}:${lineNumber + 1}`}`;
}

function newFrame(name: string): Frame {
  return { name, selfUs: 0, totalUs: 0, children: new Map() };
}

function childOf(frame: Frame, name: string): Frame {
  const known = frame.children.get(name);
  if (known !== undefined) return known;
  const made = newFrame(name);
  frame.children.set(name, made);
  return made;
}

function sumUp(frame: Frame): number {
  frame.totalUs = frame.selfUs;
  for (const child of frame.children.values()) frame.totalUs += sumUp(child);
  return frame.totalUs;
}

/** Each function's own time, wherever it was called from, most first. */
export function selfTimes(root: Frame): { name: string; selfUs: number }[] {
  const times = new Map<string, number>();
  const walk = (frame: Frame): void => {
    times.set(frame.name, (times.get(frame.name) ?? 0) + frame.selfUs);
    for (const child of frame.children.values()) walk(child);
  };
  walk(root);
  return [...times].map(([name, selfUs]) => ({ name, selfUs })).sort((a, b) => b.selfUs - a.selfUs);
}

export function flameGraph(root: Frame, title: string): string {
  const boxes: string[] = [];
  let depthMost = 0;
  const draw = (frame: Frame, x: number, depth: number): void => {
    const width = (frame.totalUs / root.totalUs) * WIDTH;
    if (width < LEAST_WIDTH) return;
    depthMost = Math.max(depthMost, depth);
    boxes.push(box(frame, root, x, depth, width));
    let at = x;
    for (const child of [...frame.children.values()].sort((a, b) => b.totalUs - a.totalUs)) {
      draw(child, at, depth + 1);
      at += (child.totalUs / root.totalUs) * WIDTH;
    }
  };
  draw(root, 0, 0);
  const height = (depthMost + 3) * ROW_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="monospace" font-size="10">`,
    `<text x="4" y="12" fill="#808080">${escaped(title)}</text>`,
    ...boxes,
    '</svg>\n',
  ].join('\n');
}

function box(frame: Frame, root: Frame, x: number, depth: number, width: number): string {
  const y = (depth + 1) * ROW_HEIGHT + 4;
  const share = ((frame.totalUs / root.totalUs) * 100).toFixed(1);
  const letters = Math.floor(width / 6.2) - 1;
  const label =
    letters < 3 ? '' : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(frame.name.slice(0, letters))}</text>`;
  const color = COLORS[(frame.name.length + depth) % COLORS.length];
  return `<g><title>${escaped(frame.name)}: ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.2, width - 0.3).toFixed(1)}" height="${ROW_HEIGHT - 1}" fill="${color}"/>${label}</g>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
