/** The built command over real worker threads: what they find is what the same seeds give in this process. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUGS, type CampaignReport, generalRaft, parseTrace, Scenario } from '@polder/core/simulation';
import { afterAll, beforeAll, expect, test } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../bin/polder.js', import.meta.url));

let directory: string;

/** A module as a user has it; its imports are found from wherever it stands. */
const MODULE = `
  import { RAFT_RULES } from ${JSON.stringify(new URL('../../../core/dist/index.js', import.meta.url).href)};
  import { generalRaft, raftSteady, Scenario } from ${JSON.stringify(new URL('../../../core/dist/simulation/index.js', import.meta.url).href)};
  const during = (troubleUs, { spec }) => new Scenario({ ...spec, options: { ...spec.options, troubleUs } });
`;

/** The general campaign with little trouble, so that these tests are quick; here and in the module. */
const QUICK_US = 400_000;
const { spec } = generalRaft();
const quick = new Scenario({ ...spec, options: { ...spec.options, troubleUs: QUICK_US } });

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-hunt-'));
  writeFileSync(
    join(directory, 'own.mjs'),
    `${MODULE}
      export const quick = during(${QUICK_US}, generalRaft());
      export const blind = during(1_000, generalRaft()).sometimes('a unicorn passes', () => false);
      export const faulty = quick.always({ name: 'x', holds: () => { throw new Error('the scenario itself is wrong'); } });
    `,
  );
  // Types are erased, not checked: that they are there shows that they may be.
  writeFileSync(
    join(directory, 'broken.ts'),
    `${MODULE.replace('(troubleUs, { spec })', '(troubleUs: number, { spec }: Scenario)')}
      export default during(1_000_000, raftSteady({ rules: { ...RAFT_RULES, mayGrantVote: () => true } }));
    `,
  );
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const QUICK = ['--scenario', 'own.mjs', '--export', 'quick'] as const;

interface Ran {
  readonly code: number | string;
  readonly out: string;
  readonly progress: string;
}

function polder(...words: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd: directory, env: { ...process.env, NO_COLOR: '1' } };
    execFile(process.execPath, [COMMAND, ...words], options, (error, out, progress) => {
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), out, progress });
    });
  });
}

/** What adds up: everything but names and the threads' own time. */
function sums(report: CampaignReport): Partial<CampaignReport> {
  const { scenario, seeds, violations, undecided, events, counts, faults, operations, frames, stopped, sometimes } =
    report;
  return { scenario, seeds, violations, undecided, events, counts, faults, operations, frames, stopped, sometimes };
}

test('a hunt over two threads gives the sum of the same seeds, and exits with 0', async () => {
  const { code, out } = await polder('hunt', ...QUICK, '--seeds', '4', '--from', '11', '--threads', '2', '--json');
  const json = JSON.parse(out);
  const here = quick.run({ from: 11, seeds: 4 });
  expect(sums(json)).toEqual(sums(here));
  expect(json.simulatedSeconds).toBeCloseTo(here.simulatedUs / 1_000_000, 6);
  expect(json).toMatchObject({ threads: 2, interrupted: false, traces: [] });
  expect(json.eventsPerSecond).toBeGreaterThan(0);
  expect(code).toBe(0);
});

test('a broken rule in a scenario given by its file is found, made small, written, and replayed', async () => {
  const found = await polder('hunt', '--scenario', 'broken.ts', '--seeds', '40', '--out', 'found');
  expect(found.code).toBe(1);
  expect(found.out).toMatch(/ is broken, by seed \d+:/);
  expect(found.out).toContain('the smallest that still breaks it');
  const [page, name, ...others] = readdirSync(join(directory, 'found')).toSorted();
  expect(others).toEqual([]);
  expect(page).toBe(name?.replace('.trace.json', '.html'));
  const file = join('found', name ?? '');
  const trace = parseTrace(readFileSync(join(directory, file), 'utf8'));
  expect(file).toContain(`-${trace.seed}.trace.json`);
  expect(trace.script.length).toBeLessThan(10);

  // The command that it printed.
  const [, command = ''] = /^ {2}polder (replay .*)$/m.exec(found.out) ?? [];
  expect(command).toBe(`replay ${file} --scenario broken.ts`);
  const again = await polder(...command.split(' '));
  expect(again.code).toBe(1);
  expect(again.out).toContain(`${file} still breaks ${trace.violation?.rule}`);
  expect(again.out).toContain(trace.violation?.sentence);

  const sound = await polder('replay', file, '--json');
  expect(sound.code).toBe(0);
  expect(JSON.parse(sound.out)).toMatchObject({ outcome: 'none', violation: null, recorded: trace.violation });

  const shrunk = await polder(...command.split(' '), '--shrink', '--out', 'smaller.json');
  expect(shrunk.code).toBe(1);
  expect(parseTrace(readFileSync(join(directory, 'smaller.json'), 'utf8')).script.length).toBeLessThanOrEqual(
    trace.script.length,
  );
});

