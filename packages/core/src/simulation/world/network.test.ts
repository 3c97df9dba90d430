import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../../base/bytes.ts';
import { damageFrame } from '../frame-damage.ts';
import { EventQueue } from './event-queue.ts';
import type { Latency } from './latency.ts';
import { CALM, type FrameOverride, SimulatedNetwork, type Weather } from './network.ts';
import { RandomStreams } from './random-streams.ts';

const EXACT: Latency = { type: 'uniform', minUs: 500, maxUs: 500 };
const WILD: Weather = {
  latency: { type: 'pareto', minUs: 100, alphaThousandths: 1_300 },
  lossPerMillion: 150_000,
  duplicatePerMillion: 150_000,
  corruptPerMillion: 50_000,
  spikePerMillion: 100_000,
  spikeUs: 50_000,
  bytesPerSecond: 100_000,
};

interface Arrival {
  readonly atUs: number;
  readonly from: number;
  readonly member: number;
  readonly frame: Uint8Array;
}

class Wire {
  readonly queue = new EventQueue();
  readonly network: SimulatedNetwork;

  constructor(calm: Latency = EXACT, seed = 1) {
    this.network = new SimulatedNetwork({
      members: 3,
      queue: this.queue,
      random: new RandomStreams(seed),
      kindOf: (frame) => frame[0] ?? 0,
      damage: damageFrame,
      calm,
    });
  }

  arrivals(): Arrival[] {
    const arrivals: Arrival[] = [];
    for (let queued = this.queue.pop(); queued !== null; queued = this.queue.pop()) {
      const { event } = queued;
      if (event.type !== 'frame') continue;
      arrivals.push({ atUs: queued.timeUs, from: event.from, member: event.member, frame: event.frame });
    }
    return arrivals;
  }

  /** Frames of three kinds on every link, one each 100 µs. */
  chatter(count: number, fromUs = 0): void {
    for (let i = 0; i < count; i++) {
      const from = 1 + (i % 3);
      const to = 1 + ((from + (i % 2)) % 3);
      this.network.send(fromUs + i * 100, from, to, new Uint8Array([i % 3, i & 255, i >> 8]));
    }
  }

  save(): Uint8Array {
    const writer = new ByteWriter();
    this.queue.save(writer);
    this.network.save(writer);
    return writer.finish();
  }

  load(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    this.queue.load(reader);
    this.network.load(reader);
  }
}

describe('a narrow link', () => {
  const frame = new Uint8Array(100);

  it('carries one frame after the other, each as long as its bytes take', () => {
    const wire = new Wire();
    wire.network.setWeather({ ...CALM, bytesPerSecond: 1_000 });
    for (let i = 0; i < 4; i++) wire.network.send(0, 1, 2, frame);
    expect(wire.arrivals().map(({ atUs }) => atUs)).toEqual([100_500, 200_500, 300_500, 400_500]);
  });

  it('keeps nobody on other links, nor on the way back, waiting', () => {
    const wire = new Wire();
    wire.network.setWeather({ ...CALM, bytesPerSecond: 1_000 });
    for (let i = 0; i < 4; i++) wire.network.send(0, 1, 2, frame);
    wire.network.send(0, 2, 1, frame);
    wire.network.send(0, 1, 3, frame);
    const others = wire.arrivals().filter(({ member }) => member !== 2);
    expect(others.map(({ atUs }) => atUs)).toEqual([100_500, 100_500]);
  });

  it('is free again once it has carried what was sent', () => {
    const wire = new Wire();
    wire.network.setWeather({ ...CALM, bytesPerSecond: 1_000 });
    wire.network.send(0, 1, 2, frame);
    wire.network.send(1_000_000, 1, 2, frame);
    expect(wire.arrivals().map(({ atUs }) => atUs)).toEqual([100_500, 1_100_500]);
  });
});

