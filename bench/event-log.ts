/** An event log of a million events: reading its file, what it takes in memory, and each query at random events. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { draw, scaled } from '@polder/core';
import {
  type EventLog,
  EventRecorder,
  formatShiViz,
  readShiViz,
  shiVizHeader,
  type VectorClock,
} from '@polder/core/clocks';

const EVENTS = 1_000_000;
const PROCESSES = 10;
const KEYS = 1_000;
const MAX_IN_FLIGHT = 50;
const QUERIES = 200_000;
const SEED = 1;

export interface EventLogReport {
  readonly events: number;
  readonly processes: number;
  readonly fileMb: number;
  /** To record an event and write its lines, in memory. */
  readonly recordUs: number;
  /** Text to checked log. */
  readonly loadSeconds: number;
  /** What the log holds: its columns, and its texts, which hold the file. */
  readonly columnsMb: number;
  readonly heapMb: number;
  readonly happensBeforeNs: number;
  readonly pastCountNs: number;
  readonly futureCountNs: number;
  readonly concurrentCountNs: number;
}

/** Every second event is local, the others are sent and received with up to 50 messages under way. */
function record(): string {
  const lines: string[] = [shiVizHeader('polder')];
  const recorders = Array.from({ length: PROCESSES }, (_, i) => {
    return new EventRecorder({ process: `node-${i}`, sink: (event) => lines.push(formatShiViz(event, 'polder')) });
  });
  const underWay: VectorClock[] = [];
  for (let i = 0; lines.length <= EVENTS; i++) {
    const below = (concern: number, bound: number): number => scaled(draw(SEED, concern, 0, i), bound);
    const recorder = recorders[below(1, PROCESSES)] as EventRecorder;
    const choice = below(2, 4);
    if (choice < 2) recorder.local('does some work', { key: `key-${below(3, KEYS)}` });
    else if (choice === 2 && underWay.length < MAX_IN_FLIGHT) underWay.push(recorder.send('asks for something').clock);
    else if (underWay.length > 0) {
      const [clock = null] = underWay.splice(below(4, underWay.length), 1);
      recorder.receive(clock, 'hears of it');
    }
  }
  return lines.join('');
}

export function benchEventLog(): EventLogReport {
  const recordStartMs = performance.now();
  const text = record();
  const recordMs = performance.now() - recordStartMs;
  const before = memory();
  const loadStartMs = performance.now();
  const [trace] = readShiViz(text);
  const loadMs = performance.now() - loadStartMs;
  const after = memory();
  if (trace?.result.type !== 'valid') throw new Error('the log of this benchmark is malformed');
  const { log } = trace.result;
  return {
    events: log.size,
    processes: log.processes.length,
    fileMb: text.length / 1e6,
    recordUs: (recordMs * 1e3) / log.size,
    loadSeconds: loadMs / 1e3,
    columnsMb: (after.arrayBuffers - before.arrayBuffers) / 1e6,
    heapMb: (after.heapUsed - before.heapUsed) / 1e6,
    happensBeforeNs: query(log, (a, b) => Number(log.happensBefore(a, b))),
    pastCountNs: query(log, (a) => log.past(a).count),
    futureCountNs: query(log, (a) => log.future(a).count),
    concurrentCountNs: query(log, (a) => log.concurrent(a).count),
  };
}

function query(log: EventLog, ask: (a: number, b: number) => number): number {
  const events = Array.from({ length: QUERIES + 1 }, (_, i) => scaled(draw(SEED, 5, 0, i), log.size));
  let sum = 0;
  let startMs = 0;
  // The first pass is for the compiler.
  for (let pass = 0; pass < 2; pass++) {
    startMs = performance.now();
    for (let i = 0; i < QUERIES; i++) sum += ask(events[i] as number, events[i + 1] as number);
  }
  if (sum === 0) throw new Error('a benchmark computed nothing');
  return ((performance.now() - startMs) * 1e6) / QUERIES;
}

function memory(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage();
}

export function formatEventLog(report: EventLogReport): string {
  const us = (ns: number): string => `${(ns / 1e3).toFixed(2)} us`;
  return [
    `event log: ${report.events} events of ${report.processes} processes, a file of ${report.fileMb.toFixed(0)} MB`,
    `  recorded and formatted at ${report.recordUs.toFixed(1)} us an event; read and checked in ${report.loadSeconds.toFixed(1)} s`,
    `  in memory ${report.columnsMb.toFixed(0)} MB of columns and ${report.heapMb.toFixed(0)} MB of heap, besides the file's text`,
    `  happens-before ${us(report.happensBeforeNs)}, past count ${us(report.pastCountNs)}, ` +
      `future count ${us(report.futureCountNs)}, concurrent count ${us(report.concurrentCountNs)}`,
  ].join('\n');
}
