import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../base/bytes.ts';
import { MAX_PHYSICAL_MS, VectorClock } from '../clocks/index.ts';
import { MS, RegistersCluster } from '../simulation/registers/by-hand.ts';
import type { RegisterMessage } from './message.ts';
import { configurationId } from './replica.ts';
import type { RegisterOutcome } from './request.ts';
import { encodeToken } from './token.ts';
import { readTag, type Tag, type Version, writeTag } from './version.ts';

const SECOND = 1_000 * MS;

function tokenOf(outcome: RegisterOutcome | undefined): Uint8Array {
  if (outcome === undefined || outcome.type === 'NotApplied' || outcome.type === 'Unknown' || outcome.token === null) {
    throw new Error(`no session in ${JSON.stringify(outcome)}`);
  }
  return outcome.token;
}

function isStore(type: RegisterMessage['type']): boolean {
  return type === 'store' || type === 'push' || type === 'delta' || type === 'repair' || type === 'weak';
}

describe('levels', () => {
  it('REG1: a weak write is answered at once, reaches the others, and is repaired where its only message was lost', () => {
    const three = new RegistersCluster(3);
    three.cut = (_, to, message) => message.type === 'weak' && to === 3;
    expect(three.told(three.write(1, 'x', 'a', 'weak'))).toBe('written at weak');
    three.run(50 * MS);
    expect([2, 3].map((id) => three.told(three.read(id, 'x', 'weak')))).toEqual(['a', 'absent']);
    three.run(30 * SECOND);
    expect(three.told(three.read(3, 'x', 'weak'))).toBe('a');
  });

  it('REG2: an eventual write is taken on both sides of a partition, and both sides are equal after it', () => {
    const three = new RegistersCluster(3);
    three.partition([1], [2, 3]);
    expect(three.later(three.write(1, 'x', 'a', 'eventual'))).toBe('written at eventual');
    expect(three.later(three.write(3, 'x', 'b', 'eventual'))).toBe('written at eventual');
    expect([1, 2].map((id) => three.told(three.read(id, 'x', 'eventual')))).toEqual(['a', 'b']);
    three.heal();
    three.run(3 * SECOND);
    expect([1, 2, 3].map((id) => three.told(three.read(id, 'x', 'eventual')))).toEqual(['b', 'b', 'b']);
  });

  it('REG2: an acknowledged eventual write survives the loss of power right after', () => {
    const three = new RegistersCluster(3);
    three.partition([1], [2, 3]);
    expect(three.later(three.write(1, 'x', 'a', 'eventual'))).toBe('written at eventual');
    three.crash(1);
    three.start(1);
    expect(three.told(three.read(1, 'x', 'eventual'))).toBe('a');
  });

  it('REG3: a session that moves waits until the other member has seen what it has', () => {
    const three = new RegistersCluster(3);
    three.partition([3], [1, 2]);
    const write = three.write(1, 'x', 'a', 'causal', { token: new Uint8Array(0) });
    three.run(10 * MS);
    const token = tokenOf(three.answers.get(write));
    expect(three.later(three.read(3, 'x', 'causal', { token }))).toBe('NotApplied: BehindToken');
    const waiting = three.read(3, 'x', 'causal', { token, timeoutUs: 5 * SECOND });
    three.run(100 * MS);
    expect(three.told(waiting)).toBeNull();
    three.heal();
    expect(three.later(waiting, 2 * SECOND)).toBe('a');
  });

  it('REG3 G11: a causal read returns the newest version whose causes are here, an eventual one the newest', () => {
    const three = new RegistersCluster(3);
    three.cut = (_, to, message) =>
      to === 3 && isStore(message.type) && JSON.stringify(message).includes('"key":"cause"');
    const cause = three.write(1, 'cause', 'a', 'causal', { token: new Uint8Array(0) });
    three.run(MS);
    three.write(1, 'effect', 'b', 'causal', { token: tokenOf(three.answers.get(cause)) });
    three.run(MS);
    expect(three.told(three.read(3, 'effect', 'eventual'))).toBe('b');
    expect(three.told(three.read(3, 'effect', 'causal'))).toBe('absent');
    three.heal();
    three.run(2 * SECOND);
    expect(three.told(three.read(3, 'effect', 'causal'))).toBe('b');
  });

  it('REG4 G1: the side without a majority of the configured members neither writes nor reads', () => {
    const five = new RegistersCluster(5);
    five.partition([1, 2], [3, 4, 5]);
    const [small, large] = [five.write(1, 'x', 'a', 'strong'), five.write(4, 'x', 'b', 'strong')];
    const read = five.read(2, 'x', 'strong');
    five.run(SECOND);
    expect([small, large, read].map((id) => five.told(id))).toEqual([
      'NotApplied: NoMajority',
      'written at strong',
      'NotApplied: NoMajority',
    ]);
    five.heal();
    expect(five.later(five.read(1, 'x', 'strong'))).toBe('b');
  });

  it('REG4: in quiet times a strong read takes one round trip', () => {
    const three = new RegistersCluster(3);
    three.later(three.write(1, 'x', 'a', 'strong'));
    let stores = 0;
    three.cut = (_, __, message) => {
      if (message.type === 'store') stores++;
      return false;
    };
    expect(three.later(three.read(2, 'x', 'strong'), MS)).toBe('a');
    expect(stores).toBe(0);
  });

  it('REG4 G2: a strong read leaves what it returns at a majority', () => {
    const three = new RegistersCluster(3);
    three.cut = (from, _, message) => from === 1 && isStore(message.type);
    expect(three.later(three.write(1, 'x', 'a', 'strong'))).toBe('Unknown: NoMajority');
    three.cut = (from, to, message) => from === 3 || to === 3 || (from === 1 && message.type === 'delta');
    expect(three.later(three.read(2, 'x', 'strong'))).toBe('a');
    three.cut = (from, to) => from === 1 || to === 1;
    expect(three.later(three.read(3, 'x', 'strong'))).toBe('a');
  });

  it('REG4 G3: a strong write goes above what a majority has, however slow its clock is', () => {
    const three = new RegistersCluster(3);
    three.member(1).wallMs -= 400;
    three.cut = (_, to, message) => to === 1 && isStore(message.type);
    three.later(three.write(2, 'x', 'a', 'strong'), MS);
    three.later(three.write(1, 'x', 'b', 'strong'), MS);
    three.heal();
    expect(three.later(three.read(3, 'x', 'strong'))).toBe('b');
  });

  it('REG5 G4: a strong read that met a weaker write adopts what is newer, until a majority agrees', () => {
    const three = new RegistersCluster(3);
    three.later(three.write(2, 'x', 'old', 'strong'));
    three.member(1).wallMs -= 450;
    // The read has asked, and what it hears is from before the strong write.
    three.cut = (from, to) => (from === 1 && to === 3) || (from === 3 && to === 1);
    three.keep = (_, to, message) => to === 1 && message.type === 'queried';
    const read = three.read(1, 'x', 'strong', { timeoutUs: 10 * SECOND });
    three.deliver();
    three.keep = (_, to, message) => to === 1 && isStore(message.type);
    const answers = three.kept;
    three.kept = [];
    expect(three.later(three.write(2, 'x', 'strong', 'strong'), MS)).toBe('written at strong');
    three.keep = (from, _, message) => from === 1 && message.type === 'push';
    expect(three.later(three.write(1, 'x', 'weaker', 'eventual'), MS)).toBe('written at eventual');
    three.keep = () => false;
    three.kept = answers;
    three.release();
    three.run(100 * MS);
    expect(three.told(read)).toBe('strong');
  });

  it('REG12: a strong request that accepts less is told what it got', () => {
    const three = new RegistersCluster(3);
    three.later(three.write(1, 'x', 'a', 'strong'));
    three.partition([1], [2, 3]);
    expect(three.later(three.write(1, 'x', 'b', 'strong', { degradeTo: 'eventual' }))).toBe('written at eventual');
    const read = three.read(1, 'x', 'strong', { degradeTo: 'eventual' });
    three.run(SECOND);
    expect(three.answers.get(read)).toMatchObject({ type: 'read', level: 'eventual', reached: [1] });
    expect(three.told(read)).toBe('b');
  });

  it('REG13: a bucket of strong keys takes no weaker write', () => {
    const three = new RegistersCluster(3, { buckets: [{ prefix: 'locks/', admits: 'strong' }] });
    expect(three.told(three.write(1, 'locks/a', 'b', 'eventual'))).toBe('NotApplied: LevelRefused');
    expect(three.later(three.write(1, 'locks/a', 'b', 'strong'))).toBe('written at strong');
    expect(three.told(three.read(1, 'locks/a', 'eventual'))).toBe('b');
  });

  it('a range is read in the order of its keys, without what was deleted', () => {
    const three = new RegistersCluster(3);
    for (const [key, value] of [
      ['a/2', 'y'],
      ['a/1', 'x'],
      ['b/1', 'z'],
      ['a/3', null],
    ] as const) {
      three.later(three.write(1, key, value, 'eventual'));
    }
    const range = { type: 'range', prefix: 'a/', limit: 10, degradeTo: null, timeoutUs: SECOND, token: null } as const;
    for (const level of ['weak', 'eventual', 'causal'] as const) {
      expect(three.told(three.ask(2, { ...range, level }))).toBe('a/1=x a/2=y');
    }
    const short = three.ask(2, { ...range, level: 'eventual', limit: 1 });
    expect(three.answers.get(short)).toMatchObject({ more: true, entries: [{ key: 'a/1' }] });
  });
});

