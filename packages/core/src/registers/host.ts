/**
 * Runs one replica over a World and a log, one batch at a time, as the driver does for Raft's: events, effects, one
 * group of records, one sync, then what waited for its mark.
 */
import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { LogRecord, Mark } from '../consensus/replica.ts';
import { Log, type LogRules, readLogRecord, writeRecord } from '../log/index.ts';
import type { DiskOperation, DiskResult, World } from '../world/world.ts';
import type { RegisterEffect, RegisterEvent } from './effects.ts';
import { type RegisterMessage, readRegisterMessage, writeRegisterMessage } from './message.ts';
import type { RegistersOptions } from './options.ts';
import { decodeRegisterRecord, encodeRegisterRecord } from './record.ts';
import { configurationId, Registers, type RegistersStatus } from './replica.ts';
import {
  notApplied,
  type RegisterOutcome,
  type RegisterRequest,
  readRegisterRequest,
  writeRegisterRequest,
} from './request.ts';
import type { Tag } from './version.ts';

export interface RegistersHostOptions extends RegistersOptions {
  readonly world: World;
  readonly onAnswer: (id: number, outcome: RegisterOutcome) => void;
  /** The member must stop: its disk, or its own reasoning, can no longer be trusted. */
  readonly onStopped: (error: Error) => void;
  readonly segmentBytes?: number;
  /** For the zoo. */
  readonly logRules?: LogRules;
}

type Input =
  | { readonly type: 'frame'; readonly from: number; readonly frame: Uint8Array }
  | { readonly type: 'disk'; readonly token: number; readonly result: DiskResult }
  | { readonly type: 'wake' }
  | { readonly type: 'request'; readonly id: number; readonly request: RegisterRequest }
  | { readonly type: 'cancel'; readonly id: number };

export type HostStatus = RegistersStatus & {
  readonly phase: 'opening' | 'running' | 'stopped';
  readonly malformedFrames: number;
};

/** The records of registers stand in the log as entries of one term. */
const TERM = 1;

export class RegistersHost {
  readonly #options: RegistersHostOptions;
  readonly #replica: Registers;
  readonly #log: Log;
  readonly #configuration: number;
  #inbox: Input[] = [];
  #effects: RegisterEffect[] = [];
  #phase: HostStatus['phase'] = 'opening';
  #nextToken = 1;
  #index = 0;
  #persisted: Mark = 0;
  #group: { records: LogRecord[]; mark: Mark } = { records: [], mark: 0 };
  #writing = false;
  /** Messages that wait for their mark. */
  #held: { to: number; frame: Uint8Array; after: Mark }[] = [];
  #malformed = 0;

