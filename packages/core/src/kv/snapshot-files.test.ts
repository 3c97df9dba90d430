import { describe, expect, it } from 'vitest';
import { utf8 } from '../base/bytes.ts';
import { encodeConfiguration, firstConfiguration } from '../consensus/configuration.ts';
import { encodeKvRequest } from './codec.ts';
import type { KvRequest } from './request.ts';
import { KvSnapshotFounder, KvSnapshotInspector } from './snapshot-files.ts';
import { KvStateMachine } from './state-machine.ts';

function apply(machine: KvStateMachine, request: KvRequest): void {
  const index = machine.appliedIndex() + 1;
  const origin = { member: 2, boot: 5, sequence: index, acknowledgedThrough: 0 };
  machine.apply({ term: 4, index, origin, command: encodeKvRequest(request) });
}

function used(): KvStateMachine {
  const machine = new KvStateMachine();
  machine.apply({ term: 1, index: 1, origin: null, command: encodeConfiguration(firstConfiguration([1, 2, 3])) });
  for (let i = 0; i < 90; i++) {
    apply(machine, { type: 'put', key: utf8(`key ${i % 40}`), value: utf8(`${i}`.padEnd(1_000, '.')) });
  }
  apply(machine, { type: 'deleteRange', key: utf8('key 7') });
  apply(machine, { type: 'compact', revision: 20 });
  return machine;
}

function bytesOf(machine: KvStateMachine): Uint8Array {
  return machine.openSnapshot().rest();
}

function inPieces(bytes: Uint8Array, sink: { write(piece: Uint8Array): void }): void {
  for (let at = 0; at < bytes.length; at += 777) sink.write(bytes.subarray(at, at + 777));
}

describe('a snapshot that is looked at', () => {
  it('K16: says what a member would hold that loads it', () => {
    const machine = used();
    const inspector = new KvSnapshotInspector();
    inPieces(bytesOf(machine), inspector);
    expect(inspector.whole).toBe(true);
    const summary = inspector.summary();
    expect(summary).toMatchObject({
      appliedIndex: machine.appliedIndex(),
      revision: machine.revision(),
      compactRevision: 20,
      keys: machine.keyCount(),
      sizeBytes: machine.sizeBytes(),
    });
    expect(summary.pastVersions).toBeGreaterThan(30);
  });

  it('K16: is refused where it is damaged, and is not whole where it is cut', () => {
    const bytes = bytesOf(used());
    const cut = new KvSnapshotInspector();
    inPieces(bytes.subarray(0, bytes.length - 1), cut);
    expect(cut.whole).toBe(false);
    const damaged = bytes.slice();
    damaged[bytes.length >> 1] = (damaged[bytes.length >> 1] as number) ^ 1;
    expect(() => inPieces(damaged, new KvSnapshotInspector())).toThrow(
      expect.objectContaining({ code: 'MalformedBytes' }),
    );
  });
});

describe('a snapshot for a new cluster', () => {
  it('R26 K16: has the data with all its revisions, and nothing of the old cluster: members, sessions, index', () => {
    const machine = used();
    const founded = new KvStateMachine();
    const stage = founded.stageSnapshot();
    const founder = new KvSnapshotFounder(stage);
    inPieces(bytesOf(machine), founder);
    expect(founder.whole).toBe(true);
    stage.install();
    expect(founded.appliedIndex()).toBe(1);
    expect(founded.configuration().length).toBe(0);
    expect(founded.contains(2, 5, 3)).toBe(false);
    const all: KvRequest = { type: 'range', key: new Uint8Array([0]), rangeEnd: new Uint8Array([0]) };
    for (const revision of [0, 25, 60]) {
      expect(founded.query({ ...all, revision })).toEqual(machine.query({ ...all, revision }));
    }
    expect(founded.revision()).toBe(machine.revision());
    // A member of the new cluster that has just begun is heard.
    const origin = { member: 2, boot: 1, sequence: 1, acknowledgedThrough: 0 };
    const command = encodeKvRequest({ type: 'put', key: utf8('new'), value: utf8('x') });
    expect(founded.apply({ term: 2, index: 2, origin, command })).toMatchObject({ type: 'ok' });
  });
});
