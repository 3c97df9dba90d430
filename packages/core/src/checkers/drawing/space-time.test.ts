import { describe, expect, it } from 'vitest';
import type { DrawnMessage, MemberChange, SpaceTimeDrawing } from './space-time.ts';
import { drawSpaceTimeSvg } from './space-time-svg.ts';
import { drawSpaceTimeText } from './space-time-text.ts';
import { columnsOf } from './words.ts';

const message = (from: number, to: number, sentUs: number, receivedUs: number | null, label: string): DrawnMessage => {
  return { from, to, sentUs, receivedUs, label };
};
const change = (member: number, atUs: number, state: MemberChange['state'], label: string): MemberChange => {
  return { member, atUs, state, label };
};

const ELECTION: SpaceTimeDrawing = {
  members: [1, 2, 3],
  messages: [
    message(1, 2, 1_000, 1_400, 'append 1, term 1'),
    message(1, 3, 1_000, null, 'append 1, term 1'),
    message(2, 1, 1_500, 2_100, 'appended'),
    message(2, 1, 150_000, null, 'vote? term 2'),
    message(2, 3, 150_000, 150_500, 'vote? term 2'),
    message(3, 2, 150_600, 151_000, 'vote yes'),
  ],
  changes: [
    change(1, 0, 'leader', 'leads, term 1'),
    change(1, 2_000, 'down', 'crashes'),
    change(3, 3_000, 'paused', 'is paused'),
    change(3, 9_000, 'follower', 'goes on'),
    change(2, 150_000, 'candidate', 'is a candidate, term 2'),
    change(2, 151_000, 'leader', 'leads, term 2'),
  ],
};

const count = (text: string, part: string): number => text.split(part).length - 1;

describe('messages as text', () => {
  it('run down in time: what arrived after how long, what was lost, and what became of each member', () => {
    expect(drawSpaceTimeText(ELECTION)).toMatchInlineSnapshot(`
      "          m1        m2        m3
      0         ║         │         │    m1 leads, term 1
      1 ms      ║─────────╳         │    append 1, term 1, lost
      1.4 ms    ║────────▶│         │    append 1, term 1 (400 µs)
      2 ms                │         │    m1 crashes
      2.1 ms     ◀────────│         │    appended (600 µs)
      3 ms                │         ·    m3 is paused
      9 ms                │         │    m3 goes on
      150 ms              ┊         │    m2 is a candidate, term 2
      150 ms         ╳────┊         │    vote? term 2, lost
      150.5 ms            ┊────────▶│    vote? term 2 (500 µs)
      151 ms              ┊◀────────│    vote yes (400 µs)
      151 ms              ║         │    m2 leads, term 2
      "
    `);
  });

  it('fit into a narrow terminal that knows only ASCII; the earliest are left out and counted', () => {
    const text = drawSpaceTimeText({ ...ELECTION, widthColumns: 44, ascii: true, maxMoments: 5 });
    expect(text).toMatchInlineSnapshot(`
      "          m1     m2     m3
                : 7 earlier lines left out
      150 ms           :      |    m2 is a candid~
      150 ms        x--:      |    vote? term 2, ~
      150.5 ms         :----->|    vote? term 2 (~
      151 ms           :<-----|    vote yes (400 ~
      151 ms           #      |    m2 leads, term~
      "
    `);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(Math.max(...text.split('\n').map(columnsOf))).toBeLessThanOrEqual(44);
  });

  it('keep an arrival before the change that it causes, and that before what is sent because of it', () => {
    const lines = drawSpaceTimeText(ELECTION).split('\n');
    const at = (words: string): number => lines.findIndex((line) => line.includes(words));
    expect(at('vote yes')).toBeLessThan(at('m2 leads, term 2'));
    expect(at('m2 is a candidate')).toBeLessThan(at('vote? term 2, lost'));
  });
});

describe('messages as SVG', () => {
  it('have an arrow each, from where they were sent to where they arrived, and lost ones a cross', () => {
    const svg = drawSpaceTimeSvg(ELECTION);
    expect(count(svg, 'marker-end="url(#head)"')).toBe(4);
    expect(count(svg, 'class="cross"')).toBe(2);
    expect(svg).toContain('<title>vote yes: m3 to m2, sent at 150.6 ms, arrived 400 µs later</title>');
    expect(svg).toContain('<title>append 1, term 1: m1 to m3, sent at 1 ms, lost</title>');
  });

  it('lead down: no arrow goes back in time, not even of a message that takes none', () => {
    const svg = drawSpaceTimeSvg({
      ...ELECTION,
      messages: [...ELECTION.messages, message(3, 1, 9_000, 9_000, 'at once')],
    });
    const arrows = [...svg.matchAll(/class="arrow" d="M\S+ (\S+?)L\S+ (\S+?)"/g)];
    expect(arrows).toHaveLength(7);
    for (const [, from, to] of arrows) expect(Number(to)).toBeGreaterThan(Number(from));
  });

  it('leave a lane blank while its member is down, and go on in the state that it had before', () => {
    expect(drawSpaceTimeSvg(ELECTION)).toContain('class="lane down"');
    const late = drawSpaceTimeSvg({ ...ELECTION, maxMoments: 3 });
    expect(late).toContain('9 earlier lines');
    expect(count(late, 'class="lane down"')).toBe(1);
    expect(count(late, 'class="lane candidate"')).toBe(1);
  });

  it('show hostile labels as text', () => {
    const hostile = '</title><script>alert(1)</script>"\u202e';
    const svg = drawSpaceTimeSvg({
      members: [1, 2],
      messages: [message(1, 2, 0, 1, hostile)],
      changes: [change(1, 0, 'leader', hostile)],
    });
    expect(svg).not.toContain('<script');
    expect(svg).not.toContain('\u202e');
    expect(svg).toContain('&lt;script&gt;');
  });

  it('give the same bytes for the same drawing', () => {
    expect(drawSpaceTimeSvg(structuredClone(ELECTION))).toBe(drawSpaceTimeSvg(ELECTION));
    expect(drawSpaceTimeText(structuredClone(ELECTION))).toBe(drawSpaceTimeText(ELECTION));
  });
});
