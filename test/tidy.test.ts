import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { names, root, text, titles, walk } from './tree.ts';

const tree = walk();
const sources = tree.filter((path) => /\.(ts|mjs|js)$/.test(path));
const testFiles = sources.filter((path) => path.endsWith('.test.ts'));
const titlesByFile = new Map(testFiles.map((path) => [path, titles(text(path))]));
const allTitles = [...titlesByFile.values()].flat();

describe('the tree', () => {
  // Functions over 70 lines are the linter's: max-lines-per-function knows the syntax, a brace counter only guesses.
  test('no source file is longer than 600 lines', () => {
    expect(sources.filter((path) => text(path).split('\n').length > 601)).toEqual([]);
  });

  test('no folder has a name that says nothing', () => {
    expect(tree.filter((path) => /(^|\/)(utils?|helpers?|common|misc)\/$/.test(path))).toEqual([]);
  });

  test('file names are kebab-case', () => {
    expect(sources.map((path) => path.split('/').at(-1) ?? '').filter((name) => /[A-Z_ ]/.test(name))).toEqual([]);
  });

  test('no test is switched off or run alone', () => {
    const switched = /\b(?:test|it|describe)\.(?:only|skip|todo)\(/;
    expect(testFiles.filter((path) => path !== 'test/tidy.test.ts' && switched.test(text(path)))).toEqual([]);
  });
});

describe('the SPECs', () => {
  const specs = tree.filter((path) => path.endsWith('/SPEC.md'));

  test('the machines of core have one', () => {
    for (const folder of ['consensus/raft', 'log', 'kv'])
      expect(specs).toContain(`packages/core/src/${folder}/SPEC.md`);
  });

  test.each(specs)('every invariant of %s is named by a test or says what it awaits', (path) => {
    const invariants = text(path)
      .split('\n')
      .map((line) => ({ line, id: /^(?:\s*[-|*]?\s*\*\*|\| )([A-Z]+-?\d+)\b/.exec(line)?.[1] }))
      .filter((found) => found.id !== undefined);
    expect(
      invariants.length,
      'a SPEC has numbered invariants, each on a line that opens with **X1** or | X1 |',
    ).toBeGreaterThan(0);
    const orphans = invariants.filter(
      ({ line, id }) => !line.includes('awaits') && !allTitles.some((title) => names(title, id ?? '')),
    );
    expect(orphans.map(({ id }) => id)).toEqual([]);
  });
});

describe('docs/PITFALLS.md', () => {
  const families = { S: 14, R: 29, M: 9, B: 11, G: 14, C: 4, P: 23, D: 7 };
  const expected = Object.entries(families).flatMap(([letter, count]) =>
    Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
  );
  const rows = text('docs/PITFALLS.md')
    .split('\n')
    .map((line) => /^\| ([A-Z]\d+) \| (.+) \| (.+) \|$/.exec(line))
    .filter((row) => row !== null)
    .map((row) => ({ id: row[1] ?? '', rule: row[2] ?? '', status: row[3] ?? '' }));

  test('lists every id once, in order', () => {
    expect(rows.map((row) => row.id)).toEqual(expected);
  });

  test('every status says "covered by a file" or what it awaits', () => {
    const form = /^(covered by `[^`]+`(, `[^`]+`)*|awaits issue \d+|awaits (Paxos|PBFT))$/;
    expect(rows.filter((row) => !form.test(row.status)).map((row) => row.id)).toEqual([]);
  });

  test('a pitfall called covered is named by a test title in each file it points at', () => {
    const wrong = rows
      .filter((row) => row.status.startsWith('covered'))
      .flatMap((row) => [...row.status.matchAll(/`([^`]+)`/g)].map((file) => ({ id: row.id, file: file[1] ?? '' })))
      .filter(({ id, file }) => !(titlesByFile.get(file) ?? []).some((title) => names(title, id)));
    expect(wrong).toEqual([]);
  });
});

describe('dependencies', () => {
  const manifests = tree.filter((path) => /^(packages\/[^/]+\/)?package\.json$/.test(path));

  test('every dependency of every package has its line in docs/DEPENDENCIES.md', () => {
    const known = text('docs/DEPENDENCIES.md');
    const missing = manifests.flatMap((path) => {
      const manifest = JSON.parse(text(path)) as Record<string, Record<string, string> | undefined>;
      return ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']
        .flatMap((field) => Object.keys(manifest[field] ?? {}))
        .filter((name) => !name.startsWith('@polder/') && !known.includes(`\`${name}\``));
    });
    expect(missing).toEqual([]);
  });

  test('versions are exact: what was tested is what is installed', () => {
    const loose = manifests.flatMap((path) => {
      const manifest = JSON.parse(text(path)) as Record<string, Record<string, string> | undefined>;
      return ['dependencies', 'devDependencies', 'optionalDependencies']
        .flatMap((field) => Object.entries(manifest[field] ?? {}))
        .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    });
    expect(loose).toEqual([]);
  });

  test('core depends on nothing', () => {
    expect(JSON.parse(text('packages/core/package.json'))).not.toHaveProperty('dependencies');
  });
});

describe('the texts', () => {
  const texts = tree.filter((path) => path.endsWith('.md'));

  test.each(texts)('every relative link in %s leads somewhere', (path) => {
    const links = [...text(path).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
    const broken = links
      .filter((link) => !/^([a-z]+:|#)/.test(link))
      .filter((link) => !existsSync(join(root, dirname(path), link.split('#')[0] ?? '')));
    expect(broken).toEqual([]);
  });
});

describe('the zoo stays in its cage', () => {
  const serving = sources.filter(
    (path) => /^packages\/(server|cli)\/src\//.test(path) && !/\.(test|fixture)\.ts$/.test(path),
  );
  const member = text('packages/server/src/embedding/host.ts');

  test('what serves imports no simulation: only the commands of the laboratory do', () => {
    const importing = serving.filter((path) => /from '@polder\/core\/(simulation|explore)'/.test(text(path)));
    expect(importing.filter((path) => !path.startsWith('packages/cli/src/simulate/'))).toEqual([]);
    const root = text('packages/core/src/index.ts');
    expect(root).not.toMatch(/simulation|sabotage|zoo/);
  });

  test('a member that serves is built with the rules of the paper, and no others', () => {
    expect(member).toMatch(/new Raft\(/);
    expect(member).not.toMatch(/\brules:|logRules|RAFT_RULES/);
  });
});
