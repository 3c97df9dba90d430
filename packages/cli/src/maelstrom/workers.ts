import type { Invocation, Operation } from './operation.ts';
import type { Recorder } from './recorder.ts';
import type { RpcClient } from './rpc-client.ts';
import type { SeededStream } from './seeded-stream.ts';
import { type Call, type Session, type Workload, WrongReply } from './workloads/workload.ts';

export interface WorkersOptions {
  readonly count: number;
  readonly nodes: readonly string[];
  readonly workload: Workload;
  readonly recorder: Recorder;
  /** Decides which of the free workers comes next. */
  readonly stream: SeededStream;
  readonly connect: () => RpcClient;
  readonly onWrongReply: (node: string, problem: string) => void;
}

interface Worker {
  readonly index: number;
  readonly node: string;
  process: number;
  client: RpcClient;
  session: Session;
}

/** The clients that do the workload's operations, one at a time each, spread over the nodes. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #workers: readonly Worker[];
  readonly #free: Worker[];
  readonly #underWay = new Set<Promise<void>>();
  #wakeOnFree: (() => void) | null = null;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.count }, (_, index) => {
      const node = options.nodes[index % options.nodes.length] ?? '';
      return { index, node, process: index, ...this.#connection(node) };
    });
    this.#free = [...this.#workers];
  }

  /** Starts the workload's next operation on a free worker; false when all are busy. */
  startNext(): boolean {
    const [worker] = this.#free.splice(this.#options.stream.below(this.#free.length), 1);
    if (worker === undefined) return false;
    const done = this.#perform(worker, this.#options.workload.next(worker.index), false).then(() => {
      this.#underWay.delete(done);
      this.#free.push(worker);
      this.#wakeOnFree?.();
    });
    this.#underWay.add(done);
    return true;
  }

  /** Resolves when some worker is free. */
  async free(): Promise<void> {
    while (this.#free.length === 0) {
      await new Promise<void>((wake) => {
        this.#wakeOnFree = wake;
      });
    }
  }

  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Every worker does the same once. */
  async everyone(invocation: Invocation): Promise<void> {
    await Promise.all(this.#workers.map((worker) => this.#perform(worker, invocation, true)));
  }

  close(): void {
    for (const { client } of this.#workers) client.close();
  }

  async #perform(worker: Worker, invocation: Invocation, final: boolean): Promise<void> {
    const { node, process, session } = worker;
    let operation: Operation | null = null;
    try {
      operation = await this.#options.recorder.record({ process, node, final }, invocation, () =>
        session.perform(invocation),
      );
    } catch (error) {
      if (!(error instanceof WrongReply)) throw error;
      this.#options.onWrongReply(node, error.message);
    }
    // A process whose outcome is unknown may still be at it, so it never comes back; another takes its place.
    if (operation?.outcome === 'info' || operation === null) {
      worker.client.close();
      worker.process += this.#options.count;
      Object.assign(worker, this.#connection(node));
    }
  }

  #connection(node: string): { client: RpcClient; session: Session } {
    const client = this.#options.connect();
    return { client, session: this.#options.workload.session(callOf(client, node)) };
  }
}

/** Requests to one node, whose answers must have the type of the request with `_ok`. */
export function callOf(client: RpcClient, node: string): Call {
  return async (request) => {
    const reply = await client.call(node, request);
    const expected = `${request.type}_ok`;
    if (reply.type === expected) return reply;
    throw new WrongReply(
      `answered ${request.type} with ${JSON.stringify(reply)}; expected the type "${expected}" or "error"`,
    );
  };
}
