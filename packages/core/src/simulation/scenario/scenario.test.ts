import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../checkers/index.ts';
import { RAFT_RULES } from '../../consensus/raft/index.ts';
import { crash, pause } from '../faults/index.ts';
import type { ParticipantTypes, Self } from '../participants/index.ts';
import { Recorder, recorders, type Told } from '../participants/recorder.test-support.ts';
import type { Json } from '../protocol.ts';
import { generalRaft } from '../raft/general.ts';
import { raft } from '../raft/protocol.ts';
import { direct } from '../workloads/index.ts';
import { addReports, unseen } from './campaign.ts';
import { check } from './check.ts';
import { type Scenario, scenario, swarm } from './scenario.ts';
import { milliseconds, type ScenarioOptions, seconds } from './spec.ts';
import { parseTrace } from './trace.ts';

const tells = direct('tells', 'none', ({ fresh }) => ({ f: 'tell', key: '', value: fresh() }));
const silent = direct('silent', 'none', ({ fresh }) => ({ f: 'stay', key: 'k', value: fresh() }));

class Ticking extends Recorder {
  readonly #tick: () => void;

  constructor(self: Self<Told>) {
    super(self);
    this.#tick = () => self.setTimer('tick', milliseconds(10));
  }

  override onStart(stored: Readonly<Record<string, Json>>): void {
    super.onStart(stored);
    this.#tick();
  }

  override onTimer(): void {
    this.#tick();
  }
}

function quick(options: Partial<ScenarioOptions<ParticipantTypes>> = {}): Scenario<ParticipantTypes> {
  const troubleUs = milliseconds(200);
  return scenario({ name: 'quick', replicas: recorders(3), paceUs: milliseconds(10), troubleUs, ...options });
}

