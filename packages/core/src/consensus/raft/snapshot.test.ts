import { describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../../base/bytes.ts';
import { draw, scaled } from '../../base/random.ts';
import {
  Bench,
  directoryOf,
  ELECTION_US,
  entry,
  HEARTBEAT_US,
  of,
  type RaftEffect,
  sends,
} from './harness.test-support.ts';
import type { SnapshotTransferOptions } from './snapshot-transfer.ts';

const NONE_SETTLED = () => false;

const NONE = new Uint8Array(0);

describe('a snapshot of the leader', () => {
  const chunk = { type: 'snapshotChunk', term: 3, index: 9, snapshotTerm: 2 } as const;
  const stored = { type: 'snapshotStored', index: 9, term: 2, whole: false } as const;
  const installed = { type: 'snapshotInstalled', configuration: NONE, settled: NONE_SETTLED } as const;

  /** The whole of it has come, and is being installed. */
  function whole(follower: Bench, index = 9, term = 2): RaftEffect[] {
    follower.receive(2, { ...chunk, index, snapshotTerm: term, offset: 0, data: utf8('abc'), done: true });
    return follower.step({ ...stored, index, term, nextOffset: 3, whole: true });
  }

  it('R17 RI18: is stored chunk by chunk, installed whole, and only then acknowledged', () => {
    const follower = new Bench({ log: [1, 1], term: 3 });
    const first = follower.receive(2, { ...chunk, offset: 0, data: utf8('ab'), done: false });
    expect(of(first, 'storeSnapshot')).toMatchObject([{ index: 9, term: 2, offset: 0, done: false }]);
    expect(sends(first, 'snapshotReply')).toEqual([]);
    const some = follower.step({ ...stored, nextOffset: 2 });
    expect(sends(some, 'snapshotReply', 2)[0]?.message).toMatchObject({ nextOffset: 2, installed: false });
    expect(of(some, 'installSnapshot')).toEqual([]);
    follower.receive(2, { ...chunk, offset: 2, data: utf8('c'), done: true });
    const all = follower.step({ ...stored, nextOffset: 3, whole: true });
    expect(of(all, 'installSnapshot')).toEqual([{ type: 'installSnapshot', index: 9, term: 2 }]);
    // While it is being installed nothing else moves this member, and its leader hears that it is alive.
    expect(follower.append(2, { previousIndex: 2, previousTerm: 1, entries: [entry(3, 3)] })).toEqual([]);
    expect(sends(follower.append(2, { round: 7 }), 'appended', 2)[0]?.message).toMatchObject({
      round: 7,
      matchIndex: 0,
    });
    expect(follower.receive(2, { ...chunk, offset: 0, data: utf8('x'), done: false })).toEqual([]);
    expect(follower.raft.status()).toMatchObject({ lastIndex: 2, commitIndex: 0 });
    const effects = follower.step({ ...installed, index: 9, term: 2 });
    expect(follower.raft.status()).toMatchObject({ firstIndex: 10, lastIndex: 9, commitIndex: 9 });
    expect(sends(effects, 'snapshotReply', 2)[0]?.message).toMatchObject({ index: 9, installed: true });
    follower.append(2, { previousIndex: 9, previousTerm: 2, entries: [entry(10, 3)], commitIndex: 10 });
    expect(of(follower.effects, 'apply').map((apply) => apply.entry.index)).toEqual([10]);
  });

  it('R17 RI18: that is not ahead of the commit index changes nothing, also when it was on its way before', () => {
    const follower = new Bench({ log: [1, 1, 1], term: 3 });
    follower.receive(2, { ...chunk, index: 3, snapshotTerm: 1, offset: 0, data: utf8('a'), done: true });
    follower.append(2, { previousIndex: 3, previousTerm: 1, commitIndex: 3 });
    const late = follower.step({ ...stored, index: 3, term: 1, nextOffset: 1, whole: true });
    expect(of(late, 'installSnapshot')).toEqual([]);
    expect(sends(late, 'snapshotReply', 2)[0]?.message).toMatchObject({ index: 3, installed: true });
    const again = follower.receive(2, { ...chunk, index: 3, snapshotTerm: 1, offset: 0, data: utf8('a'), done: true });
    expect(of(again, 'storeSnapshot')).toEqual([]);
    expect(sends(again, 'snapshotReply', 2)[0]?.message).toMatchObject({ index: 3, installed: true });
    expect(follower.lastIndex).toBe(3);
  });

  it('R17 RI18: that does not hold is asked for again from its start, and the member goes on meanwhile', () => {
    const follower = new Bench({ log: [1, 1], term: 3 });
    whole(follower);
    const refused = follower.step({ ...stored, nextOffset: 0 });
    expect(sends(refused, 'snapshotReply', 2)[0]?.message).toMatchObject({ nextOffset: 0, installed: false });
    follower.append(2, { previousIndex: 2, previousTerm: 1, entries: [entry(3, 3)] });
    expect(follower.lastIndex).toBe(3);
  });

  it('R17 RI18: keeps the entries that follow it when the log agrees with it, and none when not', () => {
    const after = (term: number): number => {
      const follower = new Bench({ log: [1, 1, 1], term: 3 });
      whole(follower, 2, term);
      follower.step({ ...installed, index: 2, term });
      return follower.lastIndex;
    };
    expect([after(1), after(2)]).toEqual([3, 2]);
  });

  it('R23 RI13: that contains a proposal whose result is not known here ends it as Unknown', () => {
    const follower = new Bench({ log: [1, 1], term: 3 });
    follower.append(2);
    follower.propose(1);
    follower.propose(2);
    whole(follower);
    const effects = follower.step({ ...installed, index: 9, term: 2, settled: (id) => id === 1 });
    expect(of(effects, 'rejected')).toEqual([{ type: 'rejected', id: 1, reason: 'Unknown' }]);
  });
});

describe('a leader that sends a snapshot', () => {
  const SIZE = 10;
  const STALLED_US = ELECTION_US;
  const wanted = (effects: readonly RaftEffect[]) =>
    of(effects, 'readSnapshot').map(({ index, offset }) => [index, offset]);

  /** Member 3 is behind snapshot 4 of ten bytes; chunks of two, three in flight. The first one was read. */
  function sending(options: Partial<SnapshotTransferOptions> = {}) {
    const snapshots = { chunkBytes: 2, windowChunks: 3, ...options };
    const leader = new Bench({ log: [1, 1, 1], snapshots }).lead();
    leader.persisted();
    leader.appended(2);
    leader.step({ type: 'compacted', index: 4, term: leader.term, through: 4 });
    const { term } = leader;
    leader.receive(3, { type: 'conflict', term, round: 0, previousIndex: 3, hintTerm: 0, hintIndex: 1 });
    const read = (offset: number, index = 4) => {
      const data = utf8('ab');
      return leader.step({ type: 'snapshotRead', to: 3, index, term, offset, data, sizeBytes: SIZE });
    };
    const reply = (nextOffset: number, installed = false, index = 4) =>
      leader.receive(3, { type: 'snapshotReply', term, index, nextOffset, installed });
    return { leader, read, reply, first: read(0) };
  }

  it('R18 RI17 RI31: asks for the newest, then keeps a window of its chunks in flight, and replication goes on behind it', () => {
    const { leader, read, reply, first } = sending();
    expect(wanted(leader.effects)).toEqual([
      [0, 0],
      [4, 2],
      [4, 4],
    ]);
    expect(sends(first, 'snapshotChunk', 3)[0]?.message).toMatchObject({ index: 4, offset: 0, done: false });
    expect(wanted(read(2))).toEqual([]);
    expect(wanted(reply(2))).toEqual([[4, 6]]);
    expect(wanted(reply(6))).toEqual([[4, 8]]);
    expect(sends(read(8), 'snapshotChunk', 3)[0]?.message).toMatchObject({ offset: 8, done: true });
    expect(wanted(reply(10))).toEqual([]);
    leader.propose(1);
    const installed = reply(0, true);
    expect(of(installed, 'closeSnapshot')).toEqual([{ type: 'closeSnapshot', to: 3 }]);
    expect(sends(installed, 'append', 3)[0]?.message).toMatchObject({ previousIndex: 4, entries: [{ index: 5 }] });
  });

  it('R18 RI31: goes on from where the peer stands after a gap, once, and when nothing moves', () => {
    const { leader, reply } = sending();
    expect(wanted(reply(2))).toEqual([[4, 6]]);
    expect(wanted(reply(2))).toEqual([
      [4, 2],
      [4, 4],
      [4, 6],
    ]);
    expect(wanted(reply(2))).toEqual([]);
    expect(wanted(leader.pass(STALLED_US - 1))).toEqual([]);
    expect(wanted(leader.pass(HEARTBEAT_US))).toEqual([
      [4, 2],
      [4, 4],
      [4, 6],
    ]);
  });

  it('R18 RI31: a peer that has more already is believed, and one that has lost everything begins anew', () => {
    const { reply } = sending();
    expect(wanted(reply(8))).toEqual([[4, 8]]);
    expect(wanted(reply(4))).toEqual([]);
    expect(wanted(reply(0))).toEqual([
      [4, 0],
      [4, 2],
      [4, 4],
    ]);
  });

  it('R18 RI31: a reply about another snapshot, or beyond this one’s end, moves nothing', () => {
    const { reply } = sending();
    expect(wanted(reply(6, false, 3))).toEqual([]);
    expect(wanted(reply(11))).toEqual([]);
    expect(wanted(reply(2))).toEqual([[4, 6]]);
  });

  it('R18 RI31: sends its last chunk again when all was acknowledged and nothing was installed', () => {
    const { leader, reply } = sending();
    reply(10);
    expect(wanted(leader.pass(STALLED_US))).toEqual([[4, 8]]);
  });

  it('R18 RI32: a newer snapshot does not end the transfer, and what follows it stays in memory', () => {
    const { leader, reply } = sending();
    for (let id = 1; id <= 5; id++) leader.propose(id);
    leader.persisted();
    leader.appended(2);
    leader.step({ type: 'compacted', index: 9, term: leader.term, through: 9 });
    expect(leader.raft.status().firstIndex).toBe(5);
    expect(wanted(reply(2))).toEqual([[4, 6]]);
    const installed = reply(0, true);
    expect(sends(installed, 'append', 3)[0]?.message).toMatchObject({ previousIndex: 4 });
    leader.step({ type: 'compacted', index: 9, term: leader.term, through: 9 });
    expect(leader.raft.status().firstIndex).toBe(10);
  });

  it('R18 RI32: within a limit', () => {
    const { leader } = sending({ heldBytes: 400 });
    for (let id = 1; id <= 5; id++) leader.propose(id);
    leader.persisted();
    leader.appended(2);
    leader.step({ type: 'compacted', index: 9, term: leader.term, through: 9 });
    expect(leader.raft.status().firstIndex).toBeGreaterThan(6);
  });

  it('RI32: lets the snapshot go when it leads no more', () => {
    const { leader } = sending();
    const deposed = leader.append(2, { term: leader.term + 1 });
    expect(of(deposed, 'closeSnapshot')).toEqual([{ type: 'closeSnapshot', to: 3 }]);
  });
});

describe('a saved member', () => {
  /** Three members, a lossy and reordering network, random proposals, reads, compactions and time; all from the seed. */
  function run(seed: number, reloadEvery: number): Uint8Array[] {
    let draws = 0;
    const below = (bound: number): number => scaled(draw(seed, 1, 0, draws++), bound);
    const benches = [1, 2, 3].map((member) => new Bench({ member }));
    const taken = [0, 0, 0];
    const wire: { to: number; from: number; message: Parameters<Bench['receive']>[1] }[] = [];
    for (let step = 1; step <= 600; step++) {
      const at = below(3);
      const bench = benches[at] as Bench;
      act(bench, below, step);
      bench.persisted(Math.max(0, bench.lastMark - (below(4) === 0 ? 1 : 0)));
      for (const send of of(bench.effects.slice(taken[at]), 'send')) {
        if (below(10) > 0) wire.push({ to: send.to, from: at + 1, message: send.message });
      }
      taken[at] = bench.effects.length;
      for (let left = below(6); left > 0 && wire.length > 0; left--) {
        const [frame] = wire.splice(below(Math.min(3, wire.length)), 1);
        if (frame === undefined) continue;
        benches[frame.to - 1]?.step({ type: 'receive', directory: directoryOf(frame.from), ...frame });
      }
      if (step % reloadEvery === 0) benches[step % 3]?.reload();
    }
    expect(Math.max(...benches.map((bench) => bench.commitIndex))).toBeGreaterThan(3);
    return benches.map((bench) => bench.saved());
  }

  function act(bench: Bench, below: (bound: number) => number, step: number): void {
    const what = below(8);
    if (what === 0) bench.propose(step);
    else if (what === 1) bench.read(step);
    else if (what === 2 && bench.commitIndex >= bench.raft.status().firstIndex && below(4) === 0) {
      const through = bench.raft.status().firstIndex;
      bench.step({ type: 'compacted', index: through, term: bench.term, through });
    } else bench.pass(1 + below(150_000));
  }

  it.each([1, 2, 3, 4, 5])('RI21: goes on to the same bytes, loaded again and again (seed %i)', (seed) => {
    const straight = run(seed, Number.POSITIVE_INFINITY);
    for (const every of [1, 7]) {
      const reloaded = run(seed, every);
      straight.forEach((bytes, i) => {
        expect(equalBytes(bytes, reloaded[i] as Uint8Array), `member ${i + 1}, reloaded every ${every}`).toBe(true);
      });
    }
  });
});
