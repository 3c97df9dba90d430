import { describe, expect, it } from 'vitest';
import { changed, decodeConfiguration, encodeConfiguration, firstConfiguration, memberOf } from './configuration.ts';

const there = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a change of address', () => {
  it('replaces what is said of one member, and neither its vote nor its directory nor anyone else', () => {
    const first = firstConfiguration([1, 2, 3], (id) => there(`here ${id}`));
    const next = changed(first, [{ type: 'readdress', id: 2, context: there('elsewhere') }]);
    expect(next.joint).toBe(false);
    expect(memberOf(next, 2)).toEqual({ ...memberOf(first, 2), context: there('elsewhere') });
    expect([memberOf(next, 1), memberOf(next, 3)]).toEqual([memberOf(first, 1), memberOf(first, 3)]);
    expect(decodeConfiguration(encodeConfiguration(next))).toEqual(next);
  });

  it('of a stranger, or one that is too long, is refused with the reason', () => {
    const first = firstConfiguration([1]);
    const refused = (id: number, context: Uint8Array) => () => changed(first, [{ type: 'readdress', id, context }]);
    expect(refused(2, there('x'))).toThrow('member 2 is not in this cluster');
    expect(refused(1, new Uint8Array(4097))).toThrow('at most 4096 bytes');
  });
});
