import { type Network } from './network/network.ts';
import { type Body, type Message, RpcError } from './protocol.ts';

export interface RpcClientOptions {
  readonly id: string;
  readonly network: Network;
  readonly timeoutMs: number;
  /** Called when a node answers in a way that no late or repeated answer explains. */
  readonly onWrongMessage: (node: string, problem: string) => void;
}

interface Waiting {
  readonly settle: (reply: Body) => void;
  readonly give: (error: RpcError) => void;
  readonly timer: NodeJS.Timeout;
}

/** A client of the network: one request, one answer. */
export class RpcClient {
  readonly #options: RpcClientOptions;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #closed = false;

  constructor(options: RpcClientOptions) {
    this.#options = options;
    options.network.attach(options.id, (message) => this.#receive(message));
  }

  get id(): string {
    return this.#options.id;
  }

  /** The answer's body. Throws `RpcError`: the node's own error, or code 0 when no answer came in time. */
  call(dest: string, request: Body, timeoutMs: number = this.#options.timeoutMs): Promise<Body> {
    if (this.#closed) return Promise.reject(new RpcError(0, 'the run is over'));
    const id = ++this.#lastId;
    return new Promise((settle, give) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        give(new RpcError(0, `${dest} did not answer ${request.type} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(id, { settle, give, timer });
      this.#options.network.send({ src: this.id, dest, body: { ...request, msg_id: id } });
    });
  }

  /** Requests without an answer are given up: nobody knows what became of them. */
  close(): void {
    this.#closed = true;
    this.#options.network.detach(this.id);
    for (const { give, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      give(new RpcError(0, 'the run ended before an answer came'));
    }
    this.#waiting.clear();
  }

  #receive({ src, body }: Message): void {
    const id = body.in_reply_to;
    if (id === undefined) {
      const expected = 'expected in_reply_to with the msg_id of the request';
      this.#options.onWrongMessage(src, `sent ${body.type} to client ${this.id} without saying to what; ${expected}`);
      return;
    }
    if (id < 1 || id > this.#lastId) {
      this.#options.onWrongMessage(src, `answered request ${id} of client ${this.id}, which never made it`);
      return;
    }
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    if (body.type === 'error') waiting.give(errorOf(body));
    else waiting.settle(body);
  }
}

function errorOf(body: Body): RpcError {
  const code = typeof body['code'] === 'number' ? body['code'] : 13;
  return new RpcError(code, typeof body['text'] === 'string' ? body['text'] : '');
}
