/** The leaderless registers as production runs them, for the simulated world. */
import { assert } from '../../base/assert.ts';
import { ByteReader, type ByteWriter, equalBytes, text } from '../../base/bytes.ts';
import { REGISTER_MESSAGE_TYPES, type RegisterOutcome } from '../../registers/index.ts';
import type { Answer, Environment, Process, Protocol, ProtocolRun, RunContext } from '../protocol.ts';
import { RegistersInvariants } from './invariants.ts';
import { decodeAsked, encodeAsked, RegistersProcess } from './process.ts';
import type { RegistersSimulationOptions, RegistersStatusOfMember, RegistersTypes } from './types.ts';

/** A store of `members` members. */
export function registers(members: number, options: RegistersSimulationOptions = {}): Protocol<RegistersTypes> {
  return {
    name: 'registers',
    members,
    frameKinds: REGISTER_MESSAGE_TYPES,
    kindOf,
    encodeRequest: encodeAsked,
    answerOf,
    begin: (context) => new RegistersRun(options, context),
  };
}

/** Behind the configuration and two directories stands the kind. */
function kindOf(frame: Uint8Array): number {
  const reader = new ByteReader(frame);
  reader.u32();
  reader.varint();
  reader.varint();
  return reader.u8();
}

class RegistersRun implements ProtocolRun<RegistersTypes> {
  readonly #invariants: RegistersInvariants;
  readonly #options: RegistersSimulationOptions;
  readonly #processes = new Map<number, RegistersProcess>();

  constructor(options: RegistersSimulationOptions, context: RunContext) {
    this.#options = options;
    this.#invariants = new RegistersInvariants(context.violated);
  }

  createProcess(environment: Environment<RegisterOutcome>): Process<RegistersStatusOfMember> {
    const process = new RegistersProcess(environment, this.#options, this.#invariants);
    this.#processes.set(environment.member, process);
    return process;
  }

  lost(request: Uint8Array): RegisterOutcome {
    const unknown = decodeAsked(request).request.type === 'write';
    if (unknown) return { type: 'Unknown', code: 'TimedOut', reached: [], tag: null };
    return { type: 'NotApplied', code: 'TimedOut', reached: [] };
  }

  onAnswered(): void {}

  onCrashed(member: number): void {
    this.#processes.delete(member);
    this.#invariants.onDied(member);
  }

  onWiped(member: number): void {
    this.#invariants.onDamaged(member);
  }

  /** A disk that fails takes along what only it had. */
  mayStop(member: number): boolean {
    this.#invariants.onDamaged(member);
    return false;
  }

  counts(): Readonly<Record<string, number>> {
    return this.#invariants.counts();
  }

  settled(running: readonly RegistersStatusOfMember[], stateOf: (id: number) => Uint8Array | null): string | null {
    for (const { member, joined, bound, hintBacklog, underway } of running) {
      if (!joined || !bound) return `member ${member} does not take part in majorities yet`;
      if (underway > 0) return `member ${member} still serves a request`;
      if (hintBacklog > 0 && running.length === this.#processes.size) return `member ${member} still has hints`;
    }
    const [first, ...others] = running;
    if (first === undefined) return 'nobody runs';
    for (const other of others) {
      if (first.vector.compare(other.vector) !== 'equal')
        return `members ${first.member} and ${other.member} have not seen the same`;
      if (!same(stateOf(first.member), stateOf(other.member)))
        return `members ${first.member} and ${other.member} differ`;
    }
    this.#invariants.judge(running.map(({ member }) => ({ member, tagOf: (key) => this.#tagOf(member, key) })));
    return null;
  }

  #tagOf(member: number, key: string) {
    return this.#processes.get(member)?.host.highestTag(key) ?? null;
  }

  stateOf(process: Process<RegistersStatusOfMember>): Uint8Array | null {
    assert(process instanceof RegistersProcess, 'a process of this run');
    return process.host.digest();
  }

  sweep(): void {}

  save(writer: ByteWriter): void {
    this.#invariants.save(writer);
  }

  load(reader: ByteReader): void {
    this.#invariants.load(reader);
  }
}

function same(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a !== null && b !== null && equalBytes(a, b);
}

/** What clients of the simulation hear: the value as a number, and the session in hexadecimal. */
function answerOf(outcome: RegisterOutcome): Answer {
  switch (outcome.type) {
    case 'Unknown':
      return { completion: 'info', value: outcome.code };
    case 'NotApplied':
      return { completion: 'fail', value: outcome.code };
    case 'written':
      return { completion: 'ok', value: { level: outcome.level, token: hexOf(outcome.token), v: null } };
    case 'read': {
      const v = outcome.value === null ? null : Number(text(outcome.value));
      return { completion: 'ok', value: { level: outcome.level, token: hexOf(outcome.token), v } };
    }
    case 'range': {
      const v = outcome.entries.map(({ key, value }) => [key, Number(text(value))]);
      return { completion: 'ok', value: { level: outcome.level, token: hexOf(outcome.token), v } };
    }
    default:
      return outcome satisfies never;
  }
}

function hexOf(token: Uint8Array | null): string | null {
  return token === null ? null : [...token].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
