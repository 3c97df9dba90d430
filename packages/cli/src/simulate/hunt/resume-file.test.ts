import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyReport, generalRaft } from '@polder/core/simulation';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { demandSame, readResumeFile, writeResumeFile } from './resume-file.ts';

const identity = { scenario: '--protocol raft', hash: 'abc', hashOfSeed: 1 };
const progress = { done: [[1, 40]] as const, report: emptyReport(generalRaft().spec), realMs: 1_500 };

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-resume-'));
  path = join(directory, 'campaign.json');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('what is written is read back, and nothing else is left in the folder', () => {
  expect(readResumeFile(path)).toBeNull();
  writeResumeFile(path, identity, { ...progress, done: [] });
  writeResumeFile(path, identity, progress);
  expect(readResumeFile(path)).toMatchObject({ ...identity, ...progress });
  expect(readdirSync(directory)).toEqual(['campaign.json']);
});

test('seeds of another scenario, or of code that has changed, are not added up', () => {
  writeResumeFile(path, identity, progress);
  const saved = readResumeFile(path);
  if (saved === null) throw new Error('it was written');
  expect(() => demandSame(path, saved, identity)).not.toThrow();
  expect(() => demandSame(path, saved, { ...identity, scenario: '--scenario x' })).toThrow('of another campaign');
  expect(() => demandSame(path, saved, { ...identity, hash: 'def' })).toThrow('seed 1 no longer runs as it did');
});

test('a file that is cut short, of another version or of another program is refused', () => {
  for (const [content, said] of [
    ['{"polder":"hunt","versi', 'cannot resume'],
    ['{"polder":"hunt","version":9}', 'version 9, not 1'],
    ['{"polder":"hunt","version":1}', 'parts of it are missing'],
    ['[]', 'not written by'],
    ['null', 'not written by'],
  ] as const) {
    writeFileSync(path, content);
    expect(() => readResumeFile(path), content).toThrow(said);
  }
});
