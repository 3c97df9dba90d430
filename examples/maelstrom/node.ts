/** A Maelstrom node: messages in on stdin, messages out on stdout, one JSON object a line; logs go to stderr. */
import { createInterface } from 'node:readline';

export interface Body {
  readonly type: string;
  readonly msg_id?: number;
  readonly in_reply_to?: number;
  // What else is in a message is known to its handler only.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly [field: string]: any;
}

/** The fields of a reply; its type is the request's with `_ok`, and nothing need be said but that. */
type Reply = Readonly<Record<string, unknown>>;
type Handler = (body: Body, src: string) => Reply | Promise<Reply>;

export const ErrorCode = {
  timeout: 0,
  notSupported: 10,
  temporarilyUnavailable: 11,
  crash: 13,
  keyDoesNotExist: 20,
  preconditionFailed: 22,
  txnConflict: 30,
} as const;

/** The error that a request was answered with, or that a handler wants its request answered with. */
export class RpcError extends Error {
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

export class Node {
  /** This node's id and everybody's; known once `init` has come. */
  id = '';
  ids: readonly string[] = [];
  readonly #handlers = new Map<string, Handler>();
  readonly #waiting = new Map<number, { settle: (body: Body) => void; fail: (error: RpcError) => void }>();
  #lastId = 0;

  get peers(): string[] {
    return this.ids.filter((id) => id !== this.id);
  }

  /** Answers requests of one type: with what the handler returns, or with the error that it throws. */
  on(type: string, handler: Handler): this {
    this.#handlers.set(type, handler);
    return this;
  }

  send(dest: string, body: Body): void {
    process.stdout.write(`${JSON.stringify({ src: this.id, dest, body })}\n`);
  }

  /** Asks and waits for the answer. Throws `RpcError`: what the other answered, or `timeout` when it did not. */
  rpc(dest: string, body: Body, timeoutMs = 1_000): Promise<Body> {
    const id = ++this.#lastId;
    const answer = new Promise<Body>((settle, fail) => this.#waiting.set(id, { settle, fail }));
    const give = (): void => this.#waiting.get(id)?.fail(new RpcError(ErrorCode.timeout, `${dest} does not answer`));
    const timer = setTimeout(give, timeoutMs);
    this.send(dest, { ...body, msg_id: id });
    return answer.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
  }

  run(): void {
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => {
      const { src, body } = JSON.parse(line) as { src: string; body: Body };
      if (body.in_reply_to !== undefined) this.#answered(body.in_reply_to, body);
      else void this.#handle(src, body);
    });
    // Whoever started this node is gone; a timer must not keep it.
    lines.on('close', () => process.exit());
  }

  #answered(id: number, body: Body): void {
    const waiting = this.#waiting.get(id);
    if (body.type === 'error') waiting?.fail(new RpcError(body['code'], body['text']));
    else waiting?.settle(body);
  }

  async #handle(src: string, body: Body): Promise<void> {
    const { type, msg_id: in_reply_to } = body;
    if (type === 'init') [this.id, this.ids] = [body['node_id'], body['node_ids']];
    const handler = this.#handlers.get(type) ?? (type === 'init' ? () => ({}) : notSupported);
    let reply: Body;
    try {
      reply = { ...(await handler(body, src)), type: `${type}_ok` };
    } catch (error) {
      if (!(error instanceof RpcError)) process.stderr.write(`${type}: ${String(error)}\n`);
      reply = { type: 'error', code: error instanceof RpcError ? error.code : ErrorCode.crash, text: String(error) };
    }
    if (in_reply_to !== undefined) this.send(src, { ...reply, in_reply_to });
  }
}

/** One of the key-value services, `lin-kv`, `seq-kv` or `lww-kv`, as seen from a node. */
export class KeyValue {
  readonly #node: Node;
  readonly #service: string;

  constructor(node: Node, service: string) {
    this.#node = node;
    this.#service = service;
  }

  async read<T>(key: string, otherwise: T): Promise<T> {
    try {
      return (await this.#node.rpc(this.#service, { type: 'read', key }))['value'] as T;
    } catch (error) {
      if (error instanceof RpcError && error.code === ErrorCode.keyDoesNotExist) return otherwise;
      throw error;
    }
  }

  async write(key: string, value: unknown): Promise<void> {
    await this.#node.rpc(this.#service, { type: 'write', key, value });
  }

  /** Whether the key held `from`, or did not exist, and now holds `to`. */
  async swap(key: string, from: unknown, to: unknown): Promise<boolean> {
    try {
      await this.#node.rpc(this.#service, { type: 'cas', key, from, to, create_if_not_exists: true });
      return true;
    } catch (error) {
      if (error instanceof RpcError && error.code === ErrorCode.preconditionFailed) return false;
      throw error;
    }
  }
}

function notSupported(body: Body): never {
  throw new RpcError(ErrorCode.notSupported, `this node knows no ${body.type}`);
}