describe('outcomes', () => {
  it('REG6 G5: a write that some may hold is unknown; repeated under its tag, it undoes nothing written since', () => {
    const three = new RegistersCluster(3);
    three.cut = (from, _, message) => from === 1 && isStore(message.type);
    const write = three.write(1, 'x', 'a', 'strong');
    expect(three.later(write)).toBe('Unknown: NoMajority');
    const outcome = three.answers.get(write);
    if (outcome?.type !== 'Unknown') throw new Error('it is unknown');
    three.heal();
    three.run(2 * SECOND);
    expect(three.later(three.write(2, 'x', 'b', 'strong'))).toBe('written at strong');
    expect(three.later(three.write(1, 'x', 'a', 'strong', { tag: outcome.tag }))).toBe('written at strong');
    expect(three.later(three.write(3, 'x', 'a', 'strong', { tag: outcome.tag }))).toBe('written at strong');
    expect(three.later(three.read(2, 'x', 'strong'))).toBe('b');
  });

  it('REG6: a write that no majority was asked for is certainly not applied', () => {
    const three = new RegistersCluster(3);
    three.partition([1], [2, 3]);
    expect(three.later(three.write(1, 'x', 'a', 'strong'))).toBe('NotApplied: NoMajority');
    three.heal();
    three.run(20 * SECOND);
    expect(three.later(three.read(1, 'x', 'strong'))).toBe('absent');
  });

  it('REG10 G14: the last of all times is neither read nor taken as a tag to repeat', () => {
    const last: Tag = { time: { physicalMs: MAX_PHYSICAL_MS, logical: 65_535 }, member: 1, incarnation: 101, boot: 1 };
    const writer = new ByteWriter();
    writeTag(writer, last);
    expect(() => readTag(new ByteReader(writer.finish()))).toThrow(expect.objectContaining({ code: 'MalformedBytes' }));
    const three = new RegistersCluster(3);
    expect(three.told(three.write(1, 'x', 'a', 'strong', { tag: last }))).toBe('NotApplied: InvalidRequest');
  });

  it('REG6: a cancelled request is answered at once', () => {
    const three = new RegistersCluster(3);
    three.partition([1], [2, 3]);
    const read = three.read(1, 'x', 'strong');
    three.cancel(1, read);
    expect(three.told(read)).toBe('NotApplied: Cancelled');
  });

  it('REG11: a token that is damaged, or of another store, is refused', () => {
    const three = new RegistersCluster(3);
    const seen = VectorClock.from([['1#101', 3]]);
    const good = encodeToken(configurationId([1, 2, 3]), seen);
    for (const [token, code] of [
      [good.subarray(0, good.length - 1), 'MalformedToken'],
      [Uint8Array.from([9, ...good.subarray(1)]), 'MalformedToken'],
      [new Uint8Array(100_000), 'MalformedToken'],
      [encodeToken(configurationId([1, 2]), seen), 'ForeignToken'],
    ] as const) {
      expect(three.told(three.read(1, 'x', 'causal', { token }))).toBe(`NotApplied: ${code}`);
    }
  });
});

