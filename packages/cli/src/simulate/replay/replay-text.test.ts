import type { RunReport, Trace } from '@polder/core/simulation';
import { expect, test } from 'vitest';
import { type ReplayResult, replayJson, replayText } from './replay-text.ts';

const broken = (rule: string) => ({ rule, sentence: `how ${rule} broke`, atUs: 5_000 });

function result(recorded: string | null, now: string | null, change: Partial<ReplayResult> = {}): ReplayResult {
  const trace = {
    scenario: 'raft',
    seed: 6,
    frames: [],
    hashes: [1, 2],
    violation: recorded === null ? null : broken(recorded),
  } as unknown as Trace;
  const violation = now === null ? null : broken(now);
  const report = {
    history: [],
    faultTimes: [],
    events: 2_500,
    simulatedUs: 9_000_000,
    violation,
  } as unknown as RunReport;
  return { path: 'x.trace.json', trace, report, divergence: null, shrunk: null, out: null, ...change };
}

test('a replay says whether the rule that was broken is still broken', () => {
  expect(replayText(result('A', 'A'))).toContain('x.trace.json still breaks A\n  how A broke\n');
  expect(replayText(result('A', 'B'))).toContain('x.trace.json breaks B; it was recorded breaking A');
  expect(replayText(result('A', null))).toContain('x.trace.json no longer breaks A, nor any other rule');
  expect(replayText(result(null, null))).toContain('x.trace.json breaks no rule');
  expect(replayText(result(null, 'B'))).toMatch(/^x\.trace\.json breaks B\n/);
});

test('it says how far the run is the recorded one, and where it is not', () => {
  expect(replayText(result('A', 'A'))).toContain('up to 2,000 events the run is the one recorded');
  const divergence = { afterEvent: 1_000, beforeEvent: 2_000, afterUs: 4_000_000, beforeUs: 5_000_000 };
  expect(replayText(result('A', null, { divergence }))).toContain(
    'its own way after event 1,000 (at 4.000 s), by event 2,000 (at 5.000 s). That it breaks nothing, if so, does not show',
  );
  const early = { afterEvent: 0, beforeEvent: 1_000, afterUs: 0, beforeUs: null };
  expect(replayText(result('A', null, { divergence: early }))).toContain('from its beginning, before it ends');
});

test('the JSON has the outcome, both violations and the divergence', () => {
  expect(JSON.parse(replayJson(result('A', 'B')))).toMatchObject({
    outcome: 'other',
    recorded: { rule: 'A' },
    violation: { rule: 'B' },
    divergence: null,
    events: 2_500,
    shrunk: null,
  });
});
