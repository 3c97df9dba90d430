import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { crc32c } from './crc32c.ts';

describe('crc32c', () => {
  it('gives the values published in RFC 3720 §B.4', () => {
    expect(crc32c(utf8('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });

  it('is the same whether the bytes come whole or in two parts, at every place to split', () => {
    const bytes = Uint8Array.from({ length: 45 }, (_, i) => (i * 131) & 0xff);
    const whole = crc32c(bytes);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(whole);
    }
  });

  it('changes with every single flipped bit', () => {
    const bytes = utf8('a batch of records');
    const whole = crc32c(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(crc32c(flipped)).not.toBe(whole);
    }
  });
});
