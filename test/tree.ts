/** What the tests of the house itself read: the tree's own files and the titles of its tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const skipped = new Set(['node_modules', 'dist', 'generated', '.git', 'coverage', 'polder-data']);

/** Every file and folder of the tree, relative to its root, with `/` between names; folders end with one. */
export function walk(folder: string = root): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue;
    const path = join(folder, entry.name);
    const name = relative(root, path).split(sep).join('/');
    if (entry.isDirectory()) found.push(`${name}/`, ...walk(path));
    else if (entry.isFile()) found.push(name);
  }
  return found;
}

export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The titles given to test, it and describe, also to `test.each(...)(title)`. */
export function titles(source: string): string[] {
  const title = /(?:\b(?:test|it|describe)\b[^'"`\n(]*\(|\)\()\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;
  return [...source.matchAll(title)].map((match) => match[2] ?? '');
}

/** Whether the id stands in the text as a word of its own: R1 is not in "R12". */
export function names(line: string, id: string): boolean {
  return new RegExp(`(?<![A-Za-z0-9-])${id}(?![A-Za-z0-9])`).test(line);
}
