/**
 * The peer: the search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with the memory of Lowe's
 * improvement, as Porcupine and Knossos have it, written plainly for one register.
 */
import { type HistoryEvent, pairOperations } from '@polder/core';

interface Node {
  readonly operation: number;
  readonly returns: boolean;
  previous: Node | null;
  next: Node | null;
  /** Of an invocation: its return. */
  match: Node | null;
}

/** null: gave up after so many steps. */
export function wingGong(history: readonly HistoryEvent[], maxSteps: number): boolean | null {
  const operations = pairOperations(history).filter(
    ({ outcome, f }) => outcome !== 'fail' && !(outcome === 'info' && f === 'read'),
  );
  const events: { at: number; operation: number; returns: boolean }[] = [];
  for (const [operation, { invokedAt, completedAt }] of operations.entries()) {
    events.push({ at: invokedAt, operation, returns: false }, { at: completedAt, operation, returns: true });
  }
  events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.operation - b.operation));
  const head: Node = { operation: -1, returns: false, previous: null, next: null, match: null };
  const invocations: Node[] = [];
  let last = head;
  for (const { operation, returns } of events) {
    const node: Node = { operation, returns, previous: last, next: null, match: null };
    if (returns) (invocations[operation] as Node).match = node;
    else invocations[operation] = node;
    last.next = node;
    last = node;
  }
  let missing = operations.filter(({ outcome }) => outcome === 'ok').length;
  let state: unknown = null;
  let linearized = 0n;
  const seen = new Set<string>();
  const stack: { node: Node; state: unknown }[] = [];
  let node = head.next;
  for (let steps = 0; missing > 0; steps++) {
    if (steps > maxSteps) return null;
    if (node !== null && !node.returns) {
      const operation = operations[node.operation];
      if (operation === undefined) return null;
      const next = step(state, operation.f, operation.value);
      const bits = linearized | (1n << BigInt(node.operation));
      const name = `${JSON.stringify(next)} ${bits.toString(36)}`;
      if (next === undefined || seen.has(name)) {
        node = node.next;
        continue;
      }
      seen.add(name);
      stack.push({ node, state });
      state = next;
      linearized = bits;
      if (operation.outcome === 'ok') missing--;
      lift(node);
      node = head.next;
      continue;
    }
    const back = stack.pop();
    if (back === undefined) return false;
    unlift(back.node);
    if (operations[back.node.operation]?.outcome === 'ok') missing++;
    linearized &= ~(1n << BigInt(back.node.operation));
    state = back.state;
    node = back.node.next;
  }
  return true;
}

function step(state: unknown, f: string, value: unknown): unknown {
  if (f === 'read') return value === state ? state : undefined;
  if (f === 'write') return value;
  const [old, next] = value as [unknown, unknown];
  return old === state ? next : undefined;
}

function lift(node: Node): void {
  for (const each of [node, node.match as Node]) {
    if (each.previous !== null) each.previous.next = each.next;
    if (each.next !== null) each.next.previous = each.previous;
  }
}

function unlift(node: Node): void {
  for (const each of [node.match as Node, node]) {
    if (each.previous !== null) each.previous.next = each;
    if (each.next !== null) each.next.previous = each;
  }
}
