import type { Logger } from 'pino';

/** A stalled disk makes every request slow: so many lines tell that as well as thousands. */
const LINES_PER_SECOND = 10;

export interface SlowRequest {
  readonly kind: 'proposal' | 'read';
  /** `done`, or why it failed. */
  readonly outcome: string;
  readonly totalMs: number;
  /** Of a proposal: how long after the phase before each phase came; the sum is the total. */
  readonly partsMs?: Readonly<Record<string, number>>;
  readonly index?: number;
  readonly term: number;
  readonly role: string;
  /** How far this member has come: of a request that timed out they say what it waited for. */
  readonly appliedIndex: number;
  readonly committedIndex: number;
  readonly durableIndex: number;
}

export class SlowLog {
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #nowUs: () => number;
  #secondStartedUs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #suppressed = 0;

  constructor(logger: Pick<Logger, 'warn'>, nowUs: () => number) {
    this.#logger = logger;
    this.#nowUs = nowUs;
  }

  write(request: SlowRequest): void {
    const nowUs = this.#nowUs();
    if (nowUs - this.#secondStartedUs >= 1_000_000) {
      this.#secondStartedUs = nowUs;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_PER_SECOND) {
      this.#suppressed++;
      return;
    }
    this.#lines++;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#logger.warn(suppressed === 0 ? request : { ...request, suppressed }, 'slow request');
  }
}
