import { atKey, described, identityOf, inInvocationOrder, malformedOperation, verdictOf } from '../recorded.ts';
import {
  GUARANTEES,
  type SessionGuarantee,
  type SessionVerdict,
  type SessionViolation,
  type VersionedOperation,
} from './model.ts';
import { ValueOrder, writtenBy } from './values.ts';
import { checkVersions, versionOf } from './versions.ts';

export interface SessionOptions {
  /** Those that the store promises; all four unless given. */
  readonly guarantees?: readonly SessionGuarantee[];
}

/**
 * Whether the session guarantees hold, key by key. Where each operation of a key that succeeded has a `version`, that
 * is the order; a read of an absent key may go without. Else each value of the key must be written once, none of them
 * null, and the order is inferred. Writes of unknown outcome bind nothing that comes after them. Throws
 * `MalformedHistory` for functions other than read, write and cas.
 */
export function checkSessions(operations: readonly VersionedOperation[], options: SessionOptions = {}): SessionVerdict {
  const guarantees = new Set(options.guarantees ?? GUARANTEES);
  const byKey = new Map<string, VersionedOperation[]>();
  for (const operation of inInvocationOrder(operations)) {
    checkOperation(operation);
    const ofKey = byKey.get(operation.key);
    if (ofKey === undefined) byKey.set(operation.key, [operation]);
    else ofKey.push(operation);
  }
  const violations: SessionViolation[] = [];
  const reasons: string[] = [];
  for (const [key, ofKey] of byKey) {
    if (ofKey.some(({ version, outcome }) => version !== undefined && outcome === 'ok')) {
      const untagged = ofKey.find((operation) => operation.outcome === 'ok' && versionOf(operation) === null);
      if (untagged === undefined) violations.push(...checkVersions(key, ofKey, guarantees));
      else reasons.push(`${described(untagged)} has no version, and others of that key have: tag all or none`);
      continue;
    }
    const ambiguous = whyAmbiguous(ofKey);
    if (ambiguous !== null) {
      reasons.push(ambiguous);
      continue;
    }
    const order = new ValueOrder(key, ofKey, guarantees);
    const thin = order.thinAir();
    if (thin === null) violations.push(...order.check());
    else violations.push(thinAirRead(key, thin));
  }
  if (!operations.some(({ outcome, f }) => outcome === 'ok' && f !== 'write')) {
    reasons.push('no read succeeded, so that nothing shows what a session knew: run for longer, with reads');
  }
  return verdictOf(violations, reasons[0] ?? null);
}

function whyAmbiguous(operations: readonly VersionedOperation[]): string | null {
  const writers = new Map<unknown, VersionedOperation>();
  for (const operation of operations) {
    if (operation.outcome === 'fail' || operation.f === 'read') continue;
    const value = identityOf(writtenBy(operation));
    if (value === null) return `${described(operation)} looks like the initial value: add versions to the operations`;
    const other = writers.get(value);
    if (other !== undefined) {
      return `${described(other)} and ${described(operation)} write the same: write each value once, or add versions`;
    }
    writers.set(value, operation);
  }
  return null;
}

function thinAirRead(key: string, operation: VersionedOperation): SessionViolation {
  const start = described(operation);
  const sentence = `${start.slice(0, 1).toUpperCase()}${start.slice(1)} saw what no operation can have written.`;
  return { guarantees: [], key, pairs: [{ guarantee: null, first: null, second: operation }], sentence };
}

function checkOperation(operation: VersionedOperation): void {
  const { f, key, value } = operation;
  if (f === 'read' || f === 'write' || (f === 'cas' && Array.isArray(value) && value.length === 2)) return;
  throw malformedOperation(operation, `has the function ${JSON.stringify(f)} at ${atKey(key)}: use read, write or cas`);
}
