/** A version's tag as text, so that it goes through JSON, a shell and a log: `physicalMs.logical@member.incarnation.boot`. */
import type { Tag } from '@polder/core/registers';
import { invalidRequest } from './error.ts';

const FORM = /^(\d{1,16})\.(\d{1,16})@(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/;

export function formatTag({ time, member, incarnation, boot }: Tag): string {
  return `${time.physicalMs}.${time.logical}@${member}.${incarnation}.${boot}`;
}

/** Throws `InvalidRequest`. */
export function parseTag(given: string): Tag {
  const numbers = FORM.exec(given)?.slice(1).map(Number) ?? [];
  const [physicalMs, logical, member, incarnation, boot] = numbers;
  if (
    physicalMs === undefined ||
    logical === undefined ||
    member === undefined ||
    incarnation === undefined ||
    boot === undefined ||
    physicalMs >= 2 ** 48 ||
    logical >= 2 ** 16 ||
    !numbers.every(Number.isSafeInteger)
  ) {
    throw invalidRequest('the tag is not one that a member gave out: pass it on as it came');
  }
  return { time: { physicalMs, logical }, member, incarnation, boot };
}