describe('disks and directories', () => {
  it('REG7 G7: nothing is told or sent of a write before it is durable, hints included', () => {
    const three = new RegistersCluster(3);
    three.slow.add(1);
    let told = 0;
    three.cut = (from, _, message) => {
      if (from === 1 && JSON.stringify(message).includes('"key":"x"') && message.type !== 'query') told++;
      return false;
    };
    const eventual = three.write(1, 'x', 'a', 'eventual', { timeoutUs: 20 * SECOND });
    const strong = three.write(1, 'x', 'b', 'strong', { timeoutUs: 20 * SECOND });
    three.run(5 * SECOND);
    expect([told, three.told(eventual), three.told(strong)]).toEqual([0, null, null]);
    three.slow.clear();
    three.run(SECOND);
    expect([three.told(eventual), three.told(strong)]).toEqual(['written at eventual', 'written at strong']);
    expect(told).toBeGreaterThan(0);
  });

  it('REG8 G6: a member with an empty directory votes only when it has what the earlier one may have promised', () => {
    const three = new RegistersCluster(3);
    three.cut = (from, to) => from === 3 || to === 3;
    expect(three.later(three.write(1, 'x', 'a', 'strong'))).toBe('written at strong');
    three.wipe(2);
    three.cut = (from, to) => from === 1 || to === 1;
    three.start(2);
    three.run(5 * SECOND);
    expect(three.replica(2).status().joined).toBe(false);
    expect(three.later(three.read(3, 'x', 'strong'))).toBe('NotApplied: NoMajority');
    expect(three.later(three.read(2, 'x', 'strong'))).toBe('NotApplied: NotJoined');
    three.heal();
    three.run(5 * SECOND);
    expect(three.replica(2).status().joined).toBe(true);
    three.cut = (from, to) => from === 1 || to === 1;
    expect(three.later(three.read(3, 'x', 'strong'))).toBe('a');
  });

  it('REG8 G6: an answer of a directory that is gone counts for nothing', () => {
    const three = new RegistersCluster(3);
    three.keep = (from, to, message) => from === 2 && to === 1 && message.type === 'stored';
    three.cut = (from, to, message) =>
      (from === 1 && to === 3) || (from === 3 && to === 1 && message.type === 'stored');
    const write = three.write(1, 'x', 'a', 'strong', { timeoutUs: 60 * SECOND });
    three.run(MS);
    const promises = three.kept;
    expect(promises.length).toBeGreaterThan(0);
    three.keep = () => false;
    three.cut = (from, to, message) => message.type === 'store' || (from === 1 && isStore(message.type) && to > 0);
    three.wipe(2);
    three.start(2);
    three.run(10 * SECOND);
    three.kept = promises;
    three.release();
    expect(three.told(write)).toBeNull();
  });

  it('REG14: what a lost log has taken along comes back from the others', () => {
    const three = new RegistersCluster(3);
    for (let i = 0; i < 600; i++) three.write(1 + (i % 3), `k${i}`, `${i}`, 'eventual');
    three.run(3 * SECOND);
    three.wipe(3);
    three.start(3);
    three.run(10 * SECOND);
    expect(three.replica(3).status()).toMatchObject({ joined: true, records: 600 });
    expect(three.replica(3).digest()).toEqual(three.replica(1).digest());
  });

  it('goes on from its bytes at any moment, as if nothing had been', () => {
    const three = new RegistersCluster(3);
    three.keep = (_, __, message) => message.type === 'stored';
    const write = three.write(1, 'x', 'a', 'strong');
    three.deliver();
    for (const id of three.ids) three.reload(id);
    three.keep = () => false;
    three.release();
    expect(three.later(write)).toBe('written at strong');
    expect(three.later(three.read(3, 'x', 'strong'))).toBe('a');
  });
});

