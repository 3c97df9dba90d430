import type { Logger } from 'pino';
import type { CallWatch } from '../embedding/calls.ts';
import { Histogram, REQUEST_SECONDS } from './histogram.ts';
import { momentsOf, partsOf } from './phases.ts';
import type { Progress } from './progress.ts';
import { SlowLog } from './slow-log.ts';
import { endProposalSpan, type ProposalSpan, startProposalSpan } from './tracing.ts';

export type RequestKind = 'proposal' | 'read';

export interface RequestsOptions {
  readonly member: string;
  readonly progress: Progress;
  readonly nowUs: () => number;
  readonly wallMs: () => number;
  readonly status: () => { readonly term: number; readonly role: string };
  readonly logger: Pick<Logger, 'warn'>;
  /** Slower requests are logged; Infinity: none. */
  readonly slowRequestMs: number;
}

interface Pending {
  readonly kind: RequestKind;
  readonly receivedUs: number;
  readonly span: ProposalSpan | null;
}

interface Outcome {
  readonly index: number;
  readonly reason: string | null;
}

/** Every request from when it is received until it is answered. */
export class Requests {
  readonly seconds: Readonly<Record<RequestKind, Histogram>> = {
    proposal: new Histogram(REQUEST_SECONDS),
    read: new Histogram(REQUEST_SECONDS),
  };
  readonly failed: Record<RequestKind, number> = { proposal: 0, read: 0 };
  readonly waiting: Record<RequestKind, number> = { proposal: 0, read: 0 };
  readonly #options: RequestsOptions;
  readonly #slowUs: number;
  readonly #slowLog: SlowLog;
  readonly #pending = new Map<number, Pending>();

  constructor(options: RequestsOptions) {
    this.#options = options;
    this.#slowUs = options.slowRequestMs * 1_000;
    this.#slowLog = new SlowLog(options.logger, options.nowUs);
  }

  /** For whoever keeps those that wait. */
  watch(kind: RequestKind): CallWatch<{ readonly index: number }> {
    return {
      asked: (id) => this.asked(id, kind),
      done: (id, { index }) => this.done(id, index),
      failed: (id, code) => this.failedWith(id, code),
    };
  }

  /** Right after the driver was asked, in the caller's context; `id` is the driver's. */
  asked(id: number, kind: RequestKind): void {
    const span = kind === 'proposal' ? startProposalSpan(this.#options.wallMs) : null;
    this.#pending.set(id, { kind, receivedUs: this.#options.nowUs(), span });
    this.waiting[kind]++;
  }

  /** It was applied at `index`, or read there. */
  done(id: number, index: number): void {
    this.#end(id, { index, reason: null });
  }

  failedWith(id: number, reason: string): void {
    this.#end(id, { index: 0, reason });
  }

  /** Does nothing when the request has ended before: one that timed out may be applied later. */
  #end(id: number, outcome: Outcome): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    const { kind, receivedUs, span } = pending;
    const endedUs = this.#options.nowUs();
    this.waiting[kind]--;
    if (outcome.reason !== null) this.failed[kind]++;
    this.seconds[kind].observe((endedUs - receivedUs) / 1e6);
    if (span === null && endedUs - receivedUs < this.#slowUs) return;
    // The rest of the driver's turn comes before the answer, so it is measured when the turn is over.
    queueMicrotask(() => this.#report(id, pending, outcome, endedUs));
  }

  #report(id: number, pending: Pending, { index, reason }: Outcome, endedUs: number): void {
    const { progress, nowUs, status, member } = this.#options;
    const { kind, receivedUs, span } = pending;
    const answeredUs = nowUs();
    const { term, role } = status();
    const isProposal = kind === 'proposal';
    const life = { id, index: isProposal ? index : 0, receivedUs, appliedUs: endedUs, answeredUs };
    const moments = momentsOf(life, progress);
    if (span !== null) endProposalSpan(span, { member, index, term, leads: role === 'leader', reason, moments });
    if (answeredUs - receivedUs < this.#slowUs) return;
    this.#slowLog.write({
      kind,
      outcome: reason ?? 'done',
      totalMs: (answeredUs - receivedUs) / 1_000,
      ...(isProposal ? { partsMs: partsOf(moments) } : {}),
      ...(index > 0 ? { index } : {}),
      term,
      role,
      appliedIndex: progress.applied.position,
      committedIndex: progress.committed.position,
      durableIndex: progress.durable.position,
    });
  }
}
