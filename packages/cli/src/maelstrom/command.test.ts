import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../program.ts';
import { programOf } from './node-process.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-maelstrom-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, mode: number): string {
  const path = join(directory, name);
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

test('wrong usage exits with 2, says what is wrong and writes no data', async () => {
  const bin = file('node.mjs', 0o644);
  for (const [flags, said] of [
    ['', 'workload'],
    ['-w echo', '--bin'],
    [`-w tango --bin ${bin}`, 'Allowed choices are echo, unique-ids'],
    [`-w echo --bin ${join(directory, 'nothing')}`, 'there is no such file'],
    [`-w echo --bin ${file('node', 0o644)}`, 'chmod +x'],
    [`-w echo --bin ${bin} --node-count 0`, 'an integer from 1'],
    [`-w echo --bin ${bin} --rate much`, 'a number from'],
    [`-w echo --bin ${bin} --concurrency n`, 'such as 10, or 2n'],
    [`-w echo --bin ${bin} --availability most`, 'a number from 0 to 1'],
    [`-w echo --bin ${bin} --latency-dist normal`, 'constant, uniform, exponential'],
    [`-w echo --bin ${bin} --nemesis kill`, 'Allowed choices are partition'],
    [`-w txn-rw-register --bin ${bin} --consistency-models serializable`, 'read-uncommitted, read-committed'],
    [`-w echo --bin ${bin} --log-dir ${bin}/logs`, 'cannot write to --log-dir'],
  ] as const) {
    let [out, progress] = ['', ''];
    const code = await runProgram(['maelstrom', ...flags.split(' ').filter((flag) => flag !== '')], {
      data: (text) => {
        out += text;
      },
      bytes: () => undefined,
      progress: (text) => {
        progress += text;
      },
      style: (_style, text) => text,
    });
    expect(progress, flags).toContain(said);
    expect([code, out], flags).toEqual([2, '']);
  }
});

test('JavaScript and TypeScript run with this Node, anything else as the executable that it is', () => {
  const [script, typed, binary] = [file('a.mjs', 0o644), file('a.ts', 0o644), file('a', 0o755)];
  expect(programOf(script, ['x'])).toEqual({ command: process.execPath, args: [script, 'x'] });
  const { command, args } = programOf(typed, ['x']);
  expect([command, args.slice(-2)]).toEqual([process.execPath, [typed, 'x']]);
  expect(programOf(binary, ['x'])).toEqual({ command: binary, args: ['x'] });
});
