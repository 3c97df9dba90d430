import { describe, expect, it } from 'vitest';
import { defined } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { draw, scaled } from '../base/random.ts';
import type { Entry, LogRecord, Recovered } from '../consensus/replica.ts';
import { SimulatedDisk } from '../simulation/world/disk.ts';
import type { DiskOperation } from '../world/world.ts';
import { Log } from './index.ts';

/** A log over a disk that completes one operation per `step`. */
class Machine {
  readonly disk: SimulatedDisk;
  readonly log: Log;
  readonly done: DiskOperation[] = [];
  readonly #queue: { token: number; operation: DiskOperation }[] = [];
  #token = 0;

  constructor(disk: SimulatedDisk, segmentBytes = 400) {
    this.disk = disk;
    this.log = new Log({
      segmentBytes,
      submit: (operation) => {
        this.#token += 1;
        this.#queue.push({ token: this.#token, operation });
        return this.#token;
      },
    });
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  step(): void {
    const { token, operation } = defined(this.#queue.shift(), 'something is under way');
    this.done.push(operation);
    expect(this.log.onDisk(token, this.disk.execute(operation))).toBe(true);
  }

  run(): void {
    while (!this.idle) this.step();
  }

  open(): Recovered {
    this.log.open();
    this.run();
    if (this.log.failure !== null) throw this.log.failure;
    expect(this.log.state).toBe('open');
    return defined(this.log.recovered ?? undefined, 'an open log has recovered');
  }

  write(mark: number, ...records: LogRecord[]): void {
    this.log.write(records, mark);
    this.run();
    expect(this.log.persisted).toBe(mark);
  }
}

function entry(index: number, term = 1, size = 20): LogRecord {
  const origin = { member: 1, boot: 1, sequence: index, acknowledgedThrough: index - 1 };
  return { type: 'entry', entry: { term, index, origin, command: new Uint8Array(size).fill(index) } };
}

const indexes = (recovered: Recovered): number[] => recovered.entries.map((each: Entry) => each.index);
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

function clone(disk: SimulatedDisk): SimulatedDisk {
  const writer = new ByteWriter();
  disk.save(writer);
  const copy = new SimulatedDisk();
  copy.load(new ByteReader(writer.finish()));
  return copy;
}

function files(disk: SimulatedDisk): string[] {
  const result = disk.execute({ type: 'list' });
  return result.type === 'names' ? [...result.names] : [];
}

function reopen(disk: SimulatedDisk): { recovered: Recovered | null; code: string; message: string } {
  const machine = new Machine(disk);
  machine.log.open();
  machine.run();
  const failure = machine.log.failure;
  return { recovered: machine.log.recovered, code: failure?.code ?? '', message: failure?.message ?? '' };
}

function seeded(seed: number): (bound: number) => number {
  let n = 0;
  return (bound) => scaled(draw(seed, 1, 0, n++), bound);
}

const losesAll = (): number => 0;

describe('a log', () => {
  it('L1: gives back everything that was written, and counts its boots', () => {
    const machine = new Machine(new SimulatedDisk());
    expect(machine.open()).toMatchObject({ boot: 1, term: 0, votedFor: 0, snapshotIndex: 0, entries: [] });
    machine.write(3, { type: 'vote', term: 7, votedFor: 2 }, { type: 'directory', member: 2, directory: 99 });
    machine.write(9, { type: 'registered' }, entry(1, 7), entry(2, 7));
    machine.disk.crash(losesAll);
    const again = new Machine(machine.disk).open();
    expect(again).toMatchObject({ boot: 2, term: 7, votedFor: 2, registered: true });
    expect(again.directories).toEqual(new Map([[2, 99]]));
    expect(again.entries).toEqual([entry(1, 7), entry(2, 7)].map((each) => each.type === 'entry' && each.entry));
    machine.disk.crash(losesAll);
    expect(new Machine(machine.disk).open().boot).toBe(3);
  });

  it('L2: one batch is one append and one sync, and its mark is persisted only after the sync', () => {
    const machine = new Machine(new SimulatedDisk());
    machine.open();
    machine.done.length = 0;
    machine.log.write([entry(1), entry(2), entry(3)], 5);
    expect(machine.log.busy).toBe(true);
    machine.step();
    expect([machine.log.persisted, machine.log.busy]).toEqual([0, true]);
    machine.step();
    expect([machine.log.persisted, machine.log.busy]).toEqual([5, false]);
    expect(machine.done.map((each) => each.type)).toEqual(['append', 'sync']);
  });

  it('L5: a later entry supersedes every earlier one at its index and above', () => {
    const machine = new Machine(new SimulatedDisk());
    machine.open();
    machine.write(1, entry(1), entry(2), entry(3), entry(4));
    machine.write(2, entry(2, 5));
    const recovered = new Machine(machine.disk).open();
    expect(recovered.entries.map((each) => [each.index, each.term])).toEqual([
      [1, 1],
      [2, 5],
    ]);
  });

  it('L6: a snapshot ends the entries it covers, and all of them when the log disagrees with it', () => {
    const machine = new Machine(new SimulatedDisk());
    machine.open();
    machine.write(1, entry(1), entry(2), entry(3), entry(4));
    machine.write(2, { type: 'snapshot', index: 2, term: 1, file: 'a' });
    expect(indexes(new Machine(clone(machine.disk)).open())).toEqual([3, 4]);
    machine.write(3, { type: 'snapshot', index: 3, term: 9, file: 'b' });
    const recovered = new Machine(machine.disk).open();
    expect(recovered).toMatchObject({ snapshotIndex: 3, snapshotTerm: 9, snapshotFile: 'b', entries: [] });
  });

  it('ignores the tokens of others', () => {
    expect(new Machine(new SimulatedDisk()).log.onDisk(77, { type: 'done' })).toBe(false);
  });
});

describe('R20: a torn tail', () => {
  it('R20 L3: is cut at every byte of the last batch, and nothing before it is lost', () => {
    const machine = new Machine(new SimulatedDisk(), 10_000);
    machine.open();
    machine.write(1, entry(1), entry(2));
    const before = defined(machine.disk.contents('log-1.wal') ?? undefined, 'the segment exists').length;
    machine.write(2, entry(3));
    const after = defined(machine.disk.contents('log-1.wal') ?? undefined, 'the segment exists').length;
    for (let length = before; length < after; length++) {
      const disk = clone(machine.disk);
      disk.execute({ type: 'truncate', file: 'log-1.wal', length });
      // Zeros and garbage behind it, as a torn sector leaves them.
      if (length % 3 > 0)
        disk.execute({ type: 'append', file: 'log-1.wal', bytes: new Uint8Array(9).fill(length % 3) });
      expect(indexes(new Machine(disk).open()), `cut at ${length}`).toEqual([1, 2]);
      expect(indexes(new Machine(disk).open()), `cut at ${length}, next boot`).toEqual([1, 2]);
    }
  });

  it('R20: cut before, the log goes on and is read back whole', () => {
    const machine = new Machine(new SimulatedDisk(), 10_000);
    machine.open();
    machine.write(1, entry(1));
    machine.disk.execute({ type: 'append', file: 'log-1.wal', bytes: new Uint8Array(100).fill(7) });
    const second = new Machine(machine.disk, 10_000);
    second.open();
    second.write(1, entry(2));
    expect(indexes(new Machine(machine.disk).open())).toEqual([1, 2]);
  });
});

describe('R20: a corrupt middle', () => {
  for (const segmentBytes of [300, 10_000]) {
    it(`R20 L3: any byte that rots before the last batch is refused (segments of ${segmentBytes} bytes)`, () => {
      const machine = new Machine(new SimulatedDisk(), segmentBytes);
      machine.open();
      for (let i = 1; i <= 7; i++) machine.write(i, entry(i));
      const before = new Map(files(machine.disk).map((name) => [name, machine.disk.contents(name)?.length ?? 0]));
      machine.write(8, entry(8));
      let refused = 0;
      for (const name of files(machine.disk)) {
        const length = machine.disk.contents(name)?.length ?? 0;
        for (let offset = 0; offset < length; offset++) {
          const disk = clone(machine.disk);
          disk.corrupt(name, offset, offset % 8);
          const { recovered, code, message } = reopen(disk);
          if (offset < (before.get(name) ?? 0)) {
            expect(code, `${name} ${offset}`).toBe('CorruptLog');
            expect(message).toMatch(/log-\d+\.wal at byte \d+ .*replace the member/);
            refused++;
          } else if (code === '') {
            // Rot in the last batch cannot be told from tearing; everything before it is still there.
            expect(indexes(defined(recovered ?? undefined, 'opened'))).toEqual(upTo(7));
          }
        }
      }
      expect(refused).toBeGreaterThan(500);
    });
  }

  it('R20 L4: a damaged end is refused when the next segment was begun, even if that one is torn', () => {
    const machine = new Machine(new SimulatedDisk(), 10_000);
    machine.open();
    machine.write(1, entry(1));
    const length = defined(machine.disk.contents('log-1.wal') ?? undefined, 'the segment exists').length;
    machine.disk.execute({ type: 'append', file: 'log-2.wal', bytes: new Uint8Array(5) });
    expect(indexes(new Machine(clone(machine.disk)).open())).toEqual([1]);
    machine.disk.corrupt('log-1.wal', length - 1);
    expect(reopen(machine.disk).code).toBe('CorruptLog');
  });

  it('R20 L4: a log that has lost its first segments never starts as an empty one', () => {
    const disk = new SimulatedDisk();
    disk.execute({ type: 'append', file: 'log-3.wal', bytes: new Uint8Array(5) });
    expect(reopen(disk).code).toBe('CorruptLog');
  });

  it('R20: names the file and the place', () => {
    const machine = new Machine(new SimulatedDisk(), 10_000);
    machine.open();
    const place = defined(machine.disk.contents('log-1.wal') ?? undefined, 'the segment exists').length;
    machine.write(1, entry(1));
    machine.write(2, entry(2));
    machine.disk.corrupt('log-1.wal', place + 50);
    expect(reopen(machine.disk).message).toContain(`log-1.wal at byte ${place} is damaged in the middle`);
  });

  it('R20 L4: a missing segment is refused', () => {
    const machine = new Machine(new SimulatedDisk(), 300);
    machine.open();
    for (let i = 1; i <= 12; i++) machine.write(i, entry(i));
    const names = files(machine.disk);
    for (const name of names.slice(0, -1)) {
      const disk = clone(machine.disk);
      disk.execute({ type: 'remove', file: name });
      expect(reopen(disk).code, name).toBe('CorruptLog');
    }
  });
});

describe('R20: a crash at every step', () => {
  it('R20 L7: of rolling to a new segment and of compaction leaves a log that opens with everything acknowledged', () => {
    let rolls = 0;
    for (let steps = 0; steps < 60; steps++) {
      for (let seed = 0; seed < 12; seed++) {
        const machine = new Machine(new SimulatedDisk(), 250);
        machine.open();
        let index = 0;
        for (let left = steps; left > 0; left--) {
          if (!machine.log.busy) {
            index += 1;
            machine.log.write(
              index % 4 === 0
                ? [entry(index), { type: 'snapshot', index: index - 1, term: 1, file: 's' }]
                : [entry(index)],
              index,
            );
          }
          machine.step();
          const persisted = machine.log.persisted;
          if (persisted > 0 && persisted % 4 === 0 && !machine.log.busy) machine.log.compact(persisted - 1);
        }
        const acknowledged = machine.log.persisted;
        rolls += machine.done.filter((each) => each.type === 'remove').length;
        machine.disk.crash(seeded(seed * 1000 + steps));
        const recovered = new Machine(machine.disk, 250).open();
        const last = recovered.entries.at(-1)?.index ?? recovered.snapshotIndex;
        expect(last, `steps ${steps} seed ${seed}`).toBeGreaterThanOrEqual(acknowledged);
        expect(indexes(recovered)[0] ?? recovered.snapshotIndex + 1).toBe(recovered.snapshotIndex + 1);
      }
    }
    expect(rolls).toBeGreaterThan(100);
  });

  it('R20 L7: of recovery itself loses nothing, however often it repeats', () => {
    for (let seed = 0; seed < 150; seed++) {
      const draws = seeded(seed);
      let machine = new Machine(new SimulatedDisk(), 250);
      machine.open();
      for (let i = 1; i <= 6; i++) machine.write(i, entry(i));
      machine.log.write([entry(7)], 7);
      machine.step();
      for (let crashes = 0; crashes < 4; crashes++) {
        machine.disk.crash(draws);
        machine = new Machine(machine.disk, 250);
        machine.log.open();
        for (let steps = draws(14); steps > 0 && !machine.idle; steps--) machine.step();
      }
      machine.disk.crash(draws);
      const recovered = new Machine(machine.disk, 250).open();
      expect(indexes(recovered).slice(0, 6), `seed ${seed}`).toEqual(upTo(6));
    }
  });
});

describe('R24: an I/O error', () => {
  it('R24 L8: of any operation stops the log for good, and no further operation is submitted', () => {
    const kinds = ['append', 'sync', 'syncDirectory', 'read', 'size', 'list'] as const;
    for (const kind of kinds) {
      const disk = new SimulatedDisk();
      new Machine(disk).open();
      const machine = new Machine(disk, 40);
      disk.failNext(kind, 'EIO');
      machine.log.open();
      machine.run();
      expect(machine.log.state, kind).toBe('failed');
      expect(machine.log.failure?.code, kind).toBe('DiskError');
      expect(machine.log.failure?.message).toContain(`${kind}`);
      // A sync is under way together with its append.
      expect(machine.done.at(-1)?.type, kind).toBe(kind === 'append' ? 'sync' : kind);
      expect(() => machine.log.write([entry(1)], 1)).toThrow('open');
    }
  });

  it('R24: a failed sync is never reported as persisted', () => {
    const machine = new Machine(new SimulatedDisk());
    machine.open();
    machine.write(1, entry(1));
    machine.disk.failNext('sync', 'EIO');
    machine.log.write([entry(2)], 2);
    machine.run();
    expect([machine.log.state, machine.log.persisted]).toEqual(['failed', 1]);
    expect(machine.log.failure?.message).toContain('sync of log-1.wal failed with EIO');
    machine.disk.crash(seeded(1));
    expect(indexes(new Machine(machine.disk).open())).toEqual([1]);
  });

  it('R24 L8: what a failed sync dropped is never silently missing later', () => {
    let refused = 0;
    for (let seed = 0; seed < 40; seed++) {
      const machine = new Machine(new SimulatedDisk());
      machine.open();
      machine.write(1, entry(1));
      machine.disk.failNext('sync', 'EIO');
      machine.log.write([entry(2)], 2);
      machine.run();
      // The process starts again without power loss: the kernel shows the bytes, and syncs "successfully".
      const second = new Machine(machine.disk);
      second.open();
      second.write(1, entry(3));
      second.disk.crash(seeded(seed));
      const { recovered, code } = reopen(second.disk);
      if (code === 'CorruptLog') refused++;
      else expect(indexes(defined(recovered ?? undefined, 'opened')), `seed ${seed}`).toEqual([1, 2, 3]);
    }
    expect(refused).toBe(40);
  });

  it('R24: a full disk stops the log; with space again it opens with everything acknowledged', () => {
    const machine = new Machine(new SimulatedDisk());
    machine.open();
    machine.write(1, entry(1));
    machine.disk.failNext('append', 'ENOSPC');
    machine.log.write([entry(2)], 2);
    machine.run();
    expect(machine.log.failure?.message).toContain('ENOSPC');
    expect(indexes(new Machine(machine.disk).open())).toEqual([1]);
  });
});

describe('compaction', () => {
  it('L9: removes whole old segments and keeps votes, directories, boots and what lies above', () => {
    const machine = new Machine(new SimulatedDisk(), 250);
    machine.open();
    machine.write(1, { type: 'vote', term: 4, votedFor: 3 }, { type: 'directory', member: 5, directory: 55 });
    for (let i = 1; i <= 20; i++) machine.write(i + 1, entry(i, 4));
    machine.write(30, { type: 'snapshot', index: 15, term: 4, file: 'snapshot-15' });
    const before = files(machine.disk).length;
    machine.log.compact(15);
    machine.run();
    expect(files(machine.disk).length).toBeLessThan(before);
    expect(files(machine.disk)).not.toContain('log-1.wal');
    machine.disk.crash(losesAll);
    const recovered = new Machine(machine.disk).open();
    expect(recovered).toMatchObject({ boot: 2, term: 4, votedFor: 3, snapshotIndex: 15, snapshotFile: 'snapshot-15' });
    expect(recovered.directories.get(5)).toBe(55);
    expect(indexes(recovered)).toEqual([16, 17, 18, 19, 20]);
  });

  it('L9: refuses to drop entries that no durable snapshot record covers', () => {
    const machine = new Machine(new SimulatedDisk());
    machine.open();
    machine.write(1, entry(1), entry(2));
    expect(() => machine.log.compact(1)).toThrow('durable snapshot');
  });
});

describe('random writes and crashes', () => {
  it('L1 R20: every batch whose mark was persisted is recovered, as a prefix of what was written', () => {
    for (let seed = 0; seed < 150; seed++) runRandom(seed);
  });
});

/** The model is the list of batches; after a crash the log must equal it after k batches, k ≥ the persisted ones. */
function runRandom(seed: number): void {
  const draws = seeded(seed);
  const replay = `seed ${seed}: runRandom(${seed})`;
  const disk = new SimulatedDisk();
  let model = { term: 0, entries: [] as string[] };
  for (let boot = 1; boot <= 4; boot++) {
    const machine = new Machine(disk, 200 + draws(400));
    const recovered = machine.open();
    expect(recovered.boot, replay).toBe(boot);
    expect(shown(recovered.term, recovered.entries), replay).toBe(JSON.stringify(model));
    const states = [model];
    let pending = 0;
    for (let mark = 1; mark <= 8; mark++) {
      const { records, next } = randomBatch(defined(states.at(-1), 'a state'), draws);
      machine.log.write(records, mark);
      states.push(next);
      pending = mark;
      const steps = mark === 8 || draws(10) === 0 ? draws(6) : 100;
      for (let i = 0; i < steps && !machine.idle; i++) machine.step();
      if (machine.log.busy) break;
    }
    const persisted = machine.log.persisted;
    disk.crash(draws);
    // The next boot must show the state after the persisted batches, or after the one that was under way.
    const after = new Machine(clone(disk)).open();
    const found = shown(after.term, after.entries);
    const allowed = states.slice(persisted, pending + 1).map((state) => JSON.stringify(state));
    expect(allowed, replay).toContain(found);
    model = JSON.parse(found) as typeof model;
  }
}

function shown(term: number, entries: readonly Entry[]): string {
  return JSON.stringify({ term, entries: entries.map((each) => `${each.index}:${each.term}:${each.command.length}`) });
}

function randomBatch(
  state: { term: number; entries: string[] },
  draws: (bound: number) => number,
): { records: LogRecord[]; next: typeof state } {
  const term = state.term + (draws(3) === 0 ? 1 : 0);
  const records: LogRecord[] = [{ type: 'vote', term, votedFor: 1 }];
  const keep = draws(4) === 0 ? draws(state.entries.length + 1) : state.entries.length;
  const entries = state.entries.slice(0, keep);
  const count = keep < state.entries.length ? 1 + draws(3) : draws(4);
  for (let i = 0; i < count; i++) {
    const size = draws(8) === 0 ? 1500 : draws(80);
    records.push(entry(entries.length + 1, term, size));
    entries.push(`${entries.length + 1}:${term}:${size}`);
  }
  return { records, next: { term, entries } };
}

describe('a saved log', () => {
  it('L10: loaded at any step, goes on to the same bytes', () => {
    for (let at = 0; at < 40; at++) {
      const queue: { token: number; operation: DiskOperation }[] = [];
      let token = 0;
      const submit = (operation: DiskOperation): number => {
        queue.push({ token: ++token, operation });
        return token;
      };
      const disk = new SimulatedDisk();
      new Machine(disk, 250).open();
      let log = new Log({ submit, segmentBytes: 250 });
      log.open();
      let mark = 0;
      for (let step = 0; step < 40; step++) {
        if (log.state === 'open' && !log.busy) log.write([entry(++mark)], mark);
        if (step === at) {
          const writer = new ByteWriter();
          log.save(writer);
          const saved = writer.finish();
          log = new Log({ submit, segmentBytes: 250 });
          log.load(new ByteReader(saved));
          const again = new ByteWriter();
          log.save(again);
          expect(again.finish()).toEqual(saved);
        }
        const next = defined(queue.shift(), 'something is under way');
        expect(log.onDisk(next.token, disk.execute(next.operation))).toBe(true);
      }
      expect(log.recovered?.boot).toBe(2);
      expect(indexes(new Machine(disk).open()).slice(0, log.persisted)).toEqual(upTo(log.persisted));
    }
  });
});