describe('a scenario', () => {
  it('is a value: each method gives another one, and leaves it as it was', () => {
    const base = quick();
    const before = JSON.stringify(base.spec);
    const made = [
      base.workload(tells),
      base.faults(crash()),
      base.always({ rule: 'One' }),
      base.always({ name: 'Two', holds: () => true }),
      base.sometimes('three', () => true),
      base.eventually('four', { withinUs: 1 }),
      base.check(check('five', () => ({ result: 'valid', sentence: '' }))),
    ];
    expect(new Set([base, ...made]).size).toBe(made.length + 1);
    expect(JSON.stringify(base.spec)).toBe(before);
    const differing = made.map(({ spec }) =>
      Object.keys(spec).filter((field) => spec[field as keyof typeof spec] !== base.spec[field as keyof typeof spec]),
    );
    expect(differing.map((fields) => fields.join(' '))).toEqual([
      'workload',
      'faults',
      'rules always',
      'always',
      'sometimes',
      'eventually',
      'checks',
    ]);
  });

  it('adds up what it must show, and has the faults that were named last', () => {
    const made = quick()
      .faults(crash())
      .faults(pause(), swarm(crash()))
      .sometimes('a', () => true)
      .sometimes('b', () => true);
    expect(made.spec.sometimes.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(made.spec.faults.sources.map(({ name }) => name)).toEqual(['pause', 'crash']);
    expect(made.spec.faults.swarm).toBe(true);
  });

  it('owes nothing at once', () => {
    expect(() => quick().eventually('now', { withinUs: 0 })).toThrow('within some time');
  });

  it('explores only protocols that say how', () => {
    const { explore: _, ...opaque } = recorders(2);
    expect(() => scenario({ replicas: opaque }).explore()).toThrow(expect.objectContaining({ code: 'NotExplorable' }));
  });

  it('plays a trace only with as many members as it has', () => {
    const { trace } = quick().workload(tells).record(1);
    if (trace === null) throw new Error('a recorded run has a trace');
    const fit = { code: 'TraceDoesNotFit' };
    expect(() =>
      quick({ replicas: recorders(4) })
        .workload(tells)
        .replay(trace),
    ).toThrow(expect.objectContaining(fit));
  });
});

describe('the rules of a scenario', () => {
  const broken = generalRaft({ rules: { ...RAFT_RULES, majority: () => 1 } }).sometimes('', () => true);

  it('are all that the protocol has, or only those that `always` names', () => {
    const seen = (raftScenario: typeof broken): Set<string> => {
      const { violations } = raftScenario.run({ seeds: 8 });
      return new Set(violations.map(({ rule }) => rule));
    };
    const all = seen(broken);
    expect([...all]).toContain('Leader Completeness');
    expect([...seen(broken.always(raft.electionSafety))]).not.toContain('Leader Completeness');
    expect([...seen(broken.always(raft.leaderCompleteness))]).toContain('Leader Completeness');
  });

  it('of participants are left out, too, when others are named', () => {
    const always = [{ name: 'Nobody lives', holds: () => 'somebody lives' }];
    const strict = quick({ replicas: recorders(1, { always }) }).workload(tells);
    expect(strict.record(1).violation).toMatchObject({ rule: 'Nobody lives', sentence: 'somebody lives' });
    expect(strict.always({ rule: 'Nobody lives' }).record(1).violation?.rule).toBe('Nobody lives');
    expect(strict.always({ rule: 'Another' }).record(1).violation).toBeNull();
  });

  it('of its own are asked after every event, and stop the run at the first that breaks them', () => {
    const report = quick()
      .workload(tells)
      .always({ name: 'Few events', holds: ({ simulation }) => simulation.events < 100 || 'a hundred events' })
      .record(1);
    expect(report.violation).toMatchObject({ rule: 'Few events', sentence: 'a hundred events' });
    expect(report.events).toBe(100);
  });
});

describe('a campaign', () => {
  it('D5: says what it never saw, and in how many seeds it saw the rest', () => {
    const report = quick()
      .workload(tells)
      .faults(swarm(crash(), pause()))
      .sometimes('a unicorn passes', () => false)
      .sometimes('a client is answered', ({ operations }) => operations.ok > 0)
      .sometimes('somebody is paused', ({ faults }) => faults.pause !== undefined)
      .run({ seeds: 20 });
    expect(unseen(report)).toEqual(['a unicorn passes']);
    expect(report.sometimes['a client is answered']).toBe(20);
    expect(report.sometimes['somebody is paused']).toBeGreaterThan(0);
    expect(report.sometimes['somebody is paused']).toBeLessThan(20);
    expect(report.violations).toEqual([]);
  });

  it('D5: counts what happened, and ranges of seeds add up to the whole', () => {
    const scenarioOf = quick().workload(tells).faults(swarm(crash(), pause()));
    const whole = scenarioOf.run({ seeds: 10 });
    expect(addReports(scenarioOf.run({ seeds: 4 }), scenarioOf.run({ seeds: 6, from: 5 }))).toEqual(whole);
    expect(whole.seeds).toBe(10);
    expect(whole.operations.ok).toBeGreaterThan(100);
    expect(whole.faults.crash).toBeGreaterThan(0);
    expect(whole.frames.sent).toBeGreaterThan(100);
  });

  it('ends when it is told that it is enough', () => {
    expect(
      quick()
        .workload(tells)
        .run({ seeds: 100, onSeed: ({ seed }) => seed < 3 }).seeds,
    ).toBe(3);
  });

  it('D5: names the seeds whose history no judge could decide about', () => {
    const report = quick()
      .check(check('Sphinx', () => ({ result: 'unknown', sentence: 'it does not say' })))
      .run({ seeds: 2 });
    expect(report).toMatchObject({ undecided: 2, violations: [] });
  });
});

describe('what is owed once the faults have ended', () => {
  it('D7: is an answer: members that never give one break liveness', () => {
    const report = quick({ timeoutUs: milliseconds(50) })
      .workload(silent)
      .record(1);
    expect(report.violation).toMatchObject({ rule: 'Liveness' });
    expect(report.violation?.sentence).toContain('no operation succeeded within 600 ms after the faults ended');
    expect(report.violation?.atUs).toBe(milliseconds(200 + 600));
  });

  it('D7: is what the scenario wants eventually, in its time', () => {
    // Members that do something all the time: a predicate is asked after events.
    const ticking = quick({ replicas: recorders(3, { create: (self) => new Ticking(self) }) });
    const until = (ms: number) => (view: { readonly simulation: { readonly nowUs: number } }) =>
      view.simulation.nowUs >= milliseconds(ms);
    const withinUs = milliseconds(500);
    expect(ticking.eventually('soon', { withinUs, holds: until(400) }).record(1).violation).toBeNull();
    const late = ticking.eventually('at last', { withinUs, holds: until(1_000) }).record(1);
    expect(late.violation?.sentence).toBe('"at last" did not come true within 500 ms after the faults ended');
  });

  it('D7: is to come to rest, as the protocol understands it; it says what is missing', () => {
    const restless = recorders(3, { settled: (states) => `${states.length} members are restless` });
    const report = quick({ replicas: restless })
      .eventually('rest', { withinUs: seconds(1) })
      .record(1);
    expect(report.violation?.sentence).toBe('3 members are restless within 1000 ms after the faults ended');
  });

  it('D7: is owed by members that were down, paused or slow, for these run again', () => {
    const down = quick()
      .workload(tells)
      .faults(crash(), pause())
      .eventually('everybody runs', {
        withinUs: milliseconds(50),
        holds: ({ simulation }) =>
          simulation.ids.every((id) => simulation.member(id).alive && !simulation.member(id).paused),
      });
    expect(down.run({ seeds: 10 }).violations).toEqual([]);
  });
});

describe("clients' history", () => {
  it('D6: keeps what was not answered in time as something that may have happened, under a process of its own', () => {
    const { history, operations } = quick({ timeoutUs: milliseconds(50), clients: 2 })
      .workload(silent)
      .record(1);
    const ends = history.filter(({ type }) => type !== 'invoke');
    expect(ends.length).toBeGreaterThan(3);
    expect(ends.every(({ type }) => type === 'info')).toBe(true);
    expect(operations).toMatchObject({ ok: 0, fail: 0 });
    expectWellFormed(history);
    const byClient = new Set(history.map(({ process }) => process % 2));
    expect([...byClient].sort()).toEqual([0, 1]);
    const afterInfo = new Set(ends.map(({ process }) => process));
    expect(afterInfo.size).toBe(ends.length);
  });

  it('D6: is well-formed under faults, and leaves reads that were not answered without doubt', () => {
    const reads = direct('reads', 'none', ({ draw }) => ({ f: draw(2) === 0 ? 'read' : 'stay', key: '', value: null }));
    const { history } = quick({ timeoutUs: milliseconds(30) })
      .workload(reads)
      .faults(crash(), pause())
      .record(2);
    expectWellFormed(history);
    const ends = history.filter(({ type }) => type !== 'invoke');
    const named = (event: HistoryEvent, f: string): boolean => String(event.f) === f;
    expect(ends.some((event) => named(event, 'stay') && event.type === 'info')).toBe(true);
    expect(ends.some((event) => named(event, 'read') && event.type === 'info')).toBe(false);
  });
});

/** One operation at a time for each process, and nothing after one whose outcome is unknown. */
function expectWellFormed(history: readonly HistoryEvent[]): void {
  const open = new Map<number, HistoryEvent>();
  const gone = new Set<number>();
  for (const [i, event] of history.entries()) {
    const { index, process, type, f, key } = event;
    expect(index).toBe(i);
    expect(gone.has(process)).toBe(false);
    if (type === 'invoke') {
      expect(open.has(process)).toBe(false);
      open.set(process, event);
      continue;
    }
    expect(open.get(process)).toMatchObject({ f, key });
    open.delete(process);
    if (type === 'info') gone.add(process);
  }
}

describe('a trace of a run', () => {
  it('S14: plays the same run again, with the same violation at the same moment', () => {
    const broken = quick()
      .workload(tells)
      .faults(swarm(crash(), pause()))
      .always({ name: 'No pause', holds: ({ faults }) => faults.pause === undefined || 'somebody is paused' });
    const [violation] = broken.run({ seeds: 20 }).violations;
    const recorded = broken.record(violation?.seed ?? 0);
    const replayed = broken.replay(parseTrace(JSON.stringify(recorded.trace)));
    expect(replayed.violation).toEqual(recorded.violation);
    expect(recorded.violation).toMatchObject({ rule: 'No pause', atUs: violation?.atUs });
    expect(replayed.hash).toBe(recorded.hash);
    expect(replayed.history).toEqual(recorded.history);
  });
});
