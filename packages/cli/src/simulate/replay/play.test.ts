import { formatTrace, generalRaft, HASH_EVERY, parseTrace, type Trace } from '@polder/core/simulation';
import { expect, test } from 'vitest';
import type { AnyScenario } from '../scenarios.ts';
import { replayTrace } from './play.ts';

const raft = generalRaft() as unknown as AnyScenario;
const recorded = raft.record(4);
const trace = parseTrace(formatTrace(recorded.trace as Trace));
const ignore = (): void => {};

test('the hashes of a trace stand after each thousand events', () => {
  expect(trace.hashes.length).toBe(Math.floor(recorded.events / HASH_EVERY));
  expect(trace.hashes.length).toBeGreaterThan(2);
});

test('a run that is the recorded one has no divergence', () => {
  const { report, divergence, shrunk } = replayTrace(raft, trace, true, ignore);
  expect(report.violation).toBeNull();
  expect([divergence, shrunk]).toEqual([null, null]);
});

test('a run that is no longer the recorded one diverges between two events, whose times are told', () => {
  const hashes = trace.hashes.map((hash, i) => (i >= 2 ? hash + 1 : hash));
  const { divergence } = replayTrace(raft, { ...trace, hashes }, false, ignore);
  expect(divergence).toMatchObject({ afterEvent: 2_000, beforeEvent: 3_000 });
  expect(divergence?.beforeUs).toBeGreaterThan(divergence?.afterUs as number);
  expect(divergence?.afterUs).toBeGreaterThan(0);
});

test('a run that ends before the recorded one did has gone its own way, too', () => {
  const hashes = [...trace.hashes, 1, 2];
  const { divergence } = replayTrace(raft, { ...trace, hashes }, false, ignore);
  expect(divergence).toMatchObject({ afterEvent: trace.hashes.length * HASH_EVERY, beforeUs: null });
});

test('a trace of another scenario, or of more members than there are, does not fit', () => {
  expect(() => replayTrace(raft, { ...trace, scenario: 'paxos' }, false, ignore)).toThrow('of scenario "paxos"');
  const fixed = { ...raft.spec.options, replicas: (seed: number) => generalRaftReplicas(seed) };
  const three = generalRaft();
  const scenario = new (three.constructor as new (spec: unknown) => AnyScenario)({ ...raft.spec, options: fixed });
  expect(() => replayTrace(scenario, { ...trace, members: 9 }, false, ignore)).toThrow('the trace has 9 members');
});

function generalRaftReplicas(seed: number): unknown {
  const { replicas } = generalRaft().spec.options;
  return typeof replicas === 'function' ? replicas(seed, 3) : replicas;
}
