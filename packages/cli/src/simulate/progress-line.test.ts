import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Terminal } from '../terminal.ts';
import { ProgressLine } from './progress-line.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function screen(isTTY: boolean): { lines: string[]; written: string[]; line: ProgressLine } {
  const lines: string[] = [];
  const written: string[] = [];
  const terminal: Terminal = {
    data: () => {
      throw new Error('progress is not data');
    },
    bytes: () => {},
    progress: (text) => void lines.push(text),
    style: (_, text) => text,
  };
  const write = (text: string): void => void written.push(text);
  const line = new ProgressLine(terminal, (bar) => (bar ? 'a bar of many columns' : 'words'), {
    isTTY,
    columns: 10,
    write,
  });
  return { lines, written, line };
}

test('where there is no terminal, progress is a line every ten seconds', () => {
  const { lines, written, line } = screen(false);
  vi.advanceTimersByTime(25_000);
  line.end();
  vi.advanceTimersByTime(60_000);
  expect(lines).toEqual(['words', 'words']);
  expect(written).toEqual([]);
});

test('on a terminal one line is written over, never wider than the screen, and cleared at the end', () => {
  const { lines, written, line } = screen(true);
  vi.advanceTimersByTime(1_000);
  expect(written).toHaveLength(5);
  expect(written[0]).toBe('\r\u001b[Ka bar of ');
  line.end();
  expect(written.at(-1)).toBe('\r\u001b[K');
  expect(lines).toEqual([]);
});
