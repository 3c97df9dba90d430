import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generalRaft } from '@polder/core/simulation';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../program.ts';
import { loadScenario } from './scenarios.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-simulate-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; out: string; progress: string }> {
  let out = '';
  let progress = '';
  const code = await runProgram(args, {
    data: (text) => void (out += `${text}\n`),
    bytes: () => {},
    progress: (text) => void (progress += `${text}\n`),
    style: (_, text) => text,
  });
  return { code, out, progress };
}

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

test('wrong usage exits with 2, says what to do on stderr and writes no data', async () => {
  const trace = { polder: 'trace', version: 1, scenario: 'mine', seed: 1, members: 3, troubleUs: 1 };
  const mine = file('mine.trace.json', JSON.stringify({ ...trace, script: [], frames: [], hashes: [] }));
  const garbage = file('garbage.json', '{"polder":"something else"}');
  for (const [args, said] of [
    [['hunt'], 'say how long: --seeds 1000, or --for 10m'],
    [['hunt', '--seeds', '0'], 'integer from 1'],
    [['hunt', '--for', '10'], 'such as 30s, 10m or 2h'],
    [['hunt', '--seeds', '1', '--threads', '0'], 'integer from 1 to 256'],
    [['hunt', '--seeds', '1', '--protocol', 'gossip'], 'Allowed choices are raft'],
    [['hunt', '--seeds', '1', '--protocol', 'raft', '--scenario', garbage], 'not both'],
    [['hunt', '--seeds', '1', '--scenario', '/nowhere/mine.ts'], 'there is no /nowhere/mine.ts'],
    [['hunt', '--seeds', '1', '--export', 'mine'], '--export needs --scenario'],
    [['hunt', '--seeds', '1', '--resume', garbage], 'was not written by `polder hunt --resume`'],
    [['replay', '/nowhere/x.trace.json'], 'cannot read /nowhere/x.trace.json'],
    [['replay', garbage], 'does not say "polder": "trace"'],
    [['replay', mine], 'scenario "mine", which Polder does not bring: give its file as --scenario'],
    [['replay', mine, '--out', 'x'], '--out needs --shrink'],
    [['sim', '--members', '32'], 'integer from 1 to 31'],
    [['sim', '--for', 'long'], 'such as 30s'],
    [['zoo', '--bug', 'unicorn'], 'the zoo has no bug unicorn; it has '],
    [['zoo', '--starts', 'many'], 'integer from 1 to'],
  ] as const) {
    const { code, out, progress } = await run(...args);
    expect(progress, args.join(' ')).toContain(said);
    expect(code, args.join(' ')).toBe(2);
    expect(out, args.join(' ')).toBe('');
  }
});

test('a module whose export is no scenario is refused with the exports that are', async () => {
  const path = file(
    'mine.mjs',
    'export default 1; export const one = { spec: 1, run: 1, record: 1, replay: 1, shrink: 1 };',
  );
  await expect(loadScenario({ type: 'file', path, exported: 'default' })).rejects.toThrow('--export could name one');
  const broken = file('broken.mjs', 'throw new Error("out of order")');
  await expect(loadScenario({ type: 'file', path: broken, exported: 'default' })).rejects.toThrow('out of order');
});

test('the scenario called raft is the general campaign', async () => {
  expect((await loadScenario({ type: 'builtIn', name: 'raft' })).name).toBe(generalRaft().name);
});
