import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { SESSION_WINDOW, SessionTable } from './sessions.ts';

function origin(sequence: number, acknowledgedThrough = 0, boot = 1, member = 1) {
  return { member, boot, sequence, acknowledgedThrough };
}

function saved(table: SessionTable): Uint8Array {
  const writer = new ByteWriter();
  table.save(writer);
  return writer.finish();
}

describe('the session table', () => {
  test('R27 S1: a proposal is admitted once, however often and in whatever order it arrives', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 80 }), (arrivals) => {
        const table = new SessionTable();
        const seen = new Set<number>();
        for (const sequence of arrivals) {
          expect(table.admit(origin(sequence))).toBe(!seen.has(sequence));
          seen.add(sequence);
          for (let each = 1; each <= 20; each++) expect(table.contains(1, 1, each)).toBe(seen.has(each));
        }
      }),
    );
  });

  test('R21 S2: what its member has acknowledged is refused for ever, without asking a clock', () => {
    const table = new SessionTable();
    expect(table.admit(origin(5, 4))).toBe(true);
    expect(table.admit(origin(3))).toBe(false);
    expect(table.admit(origin(6, 6))).toBe(false);
    expect(table.contains(1, 1, 6)).toBe(false);
    expect(table.admit(origin(6, 5))).toBe(true);
  });

  test('S3: a newer boot replaces the older, whose late proposals are refused', () => {
    const table = new SessionTable();
    expect(table.admit(origin(1, 0, 1))).toBe(true);
    expect(table.admit(origin(1, 0, 2))).toBe(true);
    expect(table.admit(origin(2, 0, 1))).toBe(false);
    expect(table.contains(1, 2, 1)).toBe(true);
    expect(table.contains(1, 2, 2)).toBe(false);
  });

  test('S4: sessions of different members do not touch each other', () => {
    const table = new SessionTable();
    expect(table.admit(origin(1, 0, 1, 1))).toBe(true);
    expect(table.admit(origin(1, 0, 1, 2))).toBe(true);
    expect(table.contains(3, 1, 1)).toBe(false);
  });

  test('S5: a sequence beyond the window is refused and is then not contained', () => {
    const table = new SessionTable();
    expect(table.admit(origin(SESSION_WINDOW + 1))).toBe(false);
    expect(table.contains(1, 1, SESSION_WINDOW + 1)).toBe(false);
    expect(table.admit(origin(SESSION_WINDOW))).toBe(true);
  });

  test('S6: equal sets of proposals give equal bytes, and a loaded table goes on as the saved one', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 5, 6, 9], { minLength: 6 }), (order) => {
        const ascending = new SessionTable();
        for (const sequence of [1, 2, 3, 5, 6, 9]) ascending.admit(origin(sequence));
        const table = new SessionTable();
        for (const sequence of order) table.admit(origin(sequence));
        expect(saved(table)).toEqual(saved(ascending));
        const copy = new SessionTable();
        const reader = new ByteReader(saved(table));
        copy.load(reader);
        reader.end();
        for (const sequence of order) expect(copy.admit(origin(sequence))).toBe(false);
        expect(copy.admit(origin(4))).toBe(true);
      }),
    );
  });

  test('S7: a malformed table is refused and leaves the table as it was', () => {
    const table = new SessionTable();
    table.admit(origin(1));
    const writer = new ByteWriter();
    for (const value of [1, 7, 1, 4, 2, 8, 8]) writer.varint(value);
    expect(() => table.load(new ByteReader(writer.finish()))).toThrow(
      expect.objectContaining({ code: 'MalformedBytes' }),
    );
    expect(() => table.load(new ByteReader(new Uint8Array([9])))).toThrow(
      expect.objectContaining({ code: 'MalformedBytes' }),
    );
    expect(table.contains(1, 1, 1)).toBe(true);
  });
});