describe('a damaged frame', () => {
  it("is noticed by the wire's checksum, whichever bit has flipped", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(0xffffffff), (frame, word) => {
        expect(damageFrame(frame, word)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('is lost, and counted as damaged and as lost', () => {
    const wire = new Wire();
    wire.network.setWeather({ ...CALM, corruptPerMillion: 1_000_000 });
    wire.chatter(50);
    expect(wire.arrivals()).toEqual([]);
    expect(wire.network.counts).toEqual({ sent: 50, lost: 50, duplicated: 0, damaged: 50 });
  });
});

describe('a late frame', () => {
  it('arrives behind those that were sent after it', () => {
    const wire = new Wire();
    wire.network.setWeather({ ...CALM, spikePerMillion: 300_000, spikeUs: 20_000 });
    wire.chatter(300);
    const onLink = wire.arrivals().filter(({ from, member }) => from === 1 && member === 2);
    const numbers = onLink.map(({ frame }) => (frame[1] as number) + 256 * (frame[2] as number));
    expect(numbers).not.toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.length).toBe(new Set(numbers).size);
  });
});

describe('what happened to frames', () => {
  it.each([1, 2, 3])('is the same to the microsecond when it is played back in calm weather (seed %i)', (seed) => {
    const calm: Latency = { type: 'uniform', minUs: 100, maxUs: 600 };
    const recorded = new Wire(calm, seed);
    const overrides: FrameOverride[] = [];
    recorded.network.record = overrides;
    recorded.chatter(200);
    recorded.network.setWeather(WILD);
    recorded.chatter(1_000, 20_000);
    recorded.network.setWeather(CALM);
    recorded.chatter(200, 120_000);
    const played = new Wire(calm, seed);
    played.network.playBack(overrides);
    played.chatter(200);
    played.chatter(1_000, 20_000);
    played.chatter(200, 120_000);
    expect(overrides.length).toBeGreaterThan(300);
    expect(played.arrivals()).toEqual(recorded.arrivals());
    // Of damaged frames a trace says only that they are lost.
    const { damaged: _, ...counts } = recorded.network.counts;
    expect(played.network.counts).toMatchObject(counts);
  });

  it('to a frame that is named leaves the others alone', () => {
    const plain = new Wire({ type: 'uniform', minUs: 100, maxUs: 600 });
    plain.chatter(60);
    const before = plain.arrivals();
    const changed = new Wire({ type: 'uniform', minUs: 100, maxUs: 600 });
    changed.network.playBack([{ from: 1, to: 2, kind: 0, nth: 0, delaysUs: [] }]);
    changed.chatter(60);
    const after = changed.arrivals();
    expect(after).toHaveLength(before.length - 1);
    expect(
      before.filter((arrival) => !after.some((other) => JSON.stringify(other) === JSON.stringify(arrival))),
    ).toEqual([expect.objectContaining({ from: 1, member: 2, frame: new Uint8Array([0, 0, 0]) })]);
  });
});

describe('a network from its bytes', () => {
  it('goes on as the one that was saved, with its weather, cuts, queues of links and held frames', () => {
    const wire = new Wire({ type: 'uniform', minUs: 100, maxUs: 600 });
    // So narrow that frames wait for one another beyond the moment of the save.
    wire.network.setWeather({ ...WILD, bytesPerSecond: 2_000 });
    wire.network.block(2, 3);
    wire.chatter(500);
    wire.network.filter = () => 'hold';
    wire.network.send(50_000, 1, 2, new Uint8Array([2, 7, 7]));
    wire.network.filter = null;
    const bytes = wire.save();
    const copy = new Wire({ type: 'uniform', minUs: 100, maxUs: 600 });
    copy.load(bytes);
    expect(copy.save()).toEqual(bytes);
    expect(copy.network.isBlocked(2, 3)).toBe(true);
    expect(copy.network.isBlocked(3, 2)).toBe(false);
    for (const each of [wire, copy]) {
      expect(each.network.releaseHeld(51_000, 1)).toBe(1);
      each.chatter(500, 52_000);
    }
    expect(copy.arrivals()).toEqual(wire.arrivals());
    expect(copy.network.counts).toEqual(wire.network.counts);
  });
});

describe('the network', () => {
  it('has no place for frames to oneself, to strangers, or of a sixty-fifth kind', () => {
    const { network } = new Wire();
    expect(() => network.send(0, 1, 1, utf8('x'))).toThrow('does not send to itself');
    expect(() => network.send(0, 1, 4, utf8('x'))).toThrow('a member of the cluster');
    expect(() => network.send(0, 1, 2, new Uint8Array([64]))).toThrow('at most 64 kinds');
  });

  it('carries a copy: the sender may use its buffer again', () => {
    const wire = new Wire();
    const frame = new Uint8Array([1, 2, 3]);
    wire.network.send(0, 1, 2, frame);
    frame.fill(9);
    expect(wire.arrivals()[0]?.frame).toEqual(new Uint8Array([1, 2, 3]));
  });
});
