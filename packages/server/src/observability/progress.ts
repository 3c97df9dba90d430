import type { Configuration, DriverObserver, RaftMessage } from '@polder/core';
import { Watermark } from './watermark.ts';

/** etcd warns of, and counts, what takes longer to apply. */
const SLOW_APPLY_US = 100_000;

export interface ProgressOptions {
  readonly member: number;
  readonly nowUs: () => number;
  readonly configuration: () => Configuration;
}

/** How far this member's log has come, phase by phase, and when. */
export class Progress implements DriverObserver<RaftMessage> {
  /** By the driver's id of a proposal; the others by index. */
  readonly proposed = new Watermark();
  readonly durable = new Watermark();
  /** Of a leader: with this member's own copy, durable or not, a majority has it. */
  readonly replicated = new Watermark();
  readonly committed = new Watermark();
  readonly applied = new Watermark();
  /** Runs of entries, applied one after the other, that took longer than 100 ms. */
  slowApplies = 0;
  readonly #options: ProgressOptions;
  /** What each peer has acknowledged in `#term`. */
  #matches = new Map<number, number>();
  #term = 0;
  #appendedIndex = 0;
  #writingIndex = 0;
  #applyingSinceUs = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  onProposed(id: number): void {
    this.proposed.reach(id, this.#options.nowUs());
  }

  onMessage(from: number, message: RaftMessage): void {
    if (message.type !== 'appended') return;
    if (message.term !== this.#term) {
      this.#term = message.term;
      this.#matches = new Map();
    }
    if (message.matchIndex <= (this.#matches.get(from) ?? 0)) return;
    this.#matches.set(from, message.matchIndex);
    this.#advanceReplicated();
  }

  onAppended(index: number): void {
    if (index <= this.#appendedIndex) {
      this.#writingIndex = Math.min(this.#writingIndex, index - 1);
      this.durable.rewind(index - 1);
      this.replicated.rewind(index - 1);
    }
    this.#appendedIndex = index;
  }

  onWriting(): void {
    this.#writingIndex = this.#appendedIndex;
  }

  onDurable(): void {
    this.durable.reach(this.#writingIndex, this.#options.nowUs());
    // Alone, a member is the majority; nobody will say so.
    if (this.#options.configuration().members.filter(({ votes }) => votes).length === 1) {
      this.replicated.reach(this.#writingIndex, this.#options.nowUs());
    }
  }

  onCommitted(index: number): void {
    this.committed.reach(index, this.#options.nowUs());
  }

  onApplying(): void {
    this.#applyingSinceUs = this.#options.nowUs();
  }

  onApplied(index: number): void {
    const nowUs = this.#options.nowUs();
    this.applied.reach(index, nowUs);
    if (nowUs - this.#applyingSinceUs > SLOW_APPLY_US) this.slowApplies++;
  }

  #advanceReplicated(): void {
    const { members, joint } = this.#options.configuration();
    const voters = members.filter(({ votes }) => votes).map(({ id }) => id);
    const oldVoters = joint ? members.filter(({ voted }) => voted).map(({ id }) => id) : voters;
    const index = Math.min(this.#storedByMajority(voters), this.#storedByMajority(oldVoters));
    this.replicated.reach(index, this.#options.nowUs());
  }

  #storedByMajority(voters: readonly number[]): number {
    const { member } = this.#options;
    const matches = voters.map((voter) => (voter === member ? this.#appendedIndex : (this.#matches.get(voter) ?? 0)));
    matches.sort((a, b) => b - a);
    return matches[Math.floor(voters.length / 2)] ?? 0;
  }
}
