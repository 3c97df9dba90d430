/** Registers over the KV service, each operation recorded with what its client could know about it. */
import type { CallFailure, MemberClient } from '../kv/member-client.ts';
import { callFailure } from '../kv/member-client.ts';
import type { OperationKind, Recorder } from './recorder.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export type OperationOutcome =
  | { readonly type: 'ok'; readonly value: string | null }
  /** It certainly had no effect. `failure` is null when a compare-and-set found another value. */
  | { readonly type: 'fail'; readonly failure: CallFailure | null }
  /** It may have happened, or may happen yet. */
  | { readonly type: 'info'; readonly failure: CallFailure };

export class RecordedClient {
  readonly #recorder: Recorder;
  #process: number;

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#process = recorder.newProcess();
  }

  read(member: MemberClient, key: string, timeoutMs: number): Promise<OperationOutcome> {
    return this.#record('read', key, null, async () => {
      const [found] = (await member.range(encoder.encode(key), {}, timeoutMs)).kvs;
      return { type: 'ok', value: found === undefined ? null : decoder.decode(found.value) };
    });
  }

  write(member: MemberClient, key: string, value: string, timeoutMs: number): Promise<OperationOutcome> {
    return this.#record('write', key, value, async () => {
      await member.put(encoder.encode(key), encoder.encode(value), timeoutMs);
      return { type: 'ok', value };
    });
  }

  cas(member: MemberClient, key: string, old: string, next: string, timeoutMs: number): Promise<OperationOutcome> {
    return this.#record('cas', key, [old, next], async () => {
      const done = await member.compareAndSet(
        encoder.encode(key),
        encoder.encode(old),
        encoder.encode(next),
        timeoutMs,
      );
      return done ? { type: 'ok', value: next } : { type: 'fail', failure: null };
    });
  }

  async #record(
    f: OperationKind,
    key: string,
    value: unknown,
    operate: () => Promise<OperationOutcome>,
  ): Promise<OperationOutcome> {
    const process = this.#process;
    this.#recorder.record(process, 'invoke', f, key, value);
    let outcome: OperationOutcome;
    try {
      outcome = await operate();
    } catch (error) {
      outcome = outcomeOfFailure(f, callFailure(error));
    }
    const result = f === 'read' && outcome.type === 'ok' ? outcome.value : value;
    this.#recorder.record(process, outcome.type, f, key, result);
    if (outcome.type === 'info') this.#process = this.#recorder.newProcess();
    return outcome;
  }
}

/** R23: a write that timed out, or whose member died, is unknown; a read without an answer changed nothing. */
export function outcomeOfFailure(f: OperationKind, failure: CallFailure): OperationOutcome {
  return f === 'read' || failure.refused ? { type: 'fail', failure } : { type: 'info', failure };
}
