import { componentsOf } from '../graph/components.ts';
import { CycleSearch } from '../graph/cycles.ts';
import { type Digraph, DigraphBuilder, type Edge } from '../graph/digraph.ts';
import { atKey, described, identityOf, shown } from '../recorded.ts';
import {
  GUARANTEES,
  type SessionGuarantee,
  type SessionPair,
  type SessionViolation,
  type VersionedOperation,
} from './model.ts';

/** Edges between values, "is not newer than"; `given` holds without a guarantee. */
const LABELS: Readonly<Record<SessionGuarantee | 'given', number>> = {
  'read-your-writes': 1,
  'monotonic-reads': 2,
  'monotonic-writes': 4,
  'writes-follow-reads': 8,
  given: 16,
};
const MAX_VISITS = 2_000_000;
const INITIAL = 0;

interface Session {
  /** The value read last, and the operation. */
  lastRead: { value: number; operation: number } | null;
  /** Each with a junction behind all values that the session wrote before. */
  readonly writes: { value: number; operation: number; behind: number }[];
  /** A junction behind all values that were read. */
  behindReads: number;
}

/**
 * A key whose values are written once each: which is newer, nobody says, but each guarantee puts values in order, and
 * a guarantee is broken when that order goes round. Exact: without a circle some order of versions keeps them all.
 */
export class ValueOrder {
  readonly #key: string;
  readonly #operations: readonly VersionedOperation[];
  readonly #guarantees: ReadonlySet<SessionGuarantee>;
  readonly #builder: DigraphBuilder;
  readonly #values = new Map<unknown, number>();
  readonly #shown: unknown[] = [null];
  readonly #violations: SessionViolation[] = [];

  constructor(key: string, operations: readonly VersionedOperation[], guarantees: ReadonlySet<SessionGuarantee>) {
    this.#key = key;
    this.#operations = operations;
    this.#guarantees = guarantees;
    this.#values.set(null, INITIAL);
    for (const operation of operations) {
      if (operation.outcome === 'fail' || operation.f === 'read') continue;
      this.#values.set(identityOf(writtenBy(operation)), this.#shown.length);
      this.#shown.push(writtenBy(operation));
    }
    this.#builder = new DigraphBuilder(this.#shown.length);
  }

