import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryDrawing } from './history-drawing.ts';
import { operation, sequence } from './operations.test-support.ts';
import { drawText } from './text.ts';
import { columnsOf } from './words.ts';

const stale = operation(1, 'read', 1, 8, 9);

const STALE_READ: HistoryDrawing = {
  operations: [
    operation(0, 'write', 1, 0, 2),
    operation(1, 'read', null, 1, 3),
    operation(2, 'write', 2, 4, 6),
    operation(0, 'cas', [1, 3], 5, 7, { outcome: 'fail' }),
    stale,
  ],
  violation: {
    operation: stale,
    sentence: 'Process 1 read 1, but the write of 2 had been acknowledged before that began.',
  },
};

const SEEN_THEN_GONE: HistoryDrawing = {
  operations: [
    operation(0, 'write', 'paid', 0, 1, { key: 'order' }),
    operation(1, 'write', 'shipped', 2, Number.POSITIVE_INFINITY, { key: 'order' }),
    operation(2, 'read', 'shipped', 4, 5, { key: 'order' }),
    operation(12, 'read', 'paid', 6, 7, { key: 'order' }),
  ],
  timesUs: [0, 1_200, 9_000, 40_000, 52_000, 53_100, 1_250_000, 1_251_000],
  faults: [
    { label: 'partition {1,2}|{3}', fromUs: 8_000, toUs: 45_000, members: [1, 2, 3], kind: 'partitioned' },
    { label: 'crash m2', fromUs: 30_000, toUs: 30_000, members: [2], kind: 'down' },
    { label: 'loss 5 %', fromUs: 60_000, toUs: null, members: [], kind: 'network' },
  ],
  leaders: [{ member: 3, term: 2, fromUs: 46_000, toUs: null }],
  violation: {
    operation: operation(12, 'read', 'paid', 6, 7, { key: 'order' }),
    sentence: 'Process 12 read paid after shipped had been read.',
    longestOrder: [
      operation(0, 'write', 'paid', 0, 1, { key: 'order' }),
      operation(1, 'write', 'shipped', 2, Number.POSITIVE_INFINITY, { key: 'order' }),
    ],
  },
  notes: ['Replay: polder hunt --seed 7'],
};

describe('a history as text', () => {
  it('shows who did what and when, and points at the operation that no order can place', () => {
    expect(drawText(STALE_READ)).toMatchInlineSnapshot(`
      "                       time ───────────────────────────────────────────────────▸
        p0 write x 1         ├───────────┤
        p1 read x → nothing        ├────────────┤
        p2 write x 2                                  ├───────────┤
        p0 cas x 1→3 failed                                 ├────────────╳
      → p1 read x → 1                                                          ╞═════╡
          Process 1 read 1, but the write of 2 had been acknowledged before that
          began.
      "
    `);
  });

  it('shows faults, leaders, unknown outcomes, times, the longest legal order and notes', () => {
    expect(drawText(SEEN_THEN_GONE)).toMatchInlineSnapshot(`
      "  m3 leads, term 2                                        ┣━━━━━━━━━━━━━━━━━━━━▸
        partition {1,2}|{3}                       ┣━━━━━━━━━━┫
        crash m2                                         ◆
        loss 5 %                                                           ┣━━━━━━━━━▸
                                           0 ─────────────────────────────────▸ 1.25 s
        p0  write order paid               ├───┤
        p1  write order shipped ? unknown             ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▸
        p2  read order → shipped                                    ├──┤
      → p12 read order → paid                                                 ╞═══╡
          Process 12 read paid after shipped had been read.

        Longest legal order, 2 operations: write order paid (p0), write order shipped
        ? unknown (p1).
        Replay: polder hunt --seed 7
      "
    `);
  });

  it('has a form in ASCII alone, at any width', () => {
    const text = drawText({ ...SEEN_THEN_GONE, ascii: true, widthColumns: 60 });
    expect(text).toMatchInlineSnapshot(`
      "  m3 leads, term 2                          <###############
        partition {1,2}|{3}             <#######>
        crash m2                             *
        loss 5 %                                          <#######
                                   0 ---------------------> 1.25 s
        p0  write order paid       |--|
        p1  write orde~ ? unknown          |.....................>
        p2  read order -> shipped                    |-|
      > p12 read order -> paid                              [==]
          Process 12 read paid after shipped had been read.

        Longest legal order, 2 operations: write order paid (p0),
        write order shipped ? unknown (p1).
        Replay: polder hunt --seed 7
      "
    `);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('draws a history without operations, and one without times', () => {
    expect(drawText({ operations: [] })).toBe('  no operations\n');
    expect(
      drawText({ operations: [operation(0, 'enqueue', 3, 0, 1), operation(0, 'dequeue', null, 2)] }),
    ).toMatchInlineSnapshot(`
      "                          time ────────────────────────────────────────────────▸
        p0 enqueue x 3          ├─────────────────┤
        p0 dequeue x ? unknown                                     ├╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌▸
      "
    `);
  });

  it('is readable at 80 columns with 30 operations: nothing left out, no line longer', () => {
    const lines = drawText({ operations: sequence(30, () => ({})) })
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(31);
    expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(80);
  });

  it('is never wider than asked, whatever keys and values are, and every operation has one line', () => {
    const anything = fc.oneof(fc.string({ unit: 'grapheme' }), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), anything), { maxLength: 20 }), (made) => {
        const operations = sequence(made.length, (i) => ({ key: made[i]?.[0] ?? '', value: made[i]?.[1] }));
        const text = drawText({ operations, widthColumns: 60 });
        expect(Math.max(...text.split('\n').map(columnsOf))).toBeLessThanOrEqual(60);
        expect(text.split('\n')).toHaveLength(2 + operations.length);
        expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
      }),
    );
  });

  it('shows control characters and text that runs backwards as what they are', () => {
    const text = drawText({ operations: [operation(0, 'write', '\u202ea\n', 0, 1, { key: '__proto__' })] });
    expect(text).toContain('write __proto__ "\\u{202e}a\\n"');
  });

  it('knows that some characters take two columns and some none', () => {
    const keys = ['abcd', '日本', 'e\u0301xyz'];
    const operations = keys.map((key, i) => operation(i, 'write', 1, 2 * i, 2 * i + 1, { key }));
    expect(drawText({ operations, widthColumns: 50 })).toMatchInlineSnapshot(`
      "                   time ─────────────────────────▸
        p0 write abcd 1  ├─────┤
        p1 write 日本 1              ├─────┤
        p2 write éxyz 1                          ├─────┤
      "
    `);
  });

  it('marks in ASCII too where a long value was cut', () => {
    const text = drawText({ operations: [operation(0, 'write', 'a'.repeat(40), 0, 1)], ascii: true });
    expect(text).toContain(`write x ${'a'.repeat(17)}~`);
  });

  it('gives the same bytes for the same drawing', () => {
    expect(drawText(structuredClone(SEEN_THEN_GONE))).toBe(drawText(SEEN_THEN_GONE));
  });
});

