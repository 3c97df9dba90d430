import type { Invocation, Operation } from './operation.ts';
import { isDefinite, RpcError } from './protocol.ts';

/** Writes down what clients do, in the order in which it happens. */
export class Recorder {
  readonly #nowMs: () => number;
  readonly #record: (event: object) => void;
  readonly #history: Operation[] = [];
  #position = 0;

  constructor(nowMs: () => number, record: (event: object) => void = () => undefined) {
    this.#nowMs = nowMs;
    this.#record = record;
  }

  get history(): readonly Operation[] {
    return this.#history;
  }

  /** Performs and records one operation; what is thrown and is no `RpcError` is passed on. */
  async record(
    who: { readonly process: number; readonly node: string; readonly final: boolean },
    { f, value }: Invocation,
    perform: () => Promise<unknown>,
  ): Promise<Operation> {
    const invoked = { ...who, f, value, invokedAt: this.#position++, invokedMs: this.#nowMs() };
    this.#record({ time: invoked.invokedMs, process: who.process, type: 'invoke', f, value });
    let result: unknown = null;
    let error: RpcError | null = null;
    let other: Error | null = null;
    try {
      result = await perform();
    } catch (thrown) {
      if (!(thrown instanceof RpcError)) other = thrown instanceof Error ? thrown : new Error(String(thrown));
      error = thrown instanceof RpcError ? thrown : new RpcError(13, String(thrown));
    }
    const outcome = error === null ? 'ok' : isDefinite(error.code) ? 'fail' : 'info';
    const operation: Operation = {
      ...invoked,
      outcome,
      result,
      error: error === null ? null : { code: error.code, text: error.message },
      completedAt: outcome === 'info' ? Number.POSITIVE_INFINITY : this.#position++,
      completedMs: this.#nowMs(),
    };
    this.#history.push(operation);
    const { completedMs, error: said } = operation;
    this.#record({ time: completedMs, process: who.process, type: outcome, f, value, result, error: said });
    if (other !== null) throw other;
    return operation;
  }

  /** Final reads that did not pass yet count as reads like any other. */
  demoteFinals(): void {
    for (const [index, operation] of this.#history.entries()) {
      if (operation.final) this.#history[index] = { ...operation, final: false };
    }
  }
}
