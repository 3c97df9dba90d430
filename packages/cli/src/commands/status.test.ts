import { expect, test } from 'vitest';
import { type MemberStatus, parseStatus } from '../cluster/member-http.ts';
import { statusJson, statusRow, statusTable } from './status.ts';

const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index + 1}`);
const voters = (count: number): ReadonlySet<string> => new Set(named(count));

const leader: MemberStatus = {
  name: 'm1',
  id: 1,
  role: 'leader',
  term: 3,
  leader: 'm1',
  commit: 12,
  applied: 12,
  lastIndex: 13,
  keys: 4,
  revision: 9,
  peersReachable: ['m2', 'm3', 'm4'],
  faults: [],
  pid: 100,
  members: named(5).map((name, index) => ({ id: index + 1, name, isLearner: false, peerUrl: '', clientUrl: '' })),
  configuration: { index: 0, joint: false, nextMember: 6 },
};
const cutOff: MemberStatus = {
  ...leader,
  name: 'm5',
  id: 5,
  role: 'follower',
  leader: null,
  peersReachable: ['m4'],
  pid: 105,
};
const at = (name: string, pid: number | null) => ({
  name,
  url: `http://127.0.0.1:${2000 + Number(name.slice(1))}`,
  pid,
});
const rows = [
  statusRow(at('m1', 100), leader, voters(5)),
  statusRow(at('m2', null), null, voters(5)),
  statusRow(at('m5', 105), cutOff, voters(5)),
];

test('status --json has exactly the documented fields, also for a member that is down', () => {
  expect(JSON.parse(statusJson(rows))).toEqual({
    members: [
      {
        name: 'm1',
        state: 'healthy',
        role: 'leader',
        term: 3,
        commit: 12,
        applied: 12,
        lastIndex: 13,
        keys: 4,
        peersReachable: ['m2', 'm3', 'm4'],
        clientUrl: 'http://127.0.0.1:2001',
        pid: 100,
      },
      {
        name: 'm2',
        state: 'failed',
        role: null,
        term: null,
        commit: null,
        applied: null,
        lastIndex: null,
        keys: null,
        peersReachable: [],
        clientUrl: 'http://127.0.0.1:2002',
        pid: null,
      },
      expect.objectContaining({ name: 'm5', state: 'partitioned', peersReachable: ['m4'] }),
    ],
  });
});

test('a member is partitioned when it reaches no majority: two of four are no majority, two of three are', () => {
  const reachesOne = { ...leader, peersReachable: ['m2'] };
  expect(statusRow(at('m1', 1), reachesOne, voters(4)).state).toBe('partitioned');
  expect(statusRow(at('m1', 1), reachesOne, voters(3)).state).toBe('healthy');
  expect(statusRow(at('m1', 1), { ...leader, peersReachable: [] }, voters(1)).state).toBe('healthy');
});

test('a learner counts for no majority, its own or another’s, and a member that waits to be added says so', () => {
  const learner = { ...leader, name: 'm5', id: 5, role: 'follower', peersReachable: ['m1', 'm2'] };
  expect(statusRow(at('m5', 1), learner, voters(4))).toMatchObject({ role: 'learner', state: 'partitioned' });
  expect(statusRow(at('m5', 1), learner, voters(3))).toMatchObject({ role: 'learner', state: 'healthy' });
  const reachesLearner = { ...leader, peersReachable: ['m5'] };
  expect(statusRow(at('m1', 1), reachesLearner, voters(3)).state).toBe('partitioned');
  const joining = { ...learner, name: 'm6', id: 6, peersReachable: [] };
  expect(statusRow(at('m6', 1), joining, voters(5)).role).toBe('joining');
});

test('the table has a line a member, columns aligned, and a dash for what is not known', () => {
  const lines = statusTable(rows).split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^MEMBER {2}STATE {8}ROLE {6}TERM/);
  expect(lines[2]).toMatch(/^m2 {6}failed {7}- {9}- {5}-/);
  const column = lines[0]?.indexOf('CLIENTS') ?? -1;
  for (const line of lines.slice(1)) expect(line.indexOf('http://')).toBe(column);
});

test('an answer that is not a status counts as none', () => {
  expect(parseStatus('<html>')).toBeNull();
  expect(parseStatus('null')).toBeNull();
  expect(parseStatus('{"name":"m1"}')).toBeNull();
  expect(parseStatus(JSON.stringify(leader))).toEqual(leader);
});