describe('a long history as text', () => {
  const last = operation(0, 'read', 'old', 400, 401);
  const sentence = 'Nobody can have read that.';

  it('keeps the violation, what came just before it and the write that it saw, and counts what is left out', () => {
    const operations = [...sequence(200, (i) => ({ value: i === 17 ? 'old' : i })), last];
    const text = drawText({ operations, violation: { operation: last, sentence }, maxOperations: 5 });
    expect(text).toMatchInlineSnapshot(`
      "                   time ───────────────────────────────────────────────────────▸
        ⋮ 17 operations left out
        p2 write x old   ├──────┤
        ⋮ 179 operations left out
        p2 write x 197                ├──────┤
        p0 write x 198                              ├─────┤
        p1 write x 199                                           ├──────┤
      → p0 read x → old                                                       ╞══════╡
          Nobody can have read that.
      "
    `);
  });

  it('leaves out other keys first: they say nothing about this one', () => {
    const operations = [...sequence(200, (i) => ({ key: i % 50 === 0 ? 'x' : 'y' })), last];
    const text = drawText({ operations, violation: { operation: last, sentence }, maxOperations: 10 });
    expect(text).not.toContain(' y ');
    expect(text).toContain('196 operations on other keys left out.');
    expect(text).not.toContain('⋮');
  });

  it('without a violation shows how it began and how it ended', () => {
    const text = drawText({ operations: sequence(200, () => ({})), maxOperations: 6 });
    expect(text.match(/write x \d+|⋮ .*/g)).toEqual([
      ...[
        'write x 0',
        'write x 1',
        'write x 2',
        '⋮ 194 operations left out',
        'write x 197',
        'write x 198',
        'write x 199',
      ],
    ]);
  });

  it('leaves out faults that were over before, and says so', () => {
    const operations = [...sequence(200, () => ({})), last];
    const timesUs = Array.from({ length: 402 }, (_, i) => i * 1_000);
    const span = (label: string, fromUs: number, toUs: number | null) =>
      ({ label, fromUs, toUs, members: [1], kind: 'paused' }) as const;
    const faults = [span('pause early', 10_000, 20_000), span('pause late', 50_000, null)];
    const drawing = { operations, timesUs, faults, violation: { operation: last, sentence }, maxOperations: 8 };
    expect(drawText(drawing)).toContain('pause late');
    expect(drawText(drawing)).not.toContain('pause early');
    expect(drawText(drawing)).toContain('1 fault outside this picture left out.');
  });
});