describe('tombstones', () => {
  it('REG9 G8 G12: stay while a member is away, which the status names, and go when all have them', () => {
    const three = new RegistersCluster(3);
    three.later(three.write(1, 'x', 'a', 'eventual'));
    three.run(SECOND);
    three.cut = (from, to) => from === 3 || to === 3;
    three.later(three.write(1, 'x', null, 'eventual'));
    three.run(30 * SECOND);
    expect(three.replica(1).status()).toMatchObject({ records: 1, away: [3] });
    three.heal();
    three.run(30 * SECOND);
    expect(three.ids.map((id) => three.replica(id).status().records)).toEqual([0, 0, 0]);
    expect(three.replica(1).status().away).toEqual([]);
    expect(three.told(three.read(3, 'x', 'eventual'))).toBe('absent');
  });

  it('REG9 G13: an old version that arrives after its tombstone went stays dead, a weak one too', () => {
    const three = new RegistersCluster(3);
    three.keep = (_, to, message) => to === 3 && (message.type === 'push' || message.type === 'weak');
    three.later(three.write(1, 'x', 'a', 'eventual'), MS);
    three.write(1, 'y', 'b', 'weak');
    three.run(MS);
    const late = three.kept;
    three.keep = () => false;
    for (const key of ['x', 'y']) three.later(three.write(2, key, null, 'eventual'));
    three.run(30 * SECOND);
    expect(three.replica(3).status()).toMatchObject({ records: 0, collected: 2 });
    three.kept = late;
    three.release();
    three.run(30 * SECOND);
    for (const key of ['x', 'y']) expect(three.told(three.read(3, key, 'eventual'))).toBe('absent');
  });
});

