/** Asks every library every question; each in a process of its own, since a library may hang or throw into the void. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Answer } from './scenarios.ts';
import { scenarios } from './scenarios.ts';

export const LIBRARIES = ['polder', 'cockatiel', 'opossum', 'p-retry'] as const;

const QUESTION = fileURLToPath(new URL('question.ts', import.meta.url));
const execute = promisify(execFile);

/** What became of one question: an answer, not offered, or the process that died. */
export type Result = Answer | { readonly died: string };

export interface Row {
  readonly id: string;
  readonly rule: string;
  readonly results: Readonly<Record<string, Result>>;
}

export async function compareSemantics(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [index, { id, rule }] of scenarios.entries()) {
    const results: Record<string, Result> = {};
    for (const library of LIBRARIES) results[library] = await ask(library, index);
    rows.push({ id, rule, results });
  }
  return rows;
}

export function formatSemantics(rows: readonly Row[]): string {
  const names = LIBRARIES.map((name) => (name === 'polder' ? 'Polder' : `${name} ${versionOf(name)}`));
  const lines = [`| | rule | ${names.join(' | ')} |`, `|---|---|${LIBRARIES.map(() => '---|').join('')}`];
  for (const { id, rule, results } of rows) {
    lines.push(`| ${id} | ${rule} | ${LIBRARIES.map((name) => cell(results[name] ?? null)).join(' | ')} |`);
  }
  return lines.join('\n');
}

function cell(result: Result): string {
  if (result === null) return '–';
  if ('died' in result) return `**no**: ${result.died}`;
  return result.holds ? 'yes' : `**no**: ${result.seen}`;
}

async function ask(library: string, index: number): Promise<Result> {
  try {
    const { stdout } = await execute(process.execPath, [QUESTION, library, String(index)], { timeout: 20_000 });
    return JSON.parse(stdout) as Answer;
  } catch (error) {
    const { stderr, killed } = error as { stderr?: string; killed?: boolean };
    if (killed === true) return { died: 'it never ends' };
    const line = /^(?:\w*Error): (.+)$/m.exec(stderr ?? '')?.[1];
    return { died: `the process ends with "${line ?? 'an error'}"` };
  }
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  const main = require.resolve(name);
  const folder = `node_modules/${name}/`;
  const root = main.slice(0, main.lastIndexOf(folder) + folder.length);
  return (require(`${root}package.json`) as { version: string }).version;
}
