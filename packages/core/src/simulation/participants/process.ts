import { assert } from '../../base/assert.ts';
import { type ByteReader, type ByteWriter, text, utf8 } from '../../base/bytes.ts';
import type { DiskResult } from '../../world/world.ts';
import type { Answer, Environment, Process } from '../protocol.ts';
import type { Intent } from '../workloads/workload.ts';
import type { Message, Participant, ParticipantsOptions, Self } from './participant.ts';
import { Storage } from './storage.ts';

export interface ParticipantStatus {
  readonly member: number;
  readonly leads: boolean;
  readonly state: unknown;
}

const DRAW = 1;

/** One life of a participant: bytes become messages, one wake-up many timers, a file durable values. */
export class ParticipantProcess<M extends Message, State> implements Process<ParticipantStatus> {
  readonly #environment: Environment<Answer>;
  readonly #options: ParticipantsOptions<M, State>;
  readonly #participant: Participant<M>;
  readonly #storage: Storage;
  /** By name: when it is due, by the member's own clock. */
  #timers = new Map<string, number>();
  #lastToken = 0;

  constructor(environment: Environment<Answer>, options: ParticipantsOptions<M, State>) {
    this.#environment = environment;
    this.#options = options;
    this.#participant = options.create(this.#self());
    this.#storage = new Storage({
      submit: (operation) => environment.world.disk.submit(++this.#lastToken, operation),
      onOpen: (stored) => this.#participant.onStart(stored),
      onStored: (name) => this.#participant.onStored?.(name),
    });
  }

  start(): void {
    this.#storage.open();
  }

  onFrame(from: number, frame: Uint8Array): void {
    // Whoever has not read its values yet hears nothing.
    if (this.#storage.isOpen) this.#participant.onMessage(from, JSON.parse(text(frame.subarray(1))));
  }

  onDisk(_token: number, result: DiskResult): void {
    try {
      this.#storage.onDisk(result);
    } catch (error) {
      this.#environment.stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onWake(): void {
    const nowUs = this.#environment.world.clock.monotonicUs();
    const due = [...this.#timers].filter(([, atUs]) => atUs <= nowUs).sort(([, a], [, b]) => a - b);
    for (const [name, atUs] of due) {
      // An earlier one may have set it anew, or cancelled it.
      if (this.#timers.get(name) !== atUs) continue;
      this.#timers.delete(name);
      this.#participant.onTimer?.(name);
    }
  }

  onRequest(id: number, request: Uint8Array): void {
    const operation: Intent = JSON.parse(text(request));
    if (this.#storage.isOpen) this.#participant.onOperation(id, operation);
    else this.#environment.answer(id, { completion: 'fail', value: 'starting' });
  }

  onControl(): void {}

  turn(): void {
    const next = Math.min(Number.POSITIVE_INFINITY, ...this.#timers.values());
    this.#environment.world.clock.wakeAt(next);
  }

  status(): ParticipantStatus {
    const { state } = this.#participant;
    const leads = this.#options.leads?.(state as State) ?? false;
    return { member: this.#environment.member, leads, state };
  }

  stateBytes(): Uint8Array {
    return utf8(JSON.stringify(this.#participant.state));
  }

  save(writer: ByteWriter): void {
    writer.string(JSON.stringify(this.#participant.state));
    writer.string(JSON.stringify([...this.#timers]));
    writer.varint(this.#lastToken);
    this.#storage.save(writer);
  }

  load(reader: ByteReader): void {
    this.#participant.state = JSON.parse(reader.string());
    this.#timers = new Map(JSON.parse(reader.string()));
    this.#lastToken = reader.varint();
    this.#storage.load(reader);
  }

  #self(): Self<M> {
    const { member, members, world, answer } = this.#environment;
    const { clock, network, random } = world;
    const send = (to: number, message: M): void => network.send(to, this.#encode(message));
    return {
      member,
      members,
      send,
      broadcast: (message) => {
        for (const to of members) if (to !== member) send(to, message);
      },
      setTimer: (name, afterUs) => {
        assert(Number.isSafeInteger(afterUs) && afterUs >= 0, 'a timer is set for an integer number of microseconds');
        this.#timers.set(name, clock.monotonicUs() + afterUs);
      },
      cancelTimer: (name) => this.#timers.delete(name),
      answer,
      ok: (id, value) => answer(id, { completion: 'ok', value }),
      fail: (id, value) => answer(id, { completion: 'fail', value }),
      store: (name, value) => this.#storage.store(name, value),
      draw: (bound) => random.below(DRAW, bound),
      nowUs: () => clock.monotonicUs(),
      wallMs: () => clock.wallMs(),
    };
  }

  /** One byte for the type, then the message as JSON. */
  #encode(message: M): Uint8Array {
    const kind = this.#options.messages.indexOf(message.type);
    assert(kind >= 0, 'every type of message is listed in `messages`');
    const json = utf8(JSON.stringify(message));
    const frame = new Uint8Array(1 + json.length);
    frame[0] = kind;
    frame.set(json, 1);
    return frame;
  }
}
