/** A protocol that is not Raft: one election, once. Whoever has a majority of votes leads, for ever. */
import { describe, expect, it } from 'vitest';
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { firstConfiguration } from '../consensus/configuration.ts';
import type { Codec, Outbox, Replica, ReplicaEvent, ReplicaStatus } from '../consensus/replica.ts';
import { explore } from './explorer.ts';
import type { ExplorableSystem, SystemBounds } from './system.ts';
import { SystemModel } from './system-model.ts';

type Message = 'ask' | 'grant';

const codec: Codec<Message> = {
  encode: (writer, message) => writer.bool(message === 'ask'),
  decode: (reader) => (reader.bool() ? 'ask' : 'grant'),
};

interface Rules {
  readonly remembersItsVote: boolean;
  readonly waitsForItsDisk: boolean;
  /** Rather than their answers. */
  readonly countsVoters: boolean;
  /** It holds that there is no second leader, and says so when one asks it. */
  readonly asserts: boolean;
}

const SOUND: Rules = { remembersItsVote: true, waitsForItsDisk: true, countsVoters: true, asserts: false };

class Elector implements Replica<Message> {
  readonly #rules: Rules;
  readonly #member: number;
  readonly #members: readonly number[];
  readonly #outbox: Outbox<Message>;
  #votedFor = 0;
  #mark = 0;
  #grants: number[] = [];

  constructor(rules: Rules, member: number, members: readonly number[], outbox: Outbox<Message>) {
    this.#rules = rules;
    this.#member = member;
    this.#members = members;
    this.#outbox = outbox;
  }

