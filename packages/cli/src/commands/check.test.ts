import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../program.ts';
import type { Terminal } from '../terminal.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-check-test-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

async function check(content: string, ...options: string[]): Promise<{ code: number; out: string; progress: string }> {
  const path = join(directory, 'history');
  writeFileSync(path, content);
  let [out, progress] = ['', ''];
  const terminal: Terminal = {
    data: (text) => {
      out += `${text}\n`;
    },
    bytes: () => {},
    progress: (text) => {
      progress += `${text}\n`;
    },
    style: (_style, text) => text,
  };
  return { code: await runProgram(['check', path, ...options], terminal), out, progress };
}

const LOG = `INFO  jepsen.util - 0	:invoke	:write	1
INFO  jepsen.util - 0	:ok	:write	1
INFO  jepsen.util - 1	:invoke	:read	nil
INFO  jepsen.util - 1	:ok	:read	VALUE
`;

test('check exits with 0, 1 and 2 for valid, invalid and unknown', async () => {
  expect((await check(LOG.replace('VALUE', '1'))).code).toBe(0);
  expect((await check(LOG.replace('VALUE', 'nil'))).code).toBe(1);
  expect((await check('')).code).toBe(2);
});

test('a violation is told in a sentence, with the shortest prefix and an order of what came before', async () => {
  const { out } = await check(LOG.replace('VALUE', '2'));
  expect(out.split('\n')).toEqual([
    'cas-register: operations on 1 keys: read 1 ok, 0 failed, 0 unknown; write 1 ok, 0 failed, 0 unknown; cas 0 ok, 0 failed, 0 unknown',
    'NOT linearizable: Process 1 read 2 (events 2 to 3), but nobody had written that by then.',
    'the first 4 events cannot be explained, the first 3 can',
    'an order that explains everything before that:',
    '  process 0 write 1',
    '',
  ]);
});

test('--json prints the whole verdict; --model and --format overrule what the file says', async () => {
  const verdict = JSON.parse((await check(LOG.replace('VALUE', 'nil'), '--json', '--format', 'log')).out);
  expect(verdict).toMatchObject({
    result: 'invalid',
    violation: { prefixLength: 4, order: [{ f: 'write', value: 1 }] },
  });
  const { code, progress } = await check(LOG, '--model', 'queue');
  expect(code).toBe(2);
  expect(progress).toContain('line 1 has the unknown f "write": the model queue knows enqueue, dequeue');
});

test('a history of a store with revisions is recognized', async () => {
  const lines = [
    { process: 0, type: 'invoke', f: 'put', value: { key: 'a', value: 'x' } },
    { process: 0, type: 'ok', f: 'put', value: { revision: 2 } },
    { process: 1, type: 'invoke', f: 'range', value: { key: 'a' } },
    { process: 1, type: 'ok', f: 'range', value: { revision: 2, kvs: [] } },
  ];
  const { code, out } = await check(lines.map((line) => JSON.stringify(line)).join('\n'));
  expect(code).toBe(1);
  expect(out).toContain('kv: up to revision 2');
  expect(out).toContain('should have answered');
});

test('a file that cannot be read as a history exits with 2 and names the line', async () => {
  const { code, progress, out } = await check('{"process":0,"type":"invoke","f":"read","value":null}\n{"proc');
  expect(code).toBe(2);
  expect(progress).toContain('line 2 is not JSON');
  expect(out).toBe('');
});
