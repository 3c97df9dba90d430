import { atKey, identityOf, shown } from '../recorded.ts';

export interface ConvergenceViolation {
  readonly key: string;
  /** Who holds what, the value that most hold first. */
  readonly groups: readonly { readonly value: unknown; readonly holders: readonly string[] }[];
  /** For a person. */
  readonly sentence: string;
}

/** What the holders of a key disagree about, or null. */
export function differenceOf(
  key: string,
  held: readonly { readonly holder: string; readonly value: unknown }[],
): ConvergenceViolation | null {
  const byValue = new Map<unknown, { value: unknown; holders: string[] }>();
  for (const { holder, value } of held) {
    const group = byValue.get(identityOf(value));
    if (group === undefined) byValue.set(identityOf(value), { value, holders: [holder] });
    else group.holders.push(holder);
  }
  if (byValue.size < 2) return null;
  const groups = [...byValue.values()].sort((a, b) => b.holders.length - a.holders.length);
  const [most, ...others] = groups;
  if (most === undefined) return null;
  const differs = others.map(({ value, holders }) => `${holders.join(', ')} ${howItDiffers(value, most.value)}`);
  const agreed = `${most.holders.join(', ')} ${most.holders.length === 1 ? 'has' : 'have'} ${shown(most.value)}`;
  return { key, groups, sentence: `At ${atKey(key)}, ${agreed}, but ${differs.join('; ')}.` };
}

/** Of two lists or two objects, where; of anything else, what. */
function howItDiffers(value: unknown, from: unknown): string {
  const has = `has ${shown(value)}`;
  if (Array.isArray(value) && Array.isArray(from)) {
    const [missing, extra] = [absentIn(from, value), absentIn(value, from)];
    if (missing.length === 0 && extra.length === 0) {
      return value.length === from.length ? `${has}: the same in another order` : `${has}: other repetitions`;
    }
    return `${has}: ${changes(missing, extra)}`;
  }
  if (isObject(value) && isObject(from)) {
    const [missing, extra] = [
      absentIn(Object.entries(from), Object.entries(value)),
      absentIn(Object.entries(value), Object.entries(from)),
    ];
    return `${has}: ${changes(missing, extra)}`;
  }
  return has;
}

function changes(missing: readonly unknown[], extra: readonly unknown[]): string {
  const parts: string[] = [];
  if (missing.length > 0) parts.push(`without ${missing.map(shown).join(', ')}`);
  if (extra.length > 0) parts.push(`with ${extra.map(shown).join(', ')} besides`);
  return parts.join(' and ');
}

function absentIn(items: readonly unknown[], others: readonly unknown[]): unknown[] {
  const known = new Set(others.map(identityOf));
  return items.filter((item) => !known.has(identityOf(item)));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
