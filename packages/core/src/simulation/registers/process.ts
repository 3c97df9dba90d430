import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { readList, writeList } from '../../consensus/entry-codec.ts';
import {
  type RegisterOutcome,
  type RegisterRequest,
  RegistersHost,
  readRegisterRequest,
  writeRegisterRequest,
} from '../../registers/index.ts';
import { REGISTER_RULES } from '../../registers/rules.ts';
import type { DiskResult } from '../../world/world.ts';
import type { Environment, Process } from '../protocol.ts';
import type { RegistersInvariants } from './invariants.ts';
import {
  type AskedOfRegisters,
  QUICK_REGISTERS,
  type RegistersSimulationOptions,
  type RegistersStatusOfMember,
} from './types.ts';

interface Asked {
  readonly id: number;
  readonly request: RegisterRequest;
  readonly repeats: boolean;
}

/** One life of a member: the production replica, host and log. */
export class RegistersProcess implements Process<RegistersStatusOfMember> {
  readonly #environment: Environment<RegisterOutcome>;
  readonly #invariants: RegistersInvariants;
  readonly #host: RegistersHost;
  /** What clients wait for, by the host's id. */
  #asked = new Map<number, Asked>();
  #lastId = 0;

  constructor(
    environment: Environment<RegisterOutcome>,
    options: RegistersSimulationOptions,
    invariants: RegistersInvariants,
  ) {
    const { member, members, directory, world, stop } = environment;
    const { timing = QUICK_REGISTERS, rules, limits, buckets } = options;
    this.#environment = environment;
    this.#invariants = invariants;
    this.#host = new RegistersHost({
      member,
      members,
      directory,
      world,
      timing,
      rules: { ...REGISTER_RULES, ...rules },
      ...(limits === undefined ? {} : { limits }),
      ...(buckets === undefined ? {} : { buckets }),
      segmentBytes: 16 * 1_024,
      onAnswer: (id, outcome) => this.#onAnswer(id, outcome),
      onStopped: stop,
    });
  }

  start(): void {
    this.#host.start();
  }

  onFrame(from: number, frame: Uint8Array): void {
    this.#host.onFrame(from, frame);
  }

  onDisk(token: number, result: DiskResult): void {
    this.#host.onDisk(token, result);
  }

  onWake(): void {
    this.#host.onWake();
  }

  onRequest(id: number, bytes: Uint8Array): void {
    const { request, repeats } = decodeAsked(bytes);
    this.#ask({ id, request, repeats });
  }

  onControl(): void {}

  turn(): void {
    this.#host.turn();
    // A repetition that an answer led to is of the same moment.
    if (this.#host.waiting) this.#host.turn();
    this.#invariants.onStatus(this.#environment.member, this.#host.status());
  }

  status(): RegistersStatusOfMember {
    const status = this.#host.status();
    return { ...status, member: this.#environment.member, ready: status.joined && status.bound };
  }

  get host(): RegistersHost {
    return this.#host;
  }

  save(writer: ByteWriter): void {
    this.#host.save(writer);
    writer.varint(this.#lastId);
    writeList(writer, [...this.#asked], (to, [hostId, { id, request, repeats }]) => {
      to.varint(hostId);
      to.varint(id);
      writeRegisterRequest(to, request);
      to.bool(repeats);
    });
  }

  load(reader: ByteReader): void {
    this.#host.load(reader);
    this.#lastId = reader.varint();
    this.#asked = new Map(
      readList(reader, (from) => [
        from.varint(),
        { id: from.varint(), request: readRegisterRequest(from), repeats: from.bool() },
      ]),
    );
  }

  #ask(asked: Asked): void {
    this.#asked.set(++this.#lastId, asked);
    this.#host.request(this.#lastId, asked.request);
  }

  #onAnswer(hostId: number, outcome: RegisterOutcome): void {
    const asked = this.#asked.get(hostId);
    if (asked === undefined) return;
    this.#asked.delete(hostId);
    const { id, request, repeats } = asked;
    if (repeats && request.type === 'write' && outcome.type === 'Unknown' && outcome.tag !== null) {
      return this.#ask({ id, request: { ...request, tag: outcome.tag }, repeats: false });
    }
    this.#invariants.onAnswer(this.#environment.member, request, outcome);
    this.#environment.answer(id, outcome);
  }
}

export function encodeAsked({ request, repeats }: AskedOfRegisters): Uint8Array {
  const writer = new ByteWriter();
  writer.bool(repeats);
  writeRegisterRequest(writer, request);
  return writer.finish();
}

export function decodeAsked(bytes: Uint8Array): AskedOfRegisters {
  const reader = new ByteReader(bytes);
  const repeats = reader.bool();
  return { repeats, request: readRegisterRequest(reader) };
}
