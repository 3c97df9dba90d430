import { describe, expect, it } from 'vitest';
import { Progress } from './progress.ts';
import { Requests } from './requests.ts';
import type { SlowRequest } from './slow-log.ts';

type Line = SlowRequest & { readonly suppressed?: number };

const CONFIGURATION = {
  members: [1, 2, 3].map((id) => ({
    id,
    directory: id,
    context: new Uint8Array(0),
    votes: true,
    voted: false,
    leaves: false,
  })),
  joint: false,
  nextMember: 4,
};

/** A member whose time stands still until the test moves it. */
function member(slowRequestMs = 500) {
  const clock = { us: 1_000_000 };
  const nowUs = (): number => clock.us;
  const lines: Line[] = [];
  const progress = new Progress({ member: 1, nowUs, configuration: () => CONFIGURATION });
  const requests = new Requests({
    member: 'm1',
    progress,
    nowUs,
    wallMs: () => 0,
    status: () => ({ term: 7, role: 'leader' }),
    logger: { warn: (line: unknown) => void lines.push(line as Line) } as never,
    slowRequestMs,
  });
  const passMs = (ms: number): void => void (clock.us += ms * 1_000);
  return { progress, requests, lines, passMs };
}

const microtasks = (): Promise<void> => Promise.resolve();
const appended = (matchIndex: number) => ({ type: 'appended', term: 7, round: 1, matchIndex }) as const;

describe('the slow-request log', () => {
  it('says of a slow proposal where its time went, as parts of which the sum is the whole', async () => {
    const { progress, requests, lines, passMs } = member();
    requests.asked(1, 'proposal');
    passMs(10);
    progress.onProposed(1);
    progress.onAppended(42);
    progress.onWriting();
    passMs(30);
    progress.onMessage(2, appended(42));
    passMs(500);
    progress.onDurable();
    passMs(1);
    progress.onCommitted(42);
    passMs(4);
    requests.done(1, 42);
    passMs(2);
    await microtasks();
    expect(lines).toEqual([
      {
        kind: 'proposal',
        outcome: 'done',
        totalMs: 547,
        partsMs: { proposed: 10, replicated: 30, durable: 500, committed: 1, applied: 4, answered: 2 },
        index: 42,
        term: 7,
        role: 'leader',
        appliedIndex: 0,
        committedIndex: 42,
        durableIndex: 42,
      },
    ]);
  });

  it('is silent about requests under the threshold, and about none when there is none', async () => {
    const { requests, lines, passMs } = member();
    requests.asked(1, 'proposal');
    passMs(499);
    requests.done(1, 1);
    const silent = member(Number.POSITIVE_INFINITY);
    silent.requests.asked(1, 'proposal');
    silent.passMs(60_000);
    silent.requests.done(1, 1);
    await microtasks();
    expect(lines.concat(silent.lines)).toEqual([]);
  });

  it('has a request that got no answer, with how far the member had come', async () => {
    const { progress, requests, lines, passMs } = member();
    requests.asked(1, 'proposal');
    progress.onProposed(1);
    progress.onAppended(9);
    passMs(5_000);
    requests.failedWith(1, 'Timeout');
    await microtasks();
    expect(lines[0]).toMatchObject({ outcome: 'Timeout', totalMs: 5_000, durableIndex: 0, committedIndex: 0 });
    requests.done(1, 9);
    expect(requests.failed.proposal).toBe(1);
    expect(requests.waiting.proposal).toBe(0);
    expect(requests.seconds.proposal.count).toBe(1);
  });

  it('writes ten lines a second and counts the others', async () => {
    const { requests, lines, passMs } = member();
    const slow = async (first: number, count: number): Promise<void> => {
      for (let id = first; id < first + count; id++) requests.asked(id, 'read');
      passMs(600);
      for (let id = first; id < first + count; id++) requests.done(id, 1);
      await microtasks();
    };
    await slow(1, 25);
    expect(lines.length).toBe(10);
    passMs(1_000);
    await slow(100, 1);
    expect(lines.at(-1)?.suppressed).toBe(15);
  });
});

describe('how far a leader’s log has come', () => {
  it('is replicated once a majority has it, its own copy counted before it is durable', () => {
    const { progress, passMs } = member();
    progress.onAppended(5);
    progress.onMessage(2, { type: 'appended', term: 7, round: 1, matchIndex: 3 });
    expect(progress.replicated.position).toBe(3);
    passMs(1);
    progress.onMessage(3, appended(5));
    expect(progress.replicated.position).toBe(5);
    expect(progress.durable.position).toBe(0);
  });

  it('counts no acknowledgement of an earlier term', () => {
    const { progress } = member();
    progress.onAppended(5);
    progress.onMessage(2, { type: 'appended', term: 6, round: 1, matchIndex: 2 });
    progress.onMessage(3, appended(1));
    expect(progress.replicated.position).toBe(2);
    progress.onAppended(2);
    expect(progress.replicated.position).toBe(1);
  });

  it('does not take for durable what was superseded while it was being written', () => {
    const { progress, passMs } = member();
    progress.onAppended(5);
    progress.onWriting();
    progress.onAppended(4);
    passMs(1);
    progress.onDurable();
    expect(progress.durable.position).toBe(3);
    progress.onWriting();
    passMs(1);
    progress.onDurable();
    expect(progress.durable.position).toBe(4);
  });

  it('does not take for durable what superseded a durable entry', () => {
    const { progress, passMs } = member();
    progress.onAppended(5);
    progress.onWriting();
    passMs(1);
    progress.onDurable();
    progress.onAppended(4);
    expect(progress.durable.position).toBe(3);
    expect(progress.durable.timeOf(4)).toBeNull();
  });

  it('counts runs of entries that took over 100 ms to apply', () => {
    const { progress, passMs } = member();
    for (const ms of [5, 150, 100]) {
      progress.onApplying();
      passMs(ms);
      progress.onApplied(ms);
    }
    expect(progress.slowApplies).toBe(1);
  });
});
