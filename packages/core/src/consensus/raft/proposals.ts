import { assert } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { Origin } from '../replica.ts';
import type { Proposal } from './message.ts';

const PENDING_MAX = 8192;
const FORWARD_PROPOSALS_MAX = 1024;
const FORWARD_BYTES_MAX = 1024 * 1024;

interface Pending {
  readonly sequence: number;
  readonly command: Uint8Array;
  readonly deadlineUs: number;
  /** It has left this member, or entered its log: from then on its fate may be unknown. */
  sent: boolean;
  /** When to send it (again). */
  sendUs: number;
}

/**
 * The proposals that came in at this member and have no outcome yet, oldest first. They are sent again until they
 * come back through the log; the session table of the state machine drops the repeats (PITFALLS R27).
 */
export class Proposals {
  #pending = new Map<number, Pending>();
  #highest = 0;

  add(sequence: number, command: Uint8Array, nowUs: number, deadlineUs: number): boolean {
    assert(sequence > this.#highest, 'sequences count up');
    this.#highest = sequence;
    if (this.#pending.size >= PENDING_MAX) return false;
    this.#pending.set(sequence, { sequence, command, deadlineUs, sent: false, sendUs: nowUs });
    return true;
  }

  settle(sequence: number): void {
    this.#pending.delete(sequence);
  }

  /** Every sequence up to here is settled for good. */
  get acknowledgedThrough(): number {
    for (const sequence of this.#pending.keys()) return sequence - 1;
    return this.#highest;
  }

  due(nowUs: number): Pending[] {
    const due: Pending[] = [];
    for (const pending of this.#pending.values()) if (pending.sendUs <= nowUs) due.push(pending);
    return due;
  }

  onSent(pending: Pending, againUs: number): void {
    pending.sent = true;
    pending.sendUs = againUs;
  }

  /** Messages for the leader, each bounded in number and size; sent again at `againUs` if they do not come back. */
  forwards(due: readonly Pending[], originOf: (sequence: number) => Origin, againUs: number): Proposal[][] {
    const messages: Proposal[][] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const pending of due) {
      const full = bytes >= FORWARD_BYTES_MAX || (messages.at(-1)?.length ?? 0) >= FORWARD_PROPOSALS_MAX;
      if (full) {
        messages.push([]);
        bytes = 0;
      }
      messages.at(-1)?.push({ origin: originOf(pending.sequence), command: pending.command });
      bytes += pending.command.length;
      this.onSent(pending, againUs);
    }
    return messages;
  }

  /** The leader changed: what was under way may be lost. */
  sendAgain(): void {
    for (const pending of this.#pending.values()) pending.sendUs = 0;
  }

  /** Takes out those whose time is over; one that never left certainly did not happen (PITFALLS R23). */
  expire(nowUs: number): { sequence: number; sent: boolean }[] {
    const expired = [...this.#pending.values()].filter((pending) => pending.deadlineUs <= nowUs);
    for (const pending of expired) this.#pending.delete(pending.sequence);
    return expired;
  }

  /** Takes out those that a snapshot already contains: applied, but the result is not known here. */
  takeSettled(settled: (sequence: number) => boolean): number[] {
    const taken = [...this.#pending.keys()].filter(settled);
    for (const sequence of taken) this.#pending.delete(sequence);
    return taken;
  }

  /** `canSend`: a leader is known. */
  deadlineUs(canSend: boolean): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const pending of this.#pending.values()) {
      deadline = Math.min(deadline, pending.deadlineUs, canSend ? pending.sendUs : deadline);
    }
    return deadline;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#highest);
    writer.varint(this.#pending.size);
    for (const pending of this.#pending.values()) {
      writer.varint(pending.sequence);
      writer.bytes(pending.command);
      writer.varint(pending.deadlineUs);
      writer.bool(pending.sent);
      writer.varint(pending.sendUs);
    }
  }

  load(reader: ByteReader): void {
    this.#highest = reader.varint();
    this.#pending = new Map();
    for (let left = reader.varint(); left > 0; left--) {
      const sequence = reader.varint();
      const command = reader.bytes();
      const deadlineUs = reader.varint();
      const sent = reader.bool();
      this.#pending.set(sequence, { sequence, command, deadlineUs, sent, sendUs: reader.varint() });
    }
  }
}
