import { describe, expect, it } from 'vitest';
import { type CampaignReport, unseen } from '../scenario/campaign.ts';
import { runOnce } from '../scenario/run.ts';
import { generalRegisters } from './general.ts';

const SEEDS = 10;
/** A failing seed names the command that sets this. */
const only = process.env['POLDER_SEED'];

describe('the registers under random faults', () => {
  it('REG1 REG2 REG3 REG4 REG5 S1 S2 S3 S4 S5 S6 S7: each level keeps its promises in every seed, mixed on the same keys', {
    timeout: 120_000,
  }, () => {
    const range = only === undefined ? { seeds: SEEDS } : { seeds: 1, from: Number(only) };
    const report = generalRegisters().run(range);
    const [violation] = report.violations;
    const replay = `POLDER_SEED=${violation?.seed} npx vitest run packages/core/src/simulation/registers/general.test.ts`;
    expect(violation, `replay with: ${replay}`).toBeUndefined();
    if (only === undefined) expectExercised(report);
  });

  it('give the same run from the same seed, and from a checkpoint in the middle of it', () => {
    const spec = generalRegisters({}, { troubleUs: 800_000 }).spec;
    const whole = runOnce(spec, 5);
    expect(runOnce(spec, 5).hash).toBe(whole.hash);
    const timeline = generalRegisters({}, { troubleUs: 800_000 }).timeline(5);
    timeline.seek(2_000);
    const fork = timeline.fork();
    expect(fork.end().hash).toBe(whole.hash);
  });
});

/** D5: a campaign in which nothing happened proves nothing. */
function expectExercised(report: CampaignReport): void {
  expect(report.undecided).toBe(0);
  expect(unseen(report)).toEqual([]);
  for (const level of ['strong', 'causal', 'eventual', 'weak']) {
    expect(report.counts[level], level).toBeGreaterThan(20 * SEEDS);
  }
  expect(report.faults.wipe).toBeGreaterThan(SEEDS / 10);
}