  check(): SessionViolation[] {
    const sessions = new Map<number, Session>();
    const ownWrites = new Map<number, Map<number, number>>();
    for (const [at, operation] of this.#operations.entries()) {
      const { process, f, outcome } = operation;
      if (f === 'read' || outcome === 'fail') continue;
      const own = ownWrites.get(process) ?? new Map<number, number>();
      ownWrites.set(process, own.set(this.#number(writtenBy(operation)), at));
    }
    for (const [at, operation] of this.#operations.entries()) {
      const { f, outcome, process, value } = operation;
      if (outcome === 'fail' || (outcome === 'info' && f === 'read')) continue;
      const session = sessions.get(process) ?? { lastRead: null, writes: [], behindReads: -1 };
      sessions.set(process, session);
      if (f === 'read') {
        this.#read(session, this.#number(value), at, ownWrites.get(process)?.get(this.#number(value)) ?? -1);
        continue;
      }
      const written = this.#number(writtenBy(operation));
      this.#builder.addEdge(INITIAL, written, LABELS.given, -1, at);
      if (f === 'cas') {
        const old = this.#number((value as unknown[])[0]);
        if (outcome === 'ok') this.#read(session, old, at, ownWrites.get(process)?.get(old) ?? -1);
        this.#builder.addEdge(old, written, LABELS.given, at, at);
      }
      this.#write(session, written, at, outcome === 'ok');
    }
    this.#findCircles(this.#builder.build());
    return this.#violations;
  }

  #number(value: unknown): number {
    const number = this.#values.get(identityOf(value));
    return number ?? INITIAL;
  }

  /** An operation that saw what nobody else wrote; the caller looks before it checks. */
  thinAir(): VersionedOperation | null {
    const thin = this.#operations.find((operation) => {
      const { f, outcome, value } = operation;
      if (outcome !== 'ok' || f === 'write') return false;
      const saw = identityOf(f === 'cas' ? (value as unknown[])[0] : value);
      return !this.#values.has(saw) || (f === 'cas' && saw === identityOf(writtenBy(operation)));
    });
    return thin ?? null;
  }

  /** `ownWrite`: where the session itself writes the value, or -1. */
  #read(session: Session, value: number, at: number, ownWrite: number): void {
    const { lastRead, writes } = session;
    if (lastRead !== null) this.#order('monotonic-reads', lastRead.value, value, lastRead.operation, at);
    session.lastRead = { value, operation: at };
    const own = writes.findIndex((write) => write.value === value);
    for (const write of own < 0 ? writes.slice(-1) : writes.slice(own + 1)) {
      this.#order('read-your-writes', write.value, value, write.operation, at);
    }
    this.#order('read-your-writes', writes.at(own)?.behind ?? -1, value, -1, at);
    if (ownWrite >= at) this.#addFutureRead(at, ownWrite);
    else session.behindReads = this.#gather('writes-follow-reads', session.behindReads, value, at);
  }

  #write(session: Session, value: number, at: number, succeeded: boolean): void {
    const last = session.writes.at(-1);
    if (last !== undefined) this.#order('monotonic-writes', last.value, value, last.operation, at);
    this.#order('writes-follow-reads', session.behindReads, value, -1, at);
    if (!succeeded) return;
    const behind = last === undefined ? -1 : this.#gather('read-your-writes', last.behind, last.value, last.operation);
    session.writes.push({ value, operation: at, behind });
  }

  #order(guarantee: SessionGuarantee, before: number, after: number, first: number, second: number): void {
    if (before < 0 || !this.#guarantees.has(guarantee)) return;
    this.#builder.addEdge(before, after, LABELS[guarantee], first, second);
  }

  /** A junction behind what the given one holds and one value more. */
  #gather(guarantee: SessionGuarantee, junction: number, value: number, operation: number): number {
    if (!this.#guarantees.has(guarantee)) return -1;
    const next = this.#builder.addJunction();
    if (junction >= 0) this.#builder.addEdge(junction, next, LABELS[guarantee]);
    this.#builder.addEdge(value, next, LABELS[guarantee], operation);
    return next;
  }

  #addFutureRead(at: number, ownWrite: number): void {
    const [first, second] = [this.#operations[at], this.#operations[ownWrite]];
    if (first === undefined || second === undefined || !this.#guarantees.has('writes-follow-reads')) return;
    const sentence = `writes-follow-reads is broken at ${atKey(this.#key)}: ${described(first)} came before that process wrote it.`;
    const pair = { guarantee: 'writes-follow-reads', first, second } as const;
    this.#violations.push({ guarantees: ['writes-follow-reads'], key: this.#key, pairs: [pair], sentence });
  }

  #findCircles(graph: Digraph): void {
    const every = GUARANTEES.reduce((mask, guarantee) => mask | LABELS[guarantee], 0) | LABELS.given;
    const all = componentsOf(graph, every);
    if (all.cyclic.length === 0) return;
    const search = new CycleSearch(graph, MAX_VISITS);
    const told = new Set<number>();
    const look = (start: number, rest: number, lesser: boolean): void => {
      const { of, cyclic } = componentsOf(graph, start | rest, all.of);
      for (const members of cyclic) {
        if (lesser && members.some((value) => told.has(value))) continue;
        const circle = search.shortest(members, of, { start, rest: start | rest }, null);
        if (circle === null) continue;
        for (const { from } of circle) told.add(from);
        this.#violations.push(this.#explain(circle));
      }
    };
    for (const guarantee of GUARANTEES) look(LABELS[guarantee], LABELS.given, false);
    look(every, every, true);
  }

  #explain(circle: readonly Edge[]): SessionViolation {
    const pairs = circle.map(({ label, evidence: [first, second] }): SessionPair => {
      const guarantee = GUARANTEES.find((each) => LABELS[each] === label) ?? null;
      return {
        guarantee,
        first: this.#operations[first] ?? null,
        second: this.#operations[second] as VersionedOperation,
      };
    });
    const guarantees = GUARANTEES.filter((guarantee) => pairs.some((pair) => pair.guarantee === guarantee));
    const why = circle.map(({ from, to }, at) => {
      const [older, newer] = [shown(this.#shown[from]), shown(this.#shown[to])];
      return `${newer} is newer than ${older}, for ${reason(pairs[at] as SessionPair)}`;
    });
    const broken =
      guarantees.length === 1 ? `${guarantees[0]} is broken` : `${guarantees.join(' and ')} cannot both hold`;
    const start = guarantees.length === 0 ? 'the swaps contradict each other' : broken;
    const sentence = `${start} at ${atKey(this.#key)}: ${why.join('; and ')}.`;
    return { guarantees, key: this.#key, pairs, sentence };
  }
}

function reason({ guarantee, first, second }: SessionPair): string {
  if (first === null) return 'nothing comes before every write';
  if (guarantee === null) return `${described(second)} replaced the one by the other`;
  return `${described(first)} came before ${described(second)} (${guarantee})`;
}

export function writtenBy({ f, value }: VersionedOperation): unknown {
  return f === 'cas' ? (value as unknown[])[1] : value;
}