test('the lowest seed is found, whatever the number of threads', async () => {
  const seedOf = async (threads: string): Promise<number> => {
    const { out } = await polder('hunt', '--scenario', 'broken.ts', '--seeds', '40', '--threads', threads, '--json');
    return JSON.parse(out).traces[0].seed;
  };
  expect(await seedOf('2')).toBe(await seedOf('1'));
});

test('Ctrl-C ends a hunt with a summary of what was done', async () => {
  const words = ['hunt', ...QUICK, '--for', '10m', '--resume', 'interrupted.json'];
  const child = spawn(process.execPath, [COMMAND, ...words], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.resume();
  const exit = once(child, 'exit');
  // Its file says when something has been done.
  while (!existsSync(join(directory, 'interrupted.json'))) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill('SIGINT');
  expect(await exit).toEqual([0, null]);
  expect(out).toMatch(/^raft: \d+ seeds?, no violation \(interrupted\)$/m);
  expect(out).toContain('events');
});

test('a campaign is continued from its file, and adds up as if it had not been stopped', async () => {
  const first = await polder('hunt', ...QUICK, '--seeds', '3', '--resume', 'campaign.json', '--json');
  expect(first.code).toBe(0);
  expect(JSON.parse(readFileSync(join(directory, 'campaign.json'), 'utf8')).done).toEqual([[1, 3]]);
  const second = await polder('hunt', ...QUICK, '--seeds', '6', '--resume', 'campaign.json', '--json');
  expect(sums(JSON.parse(second.out))).toEqual(sums(quick.run({ seeds: 6 })));
  expect(JSON.parse(second.out).realSeconds).toBeGreaterThan(JSON.parse(first.out).realSeconds);
  const other = await polder('hunt', '--scenario', 'broken.ts', '--seeds', '6', '--resume', 'campaign.json');
  expect(other).toMatchObject({ code: 2, out: '' });
  expect(other.progress).toContain('it is of another campaign: --scenario ');
});

test('a scenario that is wrong itself ends the hunt with 2 and names the seed', async () => {
  const { code, out, progress } = await polder('hunt', '--scenario', 'own.mjs', '--export', 'faulty', '--seeds', '2');
  expect(code).toBe(2);
  expect(out).toBe('');
  expect(progress).toMatch(/seed [12] could not be run: Error: the scenario itself is wrong/);
});

test('D5: a hunt of 100 seeds that never saw what it wanted exits with 1, and says what', async () => {
  const words = ['--scenario', 'own.mjs', '--export', 'blind', '--seeds', '100', '--json'];
  const { code, out } = await polder('hunt', ...words);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({ seeds: 100, violations: [] });
  expect(JSON.parse(out).unseen).toContain('a unicorn passes');
});

test('sim gives one line of JSON for each event, and the same lines for the same seed', async () => {
  const words = ['sim', '--members', '3', '--for', '2s', '--seed', '5', '--json'];
  const { code, out, progress } = await polder(...words);
  expect(code).toBe(0);
  const events = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toEqual({ type: 'begin', atUs: 0, seed: 5, members: 3, forUs: 2_000_000 });
  expect(events.at(-1)).toMatchObject({ type: 'end', report: { seed: 5, members: 3, violation: null } });
  expect(progress).toContain('polder sim --members 3 --for 2s --seed 5');
  expect((await polder(...words)).out).toBe(out);
});

test('the zoo has a row for the bug that is asked for, and exits with 1 when it is not caught', async () => {
  const bug = BUGS.find(({ id }) => id === 'r8-reads-before-own-commit');
  if (bug === undefined) throw new Error('the zoo has it');
  const { code, out } = await polder('zoo', '--bug', bug.id, '--json');
  const [row] = JSON.parse(out).bugs;
  expect(row).toMatchObject({ id: bug.id, rule: 'Linearizability', caught: true });
  // That seed catches it here, too.
  expect(bug.caughtBy.seeds(row.seedsToDetection)).toMatchObject({ rule: row.rule, sentence: row.violation });
  expect(code).toBe(0);
  const missed = await polder('zoo', '--bug', bug.id, '--seeds', '1');
  expect(missed.code).toBe(1);
  expect(missed.out).toContain('0 of 1 caught');
});