  step(_: number, event: ReplicaEvent<Message>): void {
    if (event.type === 'start') this.#votedFor = event.recovered.votedFor;
    if (event.type === 'tick' && this.#votedFor === 0) {
      this.#vote(this.#member);
      for (const peer of this.#members) if (peer !== this.#member) this.#send(peer, 'ask');
      if (!this.#rules.remembersItsVote || !this.#rules.waitsForItsDisk) this.#count(this.#member);
    }
    // This machine persists nothing but its one vote.
    if (event.type === 'persisted' && this.#votedFor === this.#member) this.#count(this.#member);
    if (event.type !== 'receive') return;
    if (event.message === 'ask') {
      if (this.#rules.asserts) assert(!this.#leads, 'nobody else asks once this member leads');
      if (this.#votedFor === 0) this.#vote(event.from);
      if (this.#votedFor === event.from) this.#send(event.from, 'grant');
    } else {
      this.#count(event.from);
    }
  }

  #count(voter: number): void {
    if (this.#rules.countsVoters && this.#grants.includes(voter)) return;
    this.#grants = [...this.#grants, voter].sort();
  }

  #vote(votedFor: number): void {
    this.#votedFor = votedFor;
    if (!this.#rules.remembersItsVote) return;
    this.#mark++;
    this.#outbox.put({ type: 'persist', mark: this.#mark, record: { type: 'vote', term: 1, votedFor } });
  }

  #send(to: number, message: Message): void {
    this.#outbox.put({ type: 'send', to, message, after: this.#rules.waitsForItsDisk ? this.#mark : 0 });
  }

  get #leads(): boolean {
    return this.#grants.length > this.#members.length / 2;
  }

  deadlineUs(): number {
    return this.#votedFor === 0 ? 10 : Number.POSITIVE_INFINITY;
  }

  status(): ReplicaStatus {
    const role = this.#leads ? 'leader' : 'follower';
    const log = { commitIndex: 0, lastIndex: 0, firstIndex: 1 };
    const configuration = firstConfiguration(this.#members);
    return { role, term: 1, leader: 0, ...log, registered: true, configuration, configurationIndex: 0 };
  }

  save(writer: ByteWriter): void {
    for (const value of [this.#votedFor, this.#mark, this.#grants.length, ...this.#grants]) writer.varint(value);
  }

  load(reader: ByteReader): void {
    this.#votedFor = reader.varint();
    this.#mark = reader.varint();
    this.#grants = Array.from({ length: reader.varint() }, () => reader.varint());
  }
}

function election(rules: Partial<Rules> = {}, symmetric = true, size = 3): ExplorableSystem<Message> {
  const members = Array.from({ length: size }, (_, i) => i + 1);
  const disk = { boot: 1, term: 0, votedFor: 0, snapshotIndex: 0, snapshotTerm: 0, snapshotFile: '', entries: [] };
  return {
    members,
    codec,
    create: (member, outbox) => new Elector({ ...SOUND, ...rules }, member, members, outbox),
    directoryOf: (member) => member,
    disk: () => ({ ...disk, directories: new Map(), registered: true }),
    symmetric,
    describe: (message) => message,
    always: [
      {
        name: 'one leader',
        sentence: ({ facts }) => `${facts.length} members led`,
        holds: ({ facts }) => facts.filter((fact) => fact.type === 'led').length <= 1,
      },
    ],
    sometimes: [{ name: 'a leader', reached: ({ members }) => members.some(({ status }) => status.role === 'leader') }],
  };
}

const NOTHING: SystemBounds = { timeouts: 0, proposals: 0, crashes: 0, duplicates: 0, drops: 0, persists: 'immediate' };
const walk = (system: ExplorableSystem<Message>, bounds: Partial<SystemBounds>) =>
  explore(new SystemModel(system, { ...NOTHING, ...bounds }));

describe('a protocol of its own, explored through nothing but the contract of replicas', () => {
  it('E16: has one leader whatever is lost, late, repeated, in whatever order, and whoever crashes', () => {
    const bounds = { timeouts: 3, crashes: 2, duplicates: 2, drops: 1, persists: 'delayed' } as const;
    const walked = walk(election(), bounds);
    expect(walked).toMatchObject({ complete: true, violation: null, unreached: [] });
    expect(walked.states).toBeGreaterThan(10_000);
  });

  it('E16: a vote that is not remembered is found by a crash, and not without one', () => {
    expect(walk(election({ remembersItsVote: false }), { timeouts: 3 })).toMatchObject({
      complete: true,
      violation: null,
    });
    const { violation } = walk(election({ remembersItsVote: false }), { timeouts: 3, crashes: 2 });
    expect(violation).toMatchObject({ property: 'one leader', sentence: '2 members led' });
    expect(violation?.described).toContain('member 3 crashes and starts again');
  });

  it('E16: a vote that leaves before it is durable is found when persists are delayed, and not else', () => {
    const bounds = { timeouts: 3, crashes: 3 };
    expect(walk(election({ waitsForItsDisk: false }), bounds)).toMatchObject({ complete: true, violation: null });
    const { violation } = walk(election({ waitsForItsDisk: false }), { ...bounds, persists: 'delayed' });
    expect(violation?.property).toBe('one leader');
  });

  it('E16 R4: a vote that is counted as often as it arrives is found by duplicates, and not without them', () => {
    const five = election({ countsVoters: false }, true, 5);
    expect(walk(five, { timeouts: 2 })).toMatchObject({ complete: true, violation: null });
    const { violation } = walk(five, { timeouts: 2, duplicates: 2 });
    expect(violation?.property).toBe('one leader');
    expect(violation?.described.filter((action) => action.endsWith('and stays under way'))).not.toEqual([]);
  });

  it('E16: a failed assertion is a violation, told in its own words', () => {
    const { violation } = walk(election({ asserts: true }), { timeouts: 2 });
    expect(violation).toMatchObject({
      property: 'Assertions',
      sentence: 'member 1 met what it holds to be impossible: not so that nobody else asks once this member leads',
    });
  });

  it('E12: members that act in the order of their names stand for all others', () => {
    for (const rules of [{}, { remembersItsVote: false }, { countsVoters: false }]) {
      const bounds = { timeouts: 2, crashes: 2, duplicates: 1 };
      const [all, some] = [walk(election(rules, false), bounds), walk(election(rules), bounds)];
      expect(some.violation?.actions.length).toBe(all.violation?.actions.length);
      expect(some.states).toBeLessThan(all.states);
      if (all.violation === null) expect(some.depth).toBe(all.depth);
    }
  });

  it('E17: each counterexample replays, action for action, through replicas made anew', () => {
    const bounds = { ...NOTHING, timeouts: 3, crashes: 2 };
    const { violation } = explore(new SystemModel(election({ remembersItsVote: false }), bounds));
    const model = new SystemModel(election({ remembersItsVote: false }), bounds);
    let [state] = model.initial();
    for (const line of violation?.described ?? []) {
      const action = model.actions(state as never).find((each) => model.describe(each) === line);
      state = model.next(state as never, action as never) ?? undefined;
    }
    expect(model.view(state as never).facts).toEqual(violation === null ? [] : [led(1), led(2)]);
  });
});

const led = (member: number) => ({ type: 'led', term: 1, member });
