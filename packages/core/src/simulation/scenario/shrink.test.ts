import { describe, expect, it } from 'vitest';
import { crash, type FaultType, network, partition, pause } from '../faults/index.ts';
import type { ParticipantTypes } from '../participants/index.ts';
import { recorders } from '../participants/recorder.test-support.ts';
import { direct } from '../workloads/index.ts';
import { type Scenario, scenario } from './scenario.ts';
import { milliseconds, type View } from './spec.ts';
import type { Trace } from './trace.ts';

type Seen = View<ParticipantTypes>;

/** A world full of trouble, in which a promise is broken as soon as `broken` says so. */
function promising(name: string, broken: (view: Seen) => boolean): Scenario<ParticipantTypes> {
  return scenario({
    name: 'promising',
    replicas: (_, members = 4) => recorders(members),
    paceUs: milliseconds(20),
    troubleUs: milliseconds(600),
    timeoutUs: milliseconds(50),
  })
    .workload(direct('tells', 'none', ({ fresh }) => ({ f: 'tell', key: '', value: fresh() })))
    .faults(partition(), crash(), pause(), network.lossy())
    .always({ name, holds: (view) => !broken(view) || `${name} is broken` });
}

const happened = ({ faults }: Seen, type: FaultType): boolean => (faults[type] ?? 0) > 0;

/** The first trace that breaks a promise, and of which more is so. */
function found(broken: Scenario<ParticipantTypes>, isWanted: (trace: Trace) => boolean = () => true): Trace {
  for (const { seed } of broken.run({ seeds: 20 }).violations) {
    const { trace } = broken.record(seed);
    if (trace !== null && isWanted(trace)) return trace;
  }
  throw new Error('no seed gives what is wanted');
}

const kindsOf = (trace: Trace): string[] =>
  trace.script.map((step) => (step.do === 'fault' ? step.fault.type : step.operation.f)).sort();

describe('shrinking', () => {
  it('leaves the one fault that is needed, on the fewest members and in no time', () => {
    const broken = promising('Nobody is paused', (view) => happened(view, 'pause'));
    const trace = found(broken);
    expect(trace.script.length).toBeGreaterThan(10);
    const shrunk = broken.shrink(trace);
    expect(shrunk.minimal).toBe(true);
    expect(kindsOf(shrunk.trace)).toEqual(['pause']);
    expect(shrunk.trace.frames).toEqual([]);
    expect(shrunk.trace.troubleUs).toBeLessThan(trace.troubleUs);
    const [step] = shrunk.trace.script;
    const paused = step?.do === 'fault' && step.fault.type === 'pause' ? step.fault.member : 0;
    // Members go from the last on; whoever is paused stays.
    expect(shrunk.trace.members).toBe(paused);
    expect(broken.replay(shrunk.trace).violation).toEqual(shrunk.trace.violation);
    expect(shrunk.report.violation?.rule).toBe('Nobody is paused');
  });

  it('leaves two when two are needed, and an operation when that is', () => {
    const both = promising('Not both', (view) => happened(view, 'pause') && happened(view, 'crash'));
    expect(kindsOf(both.shrink(found(both)).trace)).toEqual(['crash', 'pause']);
    // Whoever asks a paused member, or one that dies, is left in doubt.
    const asked = promising('No doubt', ({ operations }) => operations.info > 0);
    const { trace } = asked.shrink(found(asked));
    expect(trace.script).toHaveLength(2);
    expect(kindsOf(trace)).toContain('tell');
  });

  it('leaves the one frame that must be lost, of many that were', () => {
    const broken = promising(
      'Paused or lossy',
      (view) => happened(view, 'pause') && view.simulation.network.counts.lost > 0,
    );
    const lossy = broken.faults(network.lossy(), pause());
    const whole = found(lossy, ({ frames }) => frames.length > 3);
    const { trace } = lossy.shrink(whole);
    expect(trace.frames).toEqual([expect.objectContaining({ kind: 'told', delaysUs: [] })]);
    // It is named by its number: so nothing but those sent before it is left.
    expect(trace.script.length).toBeLessThanOrEqual(2 + (trace.frames[0]?.nth ?? 0));
    expect(new Set(kindsOf(trace))).toEqual(new Set(['pause', 'tell']));
  });

  it('keeps to the rule that was broken, though a smaller trace breaks another', () => {
    const broken = promising('Not both', (view) => happened(view, 'pause') && happened(view, 'crash')).always({
      name: 'Never paused alone',
      holds: (view) => !happened(view, 'pause') || happened(view, 'crash') || 'paused alone',
    });
    const trace = found(broken, ({ violation }) => violation?.rule === 'Not both');
    const shrunk = broken.shrink(trace);
    expect(shrunk.trace.violation?.rule).toBe('Not both');
    expect(kindsOf(shrunk.trace)).toEqual(['crash', 'pause']);
  });

  it('says how far it is, and that it is not minimal when it had to end early', () => {
    const broken = promising('Nobody is paused', (view) => happened(view, 'pause'));
    const sizes: number[] = [];
    const shrunk = broken.shrink(found(broken), {
      maxRuns: 4,
      onProgress: ({ operations, faults, frames }) => {
        sizes.push(operations + faults + frames);
        return undefined;
      },
    });
    expect(shrunk).toMatchObject({ runs: 4, minimal: false });
    expect(sizes.length).toBeGreaterThan(0);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });

  it('refuses a trace that breaks nothing', () => {
    const broken = promising('Nobody is paused', (view) => happened(view, 'pause'));
    const trace = { ...found(broken), script: [] };
    expect(() => broken.shrink(trace)).toThrow(expect.objectContaining({ code: 'NothingToShrink' }));
  });
});
