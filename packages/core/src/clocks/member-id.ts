import { utf8 } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';

/** In UTF-8. An id travels in every message that carries a clock. */
export const MAX_MEMBER_ID_BYTES = 255;

/** Half of a surrogate pair has no UTF-8: two such ids would become one on the wire. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Whether it may stand in a clock: 1 to 255 bytes of well-formed text, `__proto__` included. */
export function isMemberId(id: string): boolean {
  if (id.length === 0 || id.length > MAX_MEMBER_ID_BYTES || LONE_SURROGATE.test(id)) return false;
  return id.length * 3 <= MAX_MEMBER_ID_BYTES || utf8(id).length <= MAX_MEMBER_ID_BYTES;
}

/** Throws `InvalidMemberId`. */
export function checkMemberId(id: string): void {
  if (isMemberId(id)) return;
  const shown = JSON.stringify(id.length > 40 ? `${id.slice(0, 40)}…` : id);
  throw new PolderError(
    'InvalidMemberId',
    `${shown} is no member id: use 1 to ${MAX_MEMBER_ID_BYTES} bytes of well-formed text`,
  );
}
