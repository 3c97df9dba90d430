import { readFileSync } from 'node:fs';
import { type HistoryEvent, parseHistory } from '@polder/core/checkers';
import { expect, test } from 'vitest';
import { judge } from './verdict.ts';

/** Some keys of a tour of five real processes: writes, reads and compare-and-sets around the death of leaders. */
const recorded = parseHistory(readFileSync(new URL('recorded-tour.jsonl', import.meta.url), 'utf8'));
const FEW = { read: 1, write: 1, cas: 1 };

function sameOperation(a: HistoryEvent, b: HistoryEvent): boolean {
  return (
    a.process === b.process && a.key === b.key && a.f === b.f && JSON.stringify(a.value) === JSON.stringify(b.value)
  );
}

function isAcknowledgedWrite(event: HistoryEvent): boolean {
  return event.type === 'ok' && event.f === 'write';
}

function isReadOf(value: unknown): (event: HistoryEvent) => boolean {
  return (event) => event.type === 'ok' && event.f === 'read' && event.value === value;
}

test('a tour history as it was recorded is accepted, and holds an unknown outcome', () => {
  expect(recorded.some((event) => event.type === 'info')).toBe(true);
  const verdict = judge(recorded, FEW);
  expect(verdict.lines.join('\n')).toContain('linearizable: one order');
  expect(verdict.passed).toBe(true);
});

test('one altered read of a tour history is rejected, whichever it is', () => {
  const reads = recorded.filter((event) => event.type === 'ok' && event.f === 'read');
  expect(reads.length).toBeGreaterThan(10);
  for (const read of reads) {
    const altered = recorded.map((event) => (event === read ? { ...event, value: 'never written' } : event));
    const verdict = judge(altered, FEW);
    expect(verdict.passed, `read ${read.index} altered`).toBe(false);
    expect(verdict.lines.join('\n')).toContain('NOT linearizable');
  }
});

test('one acknowledged write dropped from a tour history is rejected, whichever was read', () => {
  const writes = recorded.filter((event) => isAcknowledgedWrite(event) && recorded.some(isReadOf(event.value)));
  expect(writes.length).toBeGreaterThan(5);
  for (const write of writes) {
    const dropped = recorded.filter((event) => !(event.f === 'write' && sameOperation(event, write)));
    expect(dropped.length, 'its invocation and its acknowledgement').toBe(recorded.length - 2);
    const verdict = judge(dropped, FEW);
    expect(verdict.passed, `write ${write.index} dropped`).toBe(false);
    expect(verdict.lines.join('\n')).toContain('NOT linearizable');
  }
});

test('a store that loses the last acknowledged write of a key is rejected by the final read of that key', () => {
  const write = recorded.findLast((event) => isAcknowledgedWrite(event) && event.key.includes('/once/'));
  if (write === undefined) throw new Error('the recorded history holds such a write');
  const lost = recorded.map((event) => (isReadOf(write.value)(event) ? { ...event, value: null } : event));
  expect(judge(lost, FEW).passed).toBe(false);
});

test('D5: a valid history with too few operations fails, and says what is missing', () => {
  const verdict = judge(recorded, { read: 100_000, write: 1, cas: 1 });
  expect(verdict.passed).toBe(false);
  expect(verdict.lines.join('\n')).toContain('at least 100000 are needed');
  expect(judge([]).passed).toBe(false);
});
