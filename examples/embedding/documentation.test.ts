import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('dist/documented/', import.meta.url));
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-documented-'));
  await mkdir(folder, { recursive: true });
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

/** The blocks that are programs of their own. */
async function programs(): Promise<string[]> {
  const text = await readFile(new URL('../../docs/EMBEDDING.md', import.meta.url), 'utf8');
  return [...text.matchAll(/^```ts\n(import [^`]+)```$/gm)].map(([, program = '']) => program);
}

/** In a process of its own, which must end by itself. */
async function outputOf(program: string, name: string): Promise<string> {
  await writeFile(join(folder, name), program);
  const { stdout } = await run(process.execPath, [join(folder, name)], { cwd: directory, timeout: 30_000 });
  return stdout.trim();
}

describe('docs/EMBEDDING.md', () => {
  it('opens with programs that run, say what they say, and end', async () => {
    const [store = '', counter = '', ...others] = await programs();
    expect(await outputOf(store, 'store.ts')).toBe('hello');
    expect(await outputOf(counter, 'counter.ts')).toBe('1 1');
    expect(others).toEqual([]);
  });
});
