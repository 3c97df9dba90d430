import { atKey, described } from '../recorded.ts';
import type { SessionGuarantee, SessionViolation, VersionedOperation } from './model.ts';

interface Newest {
  readonly version: number;
  readonly operation: VersionedOperation;
}

/** A key whose operations say their versions: each is held against the newest that its session knows. */
export function checkVersions(
  key: string,
  operations: readonly VersionedOperation[],
  guarantees: ReadonlySet<SessionGuarantee>,
): SessionViolation[] {
  const violations: SessionViolation[] = [];
  const sessions = new Map<number, { read: Newest | null; written: Newest | null }>();
  for (const operation of operations) {
    const version = versionOf(operation);
    if (operation.outcome !== 'ok' || version === null) continue;
    const session = sessions.get(operation.process) ?? { read: null, written: null };
    sessions.set(operation.process, session);
    const compare = (guarantee: SessionGuarantee, before: Newest | null, strict: boolean): void => {
      if (before === null || !guarantees.has(guarantee)) return;
      if (version > before.version || (version === before.version && !strict)) return;
      violations.push(violationOf(guarantee, key, before, { version, operation }));
    };
    const newest = { version, operation };
    if (operation.f === 'read') {
      compare('monotonic-reads', session.read, false);
      compare('read-your-writes', session.written, false);
      if (session.read === null || version > session.read.version) session.read = newest;
    } else {
      compare('monotonic-writes', session.written, true);
      compare('writes-follow-reads', session.read, true);
      if (session.written === null || version > session.written.version) session.written = newest;
    }
  }
  return violations;
}

/** A read that found nothing may leave its version out: that is older than every other. */
export function versionOf({ f, value, version }: VersionedOperation): number | null {
  if (version !== undefined) return version;
  return f === 'read' && (value === null || value === undefined) ? Number.NEGATIVE_INFINITY : null;
}

function violationOf(guarantee: SessionGuarantee, key: string, before: Newest, after: Newest): SessionViolation {
  const shownVersion = (version: number): string => (Number.isFinite(version) ? `version ${version}` : 'no version');
  const [first, second] = [before, after].map(({ version, operation }) => {
    return `${described(operation)} has ${shownVersion(version)}`;
  });
  const sentence = `${guarantee} is broken at ${atKey(key)}: ${second}, yet in the same session ${first} came before it.`;
  const pairs = [{ guarantee, first: before.operation, second: after.operation }];
  return { guarantees: [guarantee], key, pairs, sentence };
}
