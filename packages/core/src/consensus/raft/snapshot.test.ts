import { describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../../base/bytes.ts';
import { draw, scaled } from '../../base/random.ts';
import { Bench, directoryOf, entry, of, sends } from './harness.test-support.ts';

const NONE_SETTLED = () => false;

const NONE = new Uint8Array(0);

describe('a snapshot of the leader', () => {
  const chunk = { type: 'snapshotChunk', term: 3, index: 9, snapshotTerm: 2 } as const;

  it('R17 RI18: is stored chunk by chunk, installed whole, and only then acknowledged', () => {
    const follower = new Bench({ log: [1, 1], term: 3 });
    const first = follower.receive(2, { ...chunk, offset: 0, data: utf8('ab'), done: false });
    expect(of(first, 'storeSnapshot')).toMatchObject([{ index: 9, term: 2, offset: 0, done: false }]);
    expect(sends(first, 'snapshotReply')).toEqual([]);
    const stored = follower.step({ type: 'snapshotStored', index: 9, nextOffset: 2 });
    expect(sends(stored, 'snapshotReply', 2)[0]?.message).toMatchObject({ nextOffset: 2, installed: false });
    follower.receive(2, { ...chunk, offset: 2, data: utf8('c'), done: true });
    // While it is being installed nothing else moves this member.
    expect(follower.append(2, { previousIndex: 2, previousTerm: 1, entries: [entry(3, 3)] })).toEqual([]);
    expect(follower.raft.status()).toMatchObject({ lastIndex: 2, commitIndex: 0 });
    const effects = follower.step({
      type: 'snapshotInstalled',
      index: 9,
      term: 2,
      configuration: NONE,
      settled: NONE_SETTLED,
    });
    expect(follower.raft.status()).toMatchObject({ firstIndex: 10, lastIndex: 9, commitIndex: 9 });
    expect(sends(effects, 'snapshotReply', 2)[0]?.message).toMatchObject({ index: 9, installed: true });
    follower.append(2, { previousIndex: 9, previousTerm: 2, entries: [entry(10, 3)], commitIndex: 10 });
    expect(of(follower.effects, 'apply').map((apply) => apply.entry.index)).toEqual([10]);
  });

  it('R17 RI18: that is not ahead of the commit index changes nothing', () => {
    const follower = new Bench({ log: [1, 1, 1], term: 3 });
    follower.append(2, { previousIndex: 3, previousTerm: 1, commitIndex: 3 });
    const effects = follower.receive(2, {
      ...chunk,
      index: 3,
      snapshotTerm: 1,
      offset: 0,
      data: utf8('a'),
      done: true,
    });
    expect(of(effects, 'storeSnapshot')).toEqual([]);
    expect(sends(effects, 'snapshotReply', 2)[0]?.message).toMatchObject({ index: 3, installed: true });
    expect(follower.lastIndex).toBe(3);
  });

  it('R17 RI18: keeps the entries that follow it when the log agrees with it, and none when not', () => {
    const after = (snapshotTerm: number): number => {
      const follower = new Bench({ log: [1, 1, 1], term: 3 });
      follower.receive(2, { ...chunk, index: 2, snapshotTerm, offset: 0, data: utf8('a'), done: true });
      follower.step({
        type: 'snapshotInstalled',
        index: 2,
        term: snapshotTerm,
        configuration: NONE,
        settled: NONE_SETTLED,
      });
      return follower.lastIndex;
    };
    expect([after(1), after(2)]).toEqual([3, 2]);
  });

  it('R23 RI13: that contains a proposal whose result is not known here ends it as Unknown', () => {
    const follower = new Bench({ log: [1, 1], term: 3 });
    follower.append(2);
    follower.propose(1);
    follower.propose(2);
    follower.receive(2, { ...chunk, offset: 0, data: utf8('a'), done: true });
    const effects = follower.step({
      type: 'snapshotInstalled',
      index: 9,
      term: 2,
      configuration: NONE,
      settled: (id) => id === 1,
    });
    expect(of(effects, 'rejected')).toEqual([{ type: 'rejected', id: 1, reason: 'Unknown' }]);
  });

  it('R18 RI17: is read from where the peer stands, and replication goes on behind it', () => {
    const leader = new Bench({ log: [1, 1, 1] }).lead();
    leader.persisted();
    leader.appended(2);
    leader.step({ type: 'compacted', index: 4, term: leader.term, through: 4 });
    const { term } = leader;
    leader.receive(3, { type: 'conflict', term, round: 0, previousIndex: 3, hintTerm: 0, hintIndex: 1 });
    const part = { to: 3, index: 4, term } as const;
    const sent = leader.step({ type: 'snapshotRead', ...part, offset: 0, data: utf8('ab'), done: false });
    expect(sends(sent, 'snapshotChunk', 3)[0]?.message).toMatchObject({ index: 4, offset: 0, done: false });
    const reply = { type: 'snapshotReply', term, index: 4 } as const;
    const next = leader.receive(3, { ...reply, nextOffset: 2, installed: false });
    expect(of(next, 'readSnapshot')).toEqual([{ type: 'readSnapshot', to: 3, index: 4, offset: 2 }]);
    leader.propose(1);
    const installed = leader.receive(3, { ...reply, nextOffset: 0, installed: true });
    expect(sends(installed, 'append', 3)[0]?.message).toMatchObject({ previousIndex: 4, entries: [{ index: 5 }] });
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
