import { canonical, type Operation } from '../history.ts';
import type { Model } from '../models/model.ts';
import { CAS_REGISTER, REGISTER } from '../models/registers.ts';

/** Why no order can place an operation, for a person; `ofKey`: what else was done to the same object. */
export function sentenceOf(operation: Operation, ofKey: readonly Operation[], model: Model): string {
  if (model === REGISTER || model === CAS_REGISTER) return registerSentence(operation, ofKey);
  const missing = missingElement(operation, ofKey);
  return missing === null ? unexplained(operation) : `${doing(operation)}, but ${missing}.`;
}

/** Without a look at what else was done. */
export function unexplained(operation: Operation): string {
  return `${doing(operation)}, but no order of the operations so far explains both that and the answers before it.`;
}

/** Why there is no answer; null when there is one. */
export function whyUnknown(unfinished: readonly string[], limit: string, ok: number, minimumOk: number): string | null {
  if (unfinished.length > 0) {
    const keys = `key ${JSON.stringify(unfinished[0])}${unfinished.length > 1 ? ` and ${unfinished.length - 1} more` : ''}`;
    return `${keys}: no answer within ${limit}; raise maxStates, or use more keys or fewer clients at once`;
  }
  if (ok >= minimumOk) return null;
  return `only ${ok} operations succeeded, and ${minimumOk} are the least that says anything: run for longer`;
}

function doing(operation: Operation): string {
  return `${did(operation)} (events ${operation.invokeIndex} to ${operation.completeIndex})`;
}

/** Of an operation that was told to have failed though its effect was seen. */
export function failedSentence(operation: Operation): string {
  const what = `${operation.f}${operation.value === null ? '' : ` of ${canonical(operation.value)}`}`;
  const told = `Process ${operation.process} was told at event ${operation.completeIndex} that its ${what} had failed`;
  return `${told}${atKey(operation.key)}, but the answers before that can be explained only if it happened.`;
}

function registerSentence(operation: Operation, ofKey: readonly Operation[]): string {
  const { key, process, invokeIndex, completeIndex } = operation;
  const observed = canonical(operation.f === 'cas' ? (operation.value as unknown[])[0] : operation.value);
  const who = `Process ${process} ${operation.f === 'cas' ? 'swapped' : 'read'} ${shown(observed)}`;
  const start = `${who}${atKey(key)} (events ${invokeIndex} to ${completeIndex})`;
  const writers = ofKey.filter((other) => other !== operation && other.f !== 'read' && written(other) === observed);
  const inTime = writers.filter((other) => other.invokedAt < operation.completedAt && other.outcome !== 'fail');
  if (inTime.length === 0 && observed !== 'null') {
    const failed = writers.some((other) => other.invokedAt < operation.completedAt);
    return `${start}, but ${failed ? 'the only operation to write that had failed' : 'nobody had written that by then'}.`;
  }
  const before = ofKey.filter((other) => other.f !== 'read' && other.completedAt < operation.invokedAt);
  const latest = before.filter((other) => other.outcome === 'ok').sort((a, b) => b.completedAt - a.completedAt)[0];
  if (latest !== undefined && written(latest) !== observed) {
    const did = `process ${latest.process}'s ${latest.f} of ${shown(written(latest))}`;
    const acknowledged = `was acknowledged at event ${latest.completeIndex}, before that began`;
    return `${start}, but ${did} ${acknowledged}, and no order of the operations brings ${shown(observed)} back.`;
  }
  return `${start}, but no order of the operations so far explains both that and the answers before it.`;
}

/** Something in an answer that nobody can have put there. */
function missingElement(operation: Operation, ofKey: readonly Operation[]): string | null {
  const seen = operation.f === 'dequeue' ? [operation.value] : Array.isArray(operation.value) ? operation.value : [];
  if (operation.f !== 'dequeue' && operation.f !== 'read') return null;
  const given = new Set<string>();
  for (const other of ofKey) {
    if (other.outcome === 'fail' || other.invokedAt > operation.completedAt) continue;
    if (other.f !== 'read' && other.f !== 'dequeue') given.add(canonical(other.value));
  }
  const missing = seen.find((value) => value !== null && !given.has(canonical(value)));
  return missing === undefined ? null : `nobody had put ${canonical(missing)} there by then`;
}

function did({ process, f, key, value }: Operation): string {
  const what = value === null ? '' : ` ${canonical(value)}`;
  const at = atKey(key);
  switch (f) {
    case 'read':
      return `Process ${process} read ${shown(canonical(value))}${at}`;
    case 'dequeue':
      return value === null
        ? `Process ${process} found nothing to dequeue${at}`
        : `Process ${process} dequeued${what}${at}`;
    case 'acquire':
      return `Process ${process} acquired the lock${at}`;
    case 'release':
      return `Process ${process} released the lock${at}`;
    default:
      return `Process ${process} was told that its ${f}${what === '' ? '' : ` of${what}`}${at} had happened`;
  }
}

function atKey(key: string): string {
  return key === '' ? '' : ` at key ${JSON.stringify(key)}`;
}

function written(operation: Operation): string {
  return canonical(operation.f === 'cas' ? (operation.value as unknown[])[1] : operation.value);
}

function shown(value: string): string {
  return value === 'null' ? 'no value' : value;
}