  constructor(options: RegistersHostOptions) {
    this.#options = options;
    const { segmentBytes, logRules } = options;
    this.#log = new Log({
      submit: (operation) => this.#submit(operation),
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(logRules === undefined ? {} : { rules: logRules }),
    });
    this.#configuration = configurationId(options.members);
    this.#replica = new Registers(options, { put: (effect) => this.#effects.push(effect) });
  }

  start(): void {
    this.#log.open();
  }

  onFrame(from: number, frame: Uint8Array): void {
    this.#inbox.push({ type: 'frame', from, frame });
  }

  onDisk(token: number, result: DiskResult): void {
    this.#inbox.push({ type: 'disk', token, result });
  }

  onWake(): void {
    this.#inbox.push({ type: 'wake' });
  }

  /** Answered through `onAnswer` under the same id, once. */
  request(id: number, request: RegisterRequest): void {
    this.#inbox.push({ type: 'request', id, request });
  }

  cancel(id: number): void {
    this.#inbox.push({ type: 'cancel', id });
  }

  status(): HostStatus {
    return { ...this.#replica.status(), phase: this.#phase, malformedFrames: this.#malformed };
  }

  /** Something came in during the turn, and waits for the next. */
  get waiting(): boolean {
    return this.#inbox.length > 0;
  }

  digest(): Uint8Array {
    return this.#replica.digest();
  }

  /** The highest tag that this key has or had here, as far as is known. */
  highestTag(key: string): Tag | null {
    return this.#replica.highestTag(key);
  }

  turn(): void {
    if (this.#phase === 'stopped') return;
    const inputs = this.#inbox;
    this.#inbox = [];
    try {
      for (const input of inputs) this.#onInput(input);
      if (this.#phase !== 'running') return;
      this.#drain();
      this.#write();
      this.#options.world.clock.wakeAt(this.#replica.deadlineUs());
    } catch (error) {
      this.#phase = 'stopped';
      this.#options.onStopped(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onInput(input: Input): void {
    if (input.type === 'disk') return this.#onDiskResult(input.token, input.result);
    if (input.type === 'request') {
      if (this.#phase === 'running') return this.#step(input);
      return this.#options.onAnswer(input.id, notApplied('Starting'));
    }
    // Before the log is open nothing is known, and nothing can be promised.
    if (this.#phase !== 'running') return;
    if (input.type === 'frame') this.#onPeerFrame(input.from, input.frame);
    else this.#step(input.type === 'wake' ? { type: 'tick' } : input);
  }

  #onPeerFrame(from: number, frame: Uint8Array): void {
    let decoded: { configuration: number; directory: number; addressee: number; message: RegisterMessage };
    try {
      const reader = new ByteReader(frame);
      const [configuration, directory, addressee] = [reader.u32(), reader.varint(), reader.varint()];
      decoded = { configuration, directory, addressee, message: readRegisterMessage(reader) };
      reader.end();
    } catch (error) {
      if (!(error instanceof PolderError)) throw error;
      this.#malformed++;
      return;
    }
    const { configuration, ...received } = decoded;
    if (configuration === this.#configuration) this.#step({ type: 'receive', from, ...received });
  }

  #step(event: RegisterEvent): void {
    const { clock } = this.#options.world;
    this.#replica.step({ monotonicUs: clock.monotonicUs(), wallMs: clock.wallMs() }, event);
  }

  #drain(): void {
    while (this.#effects.length > 0) {
      const effects = this.#effects;
      this.#effects = [];
      for (const effect of effects) this.#onEffect(effect);
    }
  }

  #onEffect(effect: RegisterEffect): void {
    switch (effect.type) {
      case 'send': {
        const writer = new ByteWriter();
        writer.u32(this.#configuration);
        writer.varint(this.#options.directory);
        writer.varint(effect.addressee);
        writeRegisterMessage(writer, effect.message);
        const frame = writer.finish();
        if (effect.after > this.#persisted) this.#held.push({ to: effect.to, frame, after: effect.after });
        else this.#options.world.network.send(effect.to, frame);
        return;
      }
      case 'persist': {
        const entry = { term: TERM, index: ++this.#index, origin: null, command: encodeRegisterRecord(effect.record) };
        this.#group.records.push({ type: 'entry', entry });
        this.#group.mark = effect.mark;
        return;
      }
      case 'answer':
        assert(effect.after <= this.#persisted, 'an answer is given when what it says is durable');
        return this.#options.onAnswer(effect.id, effect.outcome);
      default:
        effect satisfies never;
    }
  }

  #write(): void {
    if (this.#log.busy || this.#writing || this.#group.records.length === 0) return;
    this.#writing = true;
    const { records, mark } = this.#group;
    this.#group = { records: [], mark };
    this.#log.write(records, mark);
  }

  #onDiskResult(token: number, result: DiskResult): void {
    if (!this.#log.onDisk(token, result)) return;
    if (this.#log.failure !== null) throw this.#log.failure;
    if (this.#phase === 'opening') return this.#onLogProgress();
    if (!this.#writing || this.#log.busy) return;
    this.#writing = false;
    this.#persisted = this.#log.persisted;
    const held = this.#held;
    this.#held = held.filter(({ after }) => after > this.#persisted);
    for (const { to, frame, after } of held) {
      if (after <= this.#persisted) this.#options.world.network.send(to, frame);
    }
    this.#step({ type: 'persisted', mark: this.#persisted });
  }

  #onLogProgress(): void {
    const { recovered, state } = this.#log;
    if (state !== 'open' || recovered === null) return;
    const records = recovered.entries.map(({ command }) => decodeRegisterRecord(command));
    this.#index = recovered.entries.length;
    this.#phase = 'running';
    this.#log.releaseRecovered();
    this.#step({ type: 'start', boot: recovered.boot, records });
  }

  #submit(operation: DiskOperation): number {
    const token = this.#nextToken++;
    this.#options.world.disk.submit(token, operation);
    return token;
  }

  /** Between turns. */
  save(writer: ByteWriter): void {
    this.#replica.save(writer);
    this.#log.save(writer);
    writer.u8(['opening', 'running', 'stopped'].indexOf(this.#phase));
    for (const count of [this.#nextToken, this.#index, this.#persisted, this.#group.mark, this.#malformed])
      writer.varint(count);
    writeList(writer, this.#group.records, writeRecord);
    writer.bool(this.#writing);
    writeList(writer, this.#held, (to, held) => {
      to.varint(held.to);
      to.bytes(held.frame);
      to.varint(held.after);
    });
    writeList(writer, this.#inbox, writeInput);
  }

  load(reader: ByteReader): void {
    this.#replica.load(reader);
    this.#log.load(reader);
    this.#phase = (['opening', 'running', 'stopped'] as const)[reader.u8()] ?? 'stopped';
    this.#nextToken = reader.varint();
    this.#index = reader.varint();
    this.#persisted = reader.varint();
    const mark = reader.varint();
    this.#malformed = reader.varint();
    this.#group = { records: readList(reader, readLogRecord), mark };
    this.#writing = reader.bool();
    this.#held = readList(reader, (from) => ({ to: from.varint(), frame: from.bytes(), after: from.varint() }));
    this.#inbox = readList(reader, readInput);
  }
}

function writeInput(writer: ByteWriter, input: Input): void {
  // Between turns only requests and cancellations can wait: they come from the same thread.
  assert(input.type === 'request' || input.type === 'cancel', 'what the world brings is handled in its turn');
  writer.bool(input.type === 'request');
  writer.varint(input.id);
  if (input.type === 'request') writeRegisterRequest(writer, input.request);
}

function readInput(reader: ByteReader): Input {
  const isRequest = reader.bool();
  const id = reader.varint();
  return isRequest ? { type: 'request', id, request: readRegisterRequest(reader) } : { type: 'cancel', id };
}
