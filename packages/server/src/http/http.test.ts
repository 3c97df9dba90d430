import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ClientListener, type LinkRule, startClientListener } from './index.ts';
import { MemoryStore } from './testing/memory-store.ts';

let store: MemoryStore;
let listener: ClientListener;
let applied: (readonly LinkRule[])[];

const fail = (error: unknown): void => {
  throw error;
};

beforeEach(async () => {
  store = new MemoryStore();
  applied = [];
  const faults = { apply: (rules: readonly LinkRule[]) => void applied.push(rules), list: () => ['all: block'] };
  listener = await startClientListener({ host: '127.0.0.1', port: 0, store, faults, onBug: fail });
});

afterEach(() => listener.close());

const url = (path: string): string => `http://127.0.0.1:${listener.port}${path}`;

function post(body: string, type = 'application/json'): Promise<Response> {
  return fetch(url('/polder/links'), { method: 'POST', headers: { 'content-type': type }, body });
}

test('a healthy member is alive, ready and healthy in etcd’s shape', async () => {
  expect(await (await fetch(url('/health'))).json()).toMatchObject({ health: 'true' });
  expect((await fetch(url('/livez'))).status).toBe(200);
  expect((await fetch(url('/readyz'))).status).toBe(200);
});

test('losing quorum fails health and readiness, never liveness', async () => {
  for (const failure of ['NoLeader', 'Timeout']) {
    store.failure = failure;
    const health = await fetch(url('/health'));
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ health: 'false' });
    expect((await fetch(url('/readyz'))).status).toBe(503);
    expect((await fetch(url('/livez'))).status).toBe(200);
  }
});

test('metrics carry etcd’s names with measured values', async () => {
  store.failure = 'NoLeader';
  const text = await (await fetch(url('/metrics'))).text();
  expect(text).toContain('\netcd_server_has_leader 0\n');
  expect(text).toContain('\netcd_server_leader_changes_seen_total 1\n');
  expect(text).toContain('# TYPE etcd_mvcc_db_total_size_in_bytes gauge');
});

test('status says who this is and what it knows', async () => {
  expect(await (await fetch(url('/polder/status'))).json()).toEqual({
    name: 'a',
    id: 1,
    role: 'leader',
    term: 7,
    leader: 'a',
    commit: 0,
    applied: 0,
    lastIndex: 0,
    keys: 0,
    revision: 1,
    peersReachable: [],
    faults: ['all: block'],
    pid: process.pid,
    members: [
      { id: 1, name: 'a', isLearner: false, peerUrl: 'http://127.0.0.1:2380', clientUrl: 'http://127.0.0.1:2379' },
    ],
    configuration: { index: 0, joint: false, nextMember: 2 },
  });
});

test('link rules are applied whole or not at all', async () => {
  const rule = { peer: '*', direction: 'both', mode: 'block' };
  expect((await post(JSON.stringify([rule]))).status).toBe(200);
  expect(applied).toEqual([[rule]]);
  for (const bad of ['{', '{}', '[1]', JSON.stringify([rule, { ...rule, peer: 'zoo' }]), '[{"peer":"*"}]']) {
    const response = await post(bad);
    expect(response.status).toBe(400);
    expect(await response.json()).toHaveProperty('error');
  }
  expect((await post(JSON.stringify([rule]), 'text/plain')).status).toBe(415);
  expect((await post(`[${' '.repeat(70_000)}]`)).status).toBe(413);
  expect(applied.length).toBe(1);
});

test('a member that is not breakable refuses link rules', async () => {
  const sound = await startClientListener({ host: '127.0.0.1', port: 0, store, faults: null, onBug: fail });
  const response = await fetch(`http://127.0.0.1:${sound.port}/polder/links`, { method: 'POST', body: '[]' });
  expect(response.status).toBe(403);
  await sound.close();
});

test('unknown paths are 404 and wrong methods 405', async () => {
  expect((await fetch(url('/nowhere'))).status).toBe(404);
  expect((await fetch(url('/health'), { method: 'DELETE' })).status).toBe(405);
});

test('a port in use is said to be so, with what to do', async () => {
  const second = startClientListener({ host: '127.0.0.1', port: listener.port, store, faults: null, onBug: fail });
  await expect(second).rejects.toMatchObject({
    code: 'PortInUse',
    message: `127.0.0.1:${listener.port} is in use: stop what listens there or choose another port`,
  });
});