describe('clocks', () => {
  it('REG10 G10: a member whose clock is ahead of most others writes nothing by it, and counts that', () => {
    const three = new RegistersCluster(3);
    three.member(1).wallMs += 60_000;
    three.run(2 * SECOND);
    expect(three.told(three.write(1, 'x', 'a', 'eventual'))).toBe('NotApplied: ClockDrift');
    expect(three.replica(1).status().counters.driftRefusals).toBeGreaterThan(0);
    expect(three.later(three.write(2, 'x', 'b', 'eventual'))).toBe('written at eventual');
  });

  it('REG10 G14: a tag from far in the future neither blocks strong writes nor moves a clock', () => {
    const three = new RegistersCluster(3);
    const time = { physicalMs: 9_000_000_000, logical: 0 };
    const version: Version = {
      key: 'x',
      tag: { time, member: 2, incarnation: 201, boot: 1 },
      dot: { origin: '2#201', sequence: 1 },
      dependencies: VectorClock.empty,
      value: utf8('future'),
    };
    const now = { monotonicUs: three.nowUs, wallMs: Math.floor(three.member(3).wallMs) };
    const push = { type: 'push', version } as const;
    three.replica(3).step(now, { type: 'receive', from: 2, directory: 201, addressee: 301, message: push });
    three.run(2 * SECOND);
    expect(three.later(three.read(1, 'x', 'strong'))).toBe('future');
    const write = three.write(1, 'x', 'now', 'strong');
    expect(three.later(write)).toBe('written at strong');
    expect(three.answers.get(write)).toMatchObject({ tag: { time: { physicalMs: 9_000_000_000, logical: 1 } } });
    expect(three.later(three.read(3, 'x', 'strong'))).toBe('now');
    const other = three.write(3, 'other', 'b', 'eventual');
    expect(three.later(other)).toBe('written at eventual');
    const outcome = three.answers.get(other);
    expect(outcome?.type === 'written' && outcome.tag.time.physicalMs < 9_000_000_000).toBe(true);
  });
});
