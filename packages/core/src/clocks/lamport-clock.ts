import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';

/**
 * Lamport's logical clock (CACM 21(7), 1978, IR1 and IR2): if a happened before b then time(a) < time(b). The reverse
 * does not hold; for that there is the vector clock.
 */
export class LamportClock {
  #time: number;

  /** `time` is that of the last event: 0 before the first. */
  constructor(time = 0) {
    this.#time = checked(time);
  }

  get time(): number {
    return this.#time;
  }

  /** The time of a local or send event. Throws `ClockOverflow` after 2^53 − 1. */
  tick(): number {
    if (this.#time === Number.MAX_SAFE_INTEGER) throw overflow(this.#time);
    this.#time++;
    return this.#time;
  }

  /** The time of receiving a message that was sent at `sentAt`. Throws `ClockOverflow`, and then stays as it was. */
  receive(sentAt: number): number {
    const latest = Math.max(this.#time, checked(sentAt));
    // A message that claims the last time of all would leave no time for its own receipt.
    if (latest === Number.MAX_SAFE_INTEGER) throw overflow(latest);
    this.#time = latest + 1;
    return this.#time;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#time);
  }

  load(reader: ByteReader): void {
    this.#time = reader.varint();
  }
}

function checked(time: number): number {
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw overflow(time);
}

function overflow(time: number): PolderError {
  return new PolderError(
    'ClockOverflow',
    `${time} is no Lamport time with a successor: times are integers from 0 to 2^53 − 2; ignore the message`,
  );
}
