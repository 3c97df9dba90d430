/**
 * The replicated session table: which proposals of which boot of which member are part of the state (Raft paper §8;
 * PITFALLS R21, R27). It is part of the state machine, so every member decides alike and no clock is asked.
 */
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { Origin } from './replica.ts';

/** How far above the floor a sequence may be: bounds the memory of one session. */
export const SESSION_WINDOW = 1 << 20;

interface Session {
  boot: number;
  /** Every sequence up to this one is admitted already, or settled at its member and refused for ever. */
  floor: number;
  /** Admitted sequences above the floor: arrivals reorder, so there are gaps. Never holds `floor + 1`. */
  readonly window: Set<number>;
}

export class SessionTable {
  #sessions = new Map<number, Session>();

  /** True: a new proposal, now recorded; execute it. False: a repeat, or of an expired session; do nothing. */
  admit(origin: Origin): boolean {
    const { member, boot, sequence, acknowledgedThrough } = origin;
    // A proposal that its own member calls settled has no one to answer to.
    if (sequence < 1 || acknowledgedThrough >= sequence) return false;
    const known = this.#sessions.get(member);
    if (known !== undefined && boot < known.boot) return false;
    const session = known?.boot === boot ? known : { boot, floor: 0, window: new Set<number>() };
    const floor = Math.max(session.floor, acknowledgedThrough);
    if (sequence <= floor || sequence > floor + SESSION_WINDOW || session.window.has(sequence)) return false;
    this.#sessions.set(member, session);
    session.window.add(sequence);
    raise(session, floor);
    assert(this.contains(member, boot, sequence), 'an admitted proposal is contained');
    return true;
  }

  contains(member: number, boot: number, sequence: number): boolean {
    const session = this.#sessions.get(member);
    if (session === undefined || session.boot !== boot) return false;
    return sequence >= 1 && (sequence <= session.floor || session.window.has(sequence));
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#sessions.size);
    for (const member of ascending(this.#sessions.keys())) {
      const session = this.#sessions.get(member);
      assert(session !== undefined, 'a listed session exists');
      writer.varint(member);
      writer.varint(session.boot);
      writer.varint(session.floor);
      writer.varint(session.window.size);
      for (const sequence of ascending(session.window)) writer.varint(sequence);
    }
  }

  load(reader: ByteReader): void {
    const sessions = new Map<number, Session>();
    const size = reader.varint();
    for (let i = 0; i < size; i++) {
      const member = reader.varint();
      const session: Session = { boot: reader.varint(), floor: reader.varint(), window: new Set() };
      const windowSize = reader.varint();
      let previous = session.floor + 1;
      for (let j = 0; j < windowSize; j++) {
        const sequence = reader.varint();
        if (sequence <= previous) throw disordered();
        session.window.add(sequence);
        previous = sequence;
      }
      if (sessions.has(member)) throw disordered();
      sessions.set(member, session);
    }
    this.#sessions = sessions;
  }
}

/** Also walks over what is contiguous, so that equal sets of admitted sequences have one representation. */
function raise(session: Session, floor: number): void {
  if (floor > session.floor) {
    session.floor = floor;
    for (const sequence of session.window) if (sequence <= floor) session.window.delete(sequence);
  }
  while (session.window.delete(session.floor + 1)) session.floor++;
}

function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

function disordered(): PolderError {
  return new PolderError('MalformedBytes', "the session table is out of order: it is not of this version's format");
}
