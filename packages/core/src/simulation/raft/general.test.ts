import { describe, expect, it } from 'vitest';
import { type CampaignReport, unseen } from '../scenario/campaign.ts';
import { generalRaft } from './general.ts';

const SEEDS = 100;
/** A failing seed names the command that sets this. */
const only = process.env['POLDER_SEED'];

describe('Raft under random faults', () => {
  it('keeps every promise in every seed, and D7: makes progress once the faults stop', { timeout: 120_000 }, () => {
    const range = only === undefined ? { seeds: SEEDS } : { seeds: 1, from: Number(only) };
    const report = generalRaft().run(range);
    console.info(`campaign: ${JSON.stringify(report)}`);
    const [violation] = report.violations;
    const replay = `POLDER_SEED=${violation?.seed} npx vitest run packages/core/src/simulation/raft/general.test.ts`;
    expect(violation, `replay with: ${replay}`).toBeUndefined();
    if (only === undefined) expectExercised(report);
  });
});

/** D5: a campaign in which nothing happened proves nothing. */
function expectExercised(report: CampaignReport): void {
  expect(report.undecided).toBe(0);
  expect(unseen(report)).toEqual([]);
  expect(report.counts['elections']).toBeGreaterThan(2 * SEEDS);
  expect(report.counts['acknowledged']).toBeGreaterThan(100 * SEEDS);
  expect(report.counts['snapshotsInstalled']).toBeGreaterThan(SEEDS / 4);
  expect(report.operations.ok).toBeGreaterThan(200 * SEEDS);
  expect(report.operations.info).toBeGreaterThan(SEEDS / 2);
  for (const kind of ['crash', 'pause', 'partition', 'weather', 'clock', 'control', 'diskSlow'] as const) {
    expect(report.faults[kind], kind).toBeGreaterThan(SEEDS / 4);
  }
  for (const kind of ['rot', 'misdirect', 'diskError', 'diskFull'] as const) {
    expect(report.faults[kind], kind).toBeGreaterThan(SEEDS / 20);
  }
  expect(report.frames.lost).toBeGreaterThan(SEEDS);
  expect(report.frames.duplicated).toBeGreaterThan(SEEDS);
  expect(report.frames.damaged).toBeGreaterThan(SEEDS / 10);
}
