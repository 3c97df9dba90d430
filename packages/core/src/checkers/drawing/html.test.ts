import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryDrawing } from './history-drawing.ts';
import { drawHtml } from './html.ts';
import { operation, sequence } from './operations.test-support.ts';

const bad = operation(0, 'read', 1, 4, 5);

const DRAWING: HistoryDrawing = {
  operations: [operation(0, 'write', 1, 0, 1), operation(1, 'write', 2, 2, 3), bad, operation(1, 'write', 3, 6)],
  timesUs: [0, 10, 20, 30, 40, 50, 60, 70],
  faults: [
    { label: 'partition {1}|{2,3}', fromUs: 5, toUs: 45, members: [1, 2, 3], kind: 'partitioned' },
    { label: 'torn write', fromUs: 25, toUs: 25, members: [2], kind: 'disk' },
  ],
  leaders: [{ member: 1, term: 4, fromUs: 0, toUs: null }],
  violation: { operation: bad, sentence: 'Process 0 read 1 too late.', longestOrder: [operation(0, 'write', 1, 0, 1)] },
};

const count = (text: string, part: string): number => text.split(part).length - 1;

/** The names of all elements, and of all attributes, that a page has: hostile input must not add to these. */
function vocabulary(html: string): { elements: string[]; attributes: string[] } {
  const elements = new Set<string>();
  const attributes = new Set<string>();
  for (const [, name, rest] of html.matchAll(/<([a-z!][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/gi)) {
    elements.add(name ?? '');
    for (const [, attribute] of (rest ?? '').matchAll(/\s([a-zA-Z-]+)(?:="[^"]*")?/g)) attributes.add(attribute ?? '');
  }
  return { elements: [...elements].sort(), attributes: [...attributes].sort() };
}

describe('a history as a page', () => {
  it('has a lane for each process and each member, and a mark with its words for each operation and fault', () => {
    const html = drawHtml(DRAWING);
    for (const lane of ['member 1', 'member 2', 'member 3', 'process 0', 'process 1'])
      expect(html).toContain(`>${lane}<`);
    expect(count(html, 'class="mark ')).toBe(4 + 3 + 1 + 1);
    expect(html).toContain(
      '<title>Process 1: write x 2. Invoked at 20 µs (event 2), returned at 30 µs (event 3).</title>',
    );
    expect(html).toContain('<title>member 2: torn write, at 25 µs.</title>');
    expect(html).toContain('<title>member 1: leads, term 4, from 0 to the end.</title>');
    expect(html).toContain('nobody knows whether it happened');
  });

  it('marks the violation, leads to it with a button, and lists the longest legal order', () => {
    const html = drawHtml(DRAWING);
    expect(html).toMatch(/id="operation-4" class="mark read ok bad"/);
    expect(html).toContain('data-go="operation-4">Jump to the first error</button>');
    expect(html).toContain('<li><button data-go="operation-0">write x 1 ');
    expect(drawHtml({ operations: DRAWING.operations })).not.toContain('Jump to the first error');
  });

  it('gives every label room in its bar, and lets nothing cover anything else', () => {
    const span = (fromUs: number, toUs: number) =>
      ({ label: 'pause m1', fromUs, toUs, members: [1], kind: 'paused' }) as const;
    const operations = sequence(60, (i) => ({ key: 'k'.repeat(i % 13), process: i % 4 }));
    const timesUs = Array.from({ length: 120 }, (_, i) => i * 10);
    const html = drawHtml({ operations, timesUs, faults: [span(5, 205), span(105, 305), span(205, 405)] });
    const bar = /<rect x="(\S+)" y="(\S+)" width="(\S+)" [^>]*\/>(?:<text[^>]*>([^<]*)<)?/g;
    const bars = [...html.matchAll(bar)].map(([, x, y, width, label = '']) => {
      return { x: Number(x), y: Number(y), end: Number(x) + Number(width), label: label.replaceAll('&quot;', '"') };
    });
    expect(bars).toHaveLength(63);
    for (const { x, end, label } of bars) expect(end - x, label).toBeGreaterThan(label.length * 7.2);
    for (const [i, a] of bars.entries()) {
      for (const b of bars.slice(i + 1))
        expect(a.y === b.y && a.x < b.end && b.x < a.end, `${a.label}, ${b.label}`).toBe(false);
    }
  });

  it('writes times under the picture that do not run into each other', () => {
    const timesUs = Array.from({ length: 80 }, (_, i) => 1_234_567 + i);
    const html = drawHtml({ operations: sequence(40, () => ({})), timesUs });
    const xs = [...html.matchAll(/<text x="(\S+)" y="\S+">1\.23 s</g)].map(([, x]) => Number(x));
    expect(xs.length).toBeGreaterThan(5);
    for (const [i, x] of xs.entries()) expect(x - (xs[i - 1] ?? -100)).toBeGreaterThan(60);
  });

  it('is one file that fetches nothing', () => {
    const html = drawHtml(DRAWING);
    expect(html).not.toMatch(/https?:|src=|href=|@import|url\((?!#)/);
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"`);
  });

  it('can be walked by keyboard: one stop for the tab key, the arrows for the rest', () => {
    const html = drawHtml(DRAWING);
    expect(count(html, 'tabindex="0"')).toBe(1);
    expect(count(html, 'tabindex="-1"')).toBe(8);
  });

  it('shows hostile keys, values, labels and sentences as text', () => {
    const hostile = `</title><script>alert(1)</script>"'><img src=x onerror='alert(2)'>&amp;`;
    const operations = ['__proto__', 'constructor', hostile].map((key, i) =>
      operation(i, i === 0 ? hostile : 'write', hostile, 2 * i, 2 * i + 1, { key }),
    );
    const html = drawHtml({
      operations,
      timesUs: [0, 1, 2, 3, 4, 5],
      faults: [{ label: hostile, fromUs: 1, toUs: null, members: [1], kind: 'other' }],
      violation: { operation: operations[0] ?? bad, sentence: hostile, longestOrder: operations },
      notes: [hostile],
    });
    expect(html).not.toContain('<img');
    expect(count(html, '<script>')).toBe(1);
    expect(html).toContain('&lt;script&gt;');
    expect(html).toContain('__proto__');
    const inAttribute = operation(0, 'write', 1, 0, 1, { key: `" onfocus="alert(3)` });
    expect(drawHtml({ operations: [inAttribute] })).not.toContain('" onfocus=');
    const { elements, attributes } = vocabulary(html);
    expect(elements.filter((name) => !vocabulary(drawHtml(DRAWING)).elements.includes(name))).toEqual([]);
    expect(attributes.filter((name) => !vocabulary(drawHtml(DRAWING)).attributes.includes(name))).toEqual([]);
  });

  it('stays well formed whatever the keys and values are', () => {
    const known = vocabulary(drawHtml({ ...DRAWING, notes: ['a note'] }));
    const nasty = fc.string({
      unit: fc.constantFrom('<', '>', '"', "'", '&', '/', ' ', 'g', '=', '\u202e', '`', '\n'),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(nasty, nasty), { minLength: 1, maxLength: 6 }), (made) => {
        const operations = sequence(made.length, (i) => ({ key: made[i]?.[0] ?? '', value: made[i]?.[1] }));
        const html = drawHtml({ operations, notes: [made[0]?.[0] ?? ''] });
        const { elements, attributes } = vocabulary(html);
        for (const name of elements) expect(known.elements).toContain(name);
        for (const name of attributes) expect(known.attributes).toContain(name);
        for (const name of ['g', 'title', 'text', 'svg', 'p', 'span']) {
          expect(count(html, `</${name}>`), name).toBe((html.match(new RegExp(`<${name}[ >]`, 'g')) ?? []).length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves out what says least of a long history, and says how many it drew', () => {
    const operations = [...sequence(1_000, () => ({})), operation(0, 'read', 3, 2_000, 2_001)];
    const violation = { operation: operation(0, 'read', 3, 2_000, 2_001), sentence: 'Too late.' };
    const html = drawHtml({ operations, violation });
    expect(html).toContain('1001 operations');
    expect(html).toContain('The 300 that say most are drawn.');
    expect(count(html, 'class="mark ')).toBe(300);
    expect(html).toContain('id="operation-2000"');
  });

  it('gives the same bytes for the same drawing', () => {
    expect(drawHtml(structuredClone(DRAWING))).toBe(drawHtml(DRAWING));
  });

  it('draws a history without operations', () => {
    expect(drawHtml({ operations: [] })).toContain('0 operations');
  });
});
