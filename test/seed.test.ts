import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../packages/cli/src/program.ts';
import { text, walk } from './tree.ts';

const seed = text('docs/SEED.md');

/** Names a module exports, types included, which is why it reads the source: types leave no trace at run time. */
function exportsOf(path: string): Set<string> {
  const source = text(path);
  const found = new Set<string>();
  for (const match of source.matchAll(
    /^export (?:declare )?(?:abstract )?(?:class|function\*?|const|let|interface|type) (\w+)/gm,
  )) {
    found.add(match[1] ?? '');
  }
  for (const match of source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
    for (const part of (match[1] ?? '').split(',')) {
      const name =
        part
          .trim()
          .split(/\s+as\s+/)
          .at(-1)
          ?.replace(/^type\s+/, '') ?? '';
      if (name !== '') found.add(name);
    }
  }
  for (const match of source.matchAll(/^export \* as (\w+) from/gm)) found.add(match[1] ?? '');
  for (const match of source.matchAll(/^export (?:type )?\* from '(\.[^']+)'/gm)) {
    for (const name of exportsOf(join(dirname(path), match[1] ?? ''))) found.add(name);
  }
  return found;
}

function sourceOf(module: string): string {
  const [, name, folder] = /^@polder\/(\w+)(?:\/(\w+))?$/.exec(module) ?? [];
  return folder === undefined ? `packages/${name}/src/index.ts` : `packages/${name}/src/${folder}/index.ts`;
}

/** What `polder --help` lists. */
async function commands(): Promise<Set<string>> {
  let help = '';
  await runProgram(['--help'], {
    data: (line) => {
      help += `${line}\n`;
    },
    bytes: () => {},
    progress: () => {},
    style: (_, line) => line,
  });
  const list = help.slice(help.indexOf('Commands:'));
  return new Set([...list.matchAll(/^ {2}([a-z][a-z-]*)\b/gm)].map((match) => match[1] ?? ''));
}

describe('docs/SEED.md', () => {
  test('every export it names exists', () => {
    const named = [...seed.matchAll(/`(@polder\/\w+(?:\/\w+)?)#(\w+)[^`]*`/g)];
    const missing = named
      .filter((match) => !exportsOf(sourceOf(match[1] ?? '')).has(match[2] ?? ''))
      .map((match) => `${match[1]}#${match[2]}`);
    expect(named.length, 'it names exports, as `@polder/core#Name`').toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  test('every command it names exists', async () => {
    const known = await commands();
    const named = [...seed.matchAll(/`(?:npx )?polder ([a-z][a-z-]*)[^`]*`/g)].map((match) => match[1] ?? '');
    expect(named.length, 'it names commands, as `polder name`').toBeGreaterThan(0);
    expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([]);
  });

  test('every test file it names exists', () => {
    const files = new Set(walk());
    const named = [...seed.matchAll(/`([\w./-]+\.test\.ts)`/g)].map((match) => match[1] ?? '');
    expect(named.filter((path) => !files.has(path))).toEqual([]);
  });
});
