/** Histories to check, made by clients of objects that are right by construction; the same ones on every machine. */
import { draw, type HistoryEvent, scaled } from '@polder/core';

export type Pick = (bound: number) => number;

export function picker(seed: number): Pick {
  let n = 0;
  return (bound) => scaled(draw(seed, 1, 0, n++), bound);
}

export interface RegisterHistoryOptions {
  readonly operations: number;
  readonly clients: number;
  /** Values to choose from; 0: each write has one of its own. */
  readonly values: number;
  /** Of a hundred operations are swaps; the rest are reads and writes, half and half. */
  readonly swapPercent: number;
  /** Of a hundred operations time out, and may take effect at any later time, or never. */
  readonly crashPercent: number;
}

interface Call {
  readonly process: number;
  readonly f: string;
  readonly value: unknown;
  done: boolean;
  result: unknown;
}

/** One register, read, written and swapped by clients of which some give up waiting and go on as another process. */
export function registerHistory(pick: Pick, options: RegisterHistoryOptions): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const calls: Call[] = [];
  const lost: Call[] = [];
  let present: unknown = null;
  let begun = 0;
  let processes = options.clients;
  const free = Array.from({ length: options.clients }, (_, process) => process);
  const emit = ({ process, f }: Call, type: HistoryEvent['type'], value: unknown): void => {
    events.push({ index: events.length, process, type, f, key: '', value, time: events.length });
  };
  const apply = (call: Call): void => {
    call.done = true;
    call.result = present;
    if (call.f === 'write') present = call.value;
    else if (call.f === 'cas' && (call.value as unknown[])[0] === present) present = (call.value as unknown[])[1];
  };
  const value = (): number => (options.values === 0 ? begun + 1 : 1 + pick(options.values));
  const begin = (): void => {
    const process = free.splice(pick(free.length), 1)[0] as number;
    const dice = pick(100);
    const f = dice < options.swapPercent ? 'cas' : dice % 2 === 0 ? 'read' : 'write';
    const asked = f === 'read' ? null : f === 'write' ? value() : [pick(2) === 0 ? present : value(), value()];
    const call: Call = { process, f, value: asked, done: false, result: null };
    begun++;
    emit(call, 'invoke', asked);
    calls.push(call);
  };
  const end = (at: number, call: Call): void => {
    calls.splice(at, 1);
    if (pick(100) < options.crashPercent) {
      emit(call, 'info', call.value);
      lost.push(call);
      free.push(processes++);
      return;
    }
    if (!call.done) apply(call);
    const swapped = call.f !== 'cas' || (call.value as unknown[])[0] === call.result;
    emit(call, swapped ? 'ok' : 'fail', call.f === 'read' ? call.result : call.value);
    free.push(call.process);
  };
  while (begun < options.operations || calls.length > 0) {
    const late = lost[pick(4 * options.clients)];
    if (late !== undefined && !late.done) apply(late);
    if (begun < options.operations && free.length > 0 && pick(2) === 0) {
      begin();
      continue;
    }
    const at = pick(options.clients);
    const call = calls[at];
    if (call === undefined) continue;
    if (!call.done && pick(2) === 0) apply(call);
    else end(at, call);
  }
  return events;
}

/** The same history with one read changed to a value that was there at some other time, if it holds such a read. */
export function withStaleRead(pick: Pick, events: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const reads = events.filter((event) => event.type === 'ok' && event.f === 'read');
  const [victim, other] = [reads[pick(reads.length)], reads[pick(reads.length)]];
  return events.map((event) => (event === victim ? { ...event, value: other?.value } : event));
}
