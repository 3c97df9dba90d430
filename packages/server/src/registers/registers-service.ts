/** A member's registers: a log, a channel and a clock of their own, and promises over a host that knows none. */
import { join } from 'node:path';
import {
  type HostStatus,
  REGISTER_TIMING,
  type RegisterOutcome,
  type RegisterRequest,
  RegistersHost,
  type RegisterTiming,
} from '@polder/core/registers';
import { FileDisk } from '../disk/index.ts';
import type { Host } from '../embedding/index.ts';
import { MemoryDisk } from '../embedding/memory-disk.ts';
import { RealWorld } from '../world/index.ts';
import { RegisterError } from './error.ts';
import { formatTag } from './tag.ts';

/** Of the frames between members. The replica's is 0. */
const CHANNEL = 1;
const DIRECTORY = 'registers';

type Answer = Exclude<RegisterOutcome, { type: 'NotApplied' | 'Unknown' }>;

interface Waiting {
  readonly writes: boolean;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/** What it stands on. */
export type RegistersGround = Pick<Host<never, never, never, never>, 'options' | 'openChannel' | 'onClose' | 'fail'>;

/** An idle store is to cost little: what hints do not bring is fetched within a second, and all is audited once a minute. */
const TIMING: RegisterTiming = { ...REGISTER_TIMING, exchangeUs: 1_000_000, auditUs: 60_000_000 };

export class RegistersService {
  readonly #world: RealWorld;
  readonly #host: RegistersHost;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #stopped = false;
  #open: ((error: Error | null) => void) | null = null;

  private constructor(ground: RegistersGround, disk: FileDisk | MemoryDisk) {
    const { self, members } = ground.options;
    const network = ground.openChannel(CHANNEL, (from, directory, frame) =>
      this.#world.onFrame(from, directory, frame),
    );
    const fail = (error: unknown): void => {
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#open?.(reason);
      ground.fail(reason);
    };
    this.#world = new RealWorld({ network, disk, onFailure: fail });
    this.#host = new RegistersHost({
      member: self.id,
      members: members.map(({ id }) => id),
      directory: disk.identity.directory,
      world: this.#world,
      timing: TIMING,
      onAnswer: (id, outcome) => this.#onAnswer(id, outcome),
      onStopped: fail,
    });
    this.#world.attach({
      onFrame: (from, frame) => this.#host.onFrame(from, frame),
      onDisk: (token, result) => this.#host.onDisk(token, result),
      onWake: () => this.#host.onWake(),
      onUnreachable: () => {},
      turn: () => this.#turn(),
    });
    ground.onClose(async () => {
      this.#stop();
      await disk.close();
    });
  }

  /** Resolves once its log is read. Throws what `FileDisk.open` throws, `CorruptLog` and `DiskError`. */
  static async start(ground: RegistersGround): Promise<RegistersService> {
    const { dataDirectory, cluster, self } = ground.options;
    const owner = { cluster, member: self.name };
    const disk =
      dataDirectory === undefined ? new MemoryDisk() : await FileDisk.open(join(dataDirectory, DIRECTORY), owner);
    const service = new RegistersService(ground, disk);
    const opened = new Promise<Error | null>((resolve) => {
      service.#open = resolve;
    });
    service.#world.run(() => service.#host.start());
    const error = await opened;
    service.#open = null;
    if (error !== null) throw error;
    return service;
  }

  /** Throws `RegisterError`. The host keeps the time; a signal cancels what can be. */
  ask(request: RegisterRequest, signal: AbortSignal | undefined): Promise<Answer> {
    if (this.#stopped) return Promise.reject(new RegisterError('Stopped', 'notApplied'));
    if (signal?.aborted === true) return Promise.reject(new RegisterError('Cancelled', 'notApplied'));
    const id = ++this.#lastId;
    const cancel = (): void => {
      this.#host.cancel(id);
      this.#world.schedule();
    };
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, { writes: request.type === 'write', resolve, reject });
    });
    signal?.addEventListener('abort', cancel, { once: true });
    this.#host.request(id, request);
    this.#world.schedule();
    return answered.finally(() => signal?.removeEventListener('abort', cancel));
  }

  status(): HostStatus {
    return this.#host.status();
  }

  #turn(): void {
    this.#host.turn();
    if (this.#open !== null && this.#host.status().phase === 'running') this.#open(null);
  }

  #onAnswer(id: number, outcome: RegisterOutcome): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (outcome.type === 'NotApplied') {
      const { code, reached } = outcome;
      return waiting?.reject(new RegisterError(code, 'notApplied', { reached }));
    }
    if (outcome.type === 'Unknown') {
      const { code, reached, tag } = outcome;
      const text = tag === null ? null : formatTag(tag);
      return waiting?.reject(new RegisterError(code, 'unknown', { reached, tag: text }));
    }
    waiting?.resolve(outcome);
  }

  #stop(): void {
    this.#stopped = true;
    this.#world.stop();
    this.#open?.(new RegisterError('Stopped', 'notApplied'));
    for (const { writes, reject } of this.#waiting.values()) {
      reject(new RegisterError('Stopped', writes ? 'unknown' : 'notApplied'));
    }
    this.#waiting.clear();
  }
}
