import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runProgram } from './program.ts';
import type { Terminal } from './terminal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-cli-test-'));
  vi.stubEnv('XDG_STATE_HOME', directory);
  vi.stubEnv('POLDER_DATA', '');
  vi.stubEnv('POLDER_ENDPOINTS', '');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; progress: string }> {
  let out = '';
  let progress = '';
  const terminal: Terminal = {
    data: (text) => {
      out += `${text}\n`;
    },
    bytes: (bytes) => {
      out += Buffer.from(bytes).toString();
    },
    progress: (text) => {
      progress += `${text}\n`;
    },
    style: (_style, text) => text,
  };
  const code = await runProgram(args, terminal);
  return { code, out, progress };
}

test('wrong usage exits with 2, says what is wrong on stderr and writes no data', async () => {
  for (const [args, said] of [
    [['frobnicate'], 'unknown command'],
    [['put', 'key'], "missing required argument 'value'"],
    [['up', '--members', 'many'], 'integer from 1 to 31'],
    [['up', '--members', '0'], 'integer from 1 to 31'],
    [['up', '--tour'], '--tour needs --breakable'],
    [['slow', 'm1'], '--delay-ms'],
    [['lossy', 'm1', '--rate', '1.5'], 'from 0 to 1'],
    [['get', 'key', '--endpoints', 'nonsense'], '"nonsense" is not an endpoint'],
    [['txn', '--endpoints', '127.0.0.1:1'], 'a transaction does something'],
    [['txn', '--endpoints', '127.0.0.1:1', '--if', 'height("a") = 3', '--then', 'get a'], 'is not a compare'],
    [['serve', '--name', 'm1', '--data', 'x'], 'members are missing'],
    [['serve', '--name', 'm9', '--data', 'x', '--members', 'm1=1@h:1/h:2'], '"m9" is not among the members: m1'],
    [['serve', '--name', 'm1', '--data', 'x', '--members', 'm1'], 'is not a member'],
    [['serve', '--config', '/nowhere/polder.json'], 'cannot read the configuration'],
    [['check', '/nowhere/history.jsonl'], 'cannot check'],
    [['fail', 'm1', '--endpoints', '127.0.0.1:1'], 'on the machine that ran'],
  ] as const) {
    const { code, out, progress } = await run(...args);
    expect(progress, args.join(' ')).toContain(said);
    expect(code, args.join(' ')).toBe(2);
    expect(out, args.join(' ')).toBe('');
  }
});

test('without a cluster every command exits with 3 and says how to start one', async () => {
  for (const args of [['status'], ['get', 'key'], ['heal'], ['fail', 'm1'], ['tour']]) {
    const { code, progress } = await run(...args);
    expect(code).toBe(3);
    expect(progress).toContain('polder up');
  }
});

test('when no member answers, status still gives its JSON, and exits with 3; a write is not called unknown', async () => {
  const { code, out } = await run('status', '--json', '--endpoints', '127.0.0.1:1');
  expect(code).toBe(3);
  expect(JSON.parse(out).members[0].state).toBe('failed');
  expect((await run('put', 'a', 'b', '--endpoints', '127.0.0.1:1')).code).toBe(3);
});

test('a cluster file of another version is refused, not guessed at', async () => {
  writeFileSync(join(directory, 'cluster.json'), '{"version":99}');
  const { code, progress } = await run('status', '--data', directory);
  expect(code).toBe(1);
  expect(progress).toContain('version 99');
});

test('check exits with 0 for a linearizable history, 1 for a violation', async () => {
  const event = (index: number, type: string, f: string, value: unknown) =>
    JSON.stringify({ index, process: 0, type, f, key: 'k', value, time: index });
  const path = join(directory, 'history.jsonl');
  const written = [event(0, 'invoke', 'write', 'a'), event(1, 'ok', 'write', 'a'), event(2, 'invoke', 'read', null)];
  writeFileSync(path, [...written, event(3, 'ok', 'read', 'a')].join('\n'));
  expect((await run('check', path)).code).toBe(0);
  writeFileSync(path, [...written, event(3, 'ok', 'read', null)].join('\n'));
  const { code, out } = await run('check', path);
  expect(code).toBe(1);
  expect(out).toContain('NOT linearizable');
});

test('--help documents the exit codes and goes to stdout', async () => {
  const { code, out } = await run('--help');
  expect(code).toBe(0);
  expect(out).toContain('Exit codes:');
});
