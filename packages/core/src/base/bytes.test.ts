import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter, compareBytes, equalBytes, text, utf8 } from './bytes.ts';
import { PolderError } from './error.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
// The decoder drops a byte order mark at the very start, so such text is left out here.
const wellFormed = fc.string({ unit: 'binary', maxLength: 100 }).filter((value) => !value.startsWith('\ufeff'));

/** What may be written, with how it is read back. */
const field = fc.oneof(
  fc.record({ type: fc.constant('u8' as const), value: fc.nat(0xff) }),
  fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('u32' as const), value: fc.nat(0xffffffff) }),
  fc.record({ type: fc.constant('varint' as const), value: fc.maxSafeNat() }),
  fc.record({ type: fc.constant('bytes' as const), value: bytes }),
  fc.record({ type: fc.constant('string' as const), value: wellFormed }),
);
type Field = typeof field extends fc.Arbitrary<infer T> ? T : never;

function write(fields: readonly Field[]): Uint8Array {
  // A capacity of 1 makes the writer grow at every size.
  const writer = new ByteWriter(1);
  for (const { type, value } of fields) {
    if (type === 'bool') writer.bool(value);
    else if (type === 'bytes') writer.bytes(value);
    else if (type === 'string') writer.string(value);
    else writer[type](value);
  }
  const written = writer.finish();
  expect(written.length).toBe(writer.length);
  return written;
}

function readAll(reader: ByteReader, fields: readonly Field[]): unknown[] {
  const values = fields.map(({ type }) => reader[type]());
  reader.end();
  return values;
}

/** Anything but a result or `MalformedBytes` is a bug. */
function refuses(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(PolderError);
    expect((error as PolderError).code).toBe('MalformedBytes');
    return true;
  }
}

test('whatever is written is read back, in order, to the end', () => {
  fc.assert(
    fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
      const read = readAll(new ByteReader(write(fields)), fields);
      expect(read).toEqual(fields.map(({ value }) => value));
    }),
  );
});

test('a message cut short anywhere, or with a byte too many, is refused', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), fc.nat(), (fields, where) => {
      const written = write(fields);
      const cut = written.slice(0, where % written.length);
      expect(refuses(() => readAll(new ByteReader(cut), fields))).toBe(true);
      expect(refuses(() => readAll(new ByteReader(new Uint8Array([...written, 0])), fields))).toBe(true);
    }),
  );
});

test('hostile bytes are read or refused with MalformedBytes, and nothing else happens', () => {
  fc.assert(
    fc.property(bytes, fc.array(field, { maxLength: 8 }), (hostile, fields) => {
      refuses(() => readAll(new ByteReader(hostile), fields));
    }),
    { numRuns: 1000 },
  );
});

test('a length beyond the message is refused before anything is allocated', () => {
  const writer = new ByteWriter();
  writer.varint(Number.MAX_SAFE_INTEGER);
  expect(refuses(() => new ByteReader(writer.finish()).bytes())).toBe(true);
});

test('an integer above 2^53 is refused, in eight bytes or in more', () => {
  expect(refuses(() => new ByteReader(new Uint8Array(8).fill(0xff).fill(0x7f, 7)).varint())).toBe(true);
  expect(refuses(() => new ByteReader(new Uint8Array(20).fill(0xff)).varint())).toBe(true);
});

test('a boolean other than 0 and 1, and text that is not UTF-8, are refused', () => {
  expect(refuses(() => new ByteReader(Uint8Array.of(2)).bool())).toBe(true);
  expect(refuses(() => new ByteReader(Uint8Array.of(1, 0xff)).string())).toBe(true);
});

test('the writer refuses what the reader could not give back', () => {
  for (const value of [-1, 0.5, Number.NaN, Number.MAX_SAFE_INTEGER + 1]) {
    expect(() => new ByteWriter().varint(value), `varint ${value}`).toThrow('varint must be');
  }
  expect(() => new ByteWriter().u32(0x100000000)).toThrow('u32 out of range');
  expect(() => new ByteWriter().u32(-1)).toThrow('u32 out of range');
});

test('what was read stays when the buffer is reused, and what was finished when the writer goes on', () => {
  const buffer = Uint8Array.of(2, 7, 8);
  const read = new ByteReader(buffer).bytes();
  buffer.fill(0);
  expect([...read]).toEqual([7, 8]);
  const writer = new ByteWriter(8);
  writer.u8(1);
  const finished = writer.finish();
  writer.u8(2);
  expect([...finished]).toEqual([1]);
});

test('bytes are ordered as unsigned, a prefix before what extends it', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const hex = (value: Uint8Array): string => [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      const expected = hex(a) < hex(b) ? -1 : hex(a) > hex(b) ? 1 : 0;
      expect(Math.sign(compareBytes(a, b))).toBe(expected);
      expect(equalBytes(a, b)).toBe(expected === 0);
      expect(equalBytes(a, a.slice())).toBe(true);
    }),
  );
});

test('text survives UTF-8', () => {
  fc.assert(
    fc.property(wellFormed, (value) => {
      expect(text(utf8(value))).toBe(value);
    }),
  );
});
