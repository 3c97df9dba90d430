import type { CampaignReport } from '@polder/core/simulation';
import { expect, test } from 'vitest';
import { fileNameOf, firstOfEachRule } from './findings.ts';
import { blamedFor, findingText, type HuntResult, huntJson, huntSummary, paceText } from './hunt-text.ts';

const REPORT: CampaignReport = {
  scenario: 'raft',
  seeds: 200,
  violations: [],
  undecided: 0,
  events: 3_000_000,
  simulatedUs: 800_000_000,
  counts: { elections: 900 },
  faults: { crash: 12 },
  operations: { ok: 5_000, fail: 40, info: 3 },
  frames: { sent: 10_000, lost: 30, duplicated: 2, damaged: 1 },
  stopped: 1,
  sometimes: { 'the leader changes': 180, 'a snapshot is installed': 20 },
};

const violation = (rule: string, seed: number) => ({ rule, seed, sentence: `how ${rule} broke`, atUs: 4_000_000 });

function result(change: Partial<CampaignReport>, other: Partial<HuntResult> = {}): HuntResult {
  const report = { ...REPORT, ...change };
  return { report, realSeconds: 10, threads: 2, interrupted: false, findings: [], ...other };
}

test('the JSON has seeds, violations, events, speed, both times and what was seen', () => {
  expect(JSON.parse(huntJson(result({})))).toMatchObject({
    seeds: 200,
    violations: [],
    events: 3_000_000,
    eventsPerSecond: 300_000,
    simulatedSeconds: 800,
    realSeconds: 10,
    sometimes: REPORT.sometimes,
    unseen: [],
    scenario: 'raft',
    operations: REPORT.operations,
  });
});

test('the summary says what was found, how fast it went and what was exercised', () => {
  const text = huntSummary(result({}));
  expect(text).toContain('raft: 200 seeds, no violation\n');
  expect(text).toContain('300,000 a second on 2 threads');
  expect(text).toContain('80 times as fast as real');
  expect(text).toContain('5,000 done, 40 failed, 3 unknown');
  expect(text).toMatch(/the leader changes +in 180 of 200 seeds/);
  expect(huntSummary(result({}, { interrupted: true }))).toContain('no violation (interrupted)');
  expect(huntSummary(result({ undecided: 2 }))).toContain('2 histories could not be judged');
});

test('D5: a campaign of 100 seeds fails for what it never saw; a smaller one is told, not blamed', () => {
  const never = { sometimes: { 'the leader changes': 0, 'a snapshot is installed': 3 } };
  expect(blamedFor({ ...REPORT, ...never })).toEqual(['the leader changes']);
  expect(huntSummary(result(never))).toContain('Never seen: the leader changes. The campaign has failed');
  expect(blamedFor({ ...REPORT, ...never, seeds: 99 })).toEqual([]);
  expect(huntSummary(result({ ...never, seeds: 99 }))).toContain('Fewer than 100 seeds: not held against it');
  expect(blamedFor(REPORT)).toEqual([]);
});

test('of many violations the lowest seed of each rule is explained, in a file named for both', () => {
  const violations = [violation('Log Matching', 9), violation('Election Safety', 5), violation('Log Matching', 2)];
  expect(firstOfEachRule(violations)).toEqual([violation('Log Matching', 2), violation('Election Safety', 5)]);
  expect(fileNameOf(violation('Election Safety', 5))).toBe('election-safety-5.trace.json');
  expect(fileNameOf(violation('../../etc', 5))).toBe('etc-5.trace.json');
  expect(fileNameOf(violation('平衡', 5))).toBe('violation-5.trace.json');
  expect(huntSummary(result({ violations }))).toContain(
    '3 violations: Log Matching (seeds 9, 2); Election Safety (seed 5)',
  );
});

test('a violation is told as its rule, a sentence, the history with the faults, and the command that replays it', () => {
  const found = violation('Linearizability', 6);
  const fault = { type: 'crash', member: 2, power: true } as const;
  const event = { index: 0, process: 4, f: 'read', key: 'k', value: null } as const;
  const text = findingText(
    {
      violation: found,
      file: 'out/linearizability-6.trace.json',
      runs: 17,
      size: 'minimal',
      trace: {
        polder: 'trace',
        version: 1,
        scenario: 'raft',
        seed: 6,
        members: 3,
        troubleUs: 1,
        script: [{ atUs: 1_000, do: 'fault', fault }],
        frames: [{ from: 1, to: 2, kind: 'append', nth: 0, delaysUs: [] }],
        violation: found,
        hashes: [],
      },
      report: {
        history: [
          { ...event, type: 'invoke', time: 2_000 },
          { ...event, index: 1, type: 'ok', time: 3_000 },
        ],
        faultTimes: [{ atUs: 1_000, fault }],
        violation: found,
      } as never,
    },
    'polder replay out/linearizability-6.trace.json',
  );
  expect(text).toMatch(/^Linearizability is broken, by seed 6:\n {2}how Linearizability broke\n/);
  expect(text).toContain('the smallest that still breaks it, after 17 runs: 3 members, 0 operations, 1 fault, 1 frame');
  expect(text).toContain('p4 read k → nothing');
  expect(text).toContain('member 2 loses power');
  expect(text).toContain('append number 1 from member 1 to 2 is lost');
  expect(text).toContain('out/linearizability-6.trace.json');
  expect(text).toContain('out/linearizability-6.html');
  expect(text).toContain('\n  polder replay out/linearizability-6.trace.json\n');
});

test('progress says seeds, speed, how much faster than real it is, and what has been seen', () => {
  const session = { seeds: 50, events: 1_000_000, simulatedUs: 200_000_000 };
  const pace = { report: REPORT, session, sessionMs: 2_000, fraction: 0.5 };
  expect(paceText(pace, false)).toBe(
    '50 %  200 seeds  25.0 seeds/s  500,000 events/s  100x real time  seen 2/2  no violation',
  );
  expect(paceText(pace, true)).toMatch(/^\[█{10}░{10}\] 200 seeds/);
});
