/** One load for every store: so many callers over so many connections, each with one request under way. */
import type { Cluster } from './cluster.ts';
import { Http2Connection } from './http2-connection.ts';
import { type Operation, pathOf, requestOf } from './requests.ts';

const CONNECTIONS = 16;
const LATENCIES_MAX = 4_000_000;

export interface Slice {
  readonly seconds: number;
  readonly latenciesMs: Float64Array;
  /** Of all members together. */
  readonly serverCpuMs: number;
  readonly loaderCpuMs: number;
}

export interface LoadOptions {
  readonly cluster: Cluster;
  readonly keys: number;
  readonly valueBytes: number;
}

export class Load {
  readonly cluster: Cluster;
  readonly #keys: number;
  readonly #value: Uint8Array;
  readonly #connections: readonly Http2Connection[];
  #next = 0;
  #slices = 0;

  private constructor(options: LoadOptions, connections: readonly Http2Connection[]) {
    this.cluster = options.cluster;
    this.#keys = options.keys;
    this.#value = new Uint8Array(options.valueBytes).fill(0x61);
    this.#connections = connections;
  }

  static async start(options: LoadOptions): Promise<Load> {
    const { members } = options.cluster;
    const connections: Http2Connection[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const member = members[i % members.length];
      if (member === undefined) throw new Error('a cluster has members');
      connections.push(await Http2Connection.connect(member.host, member.clientPort, () => undefined));
    }
    return new Load(options, connections);
  }

  /** Puts every key once, so that reads find them. */
  async fill(): Promise<void> {
    const request = requestOf('put', this.#value);
    let next = 0;
    await this.#everyCaller(256, (connection, finish) => {
      const step = (): void => {
        if (next >= this.#keys) return finish(null);
        connection.call(pathOf('put'), request(next++), (bytes) => {
          if (bytes === null) finish(new Error(`${this.cluster.name} refused a put`));
          else step();
        });
      };
      step();
    });
  }

  /** A call that fails ends the benchmark: a rate that counts errors is no rate. */
  async run(operation: Operation, callers: number, durationMs: number): Promise<Slice> {
    const { request, path, leastBytes } = this.#plan(operation);
    const latenciesMs = new Float64Array(LATENCIES_MAX);
    let count = 0;
    const serverBefore = this.cluster.cpuMs();
    const loaderBefore = process.cpuUsage();
    const startMs = performance.now();
    const endMs = startMs + durationMs;
    await this.#everyCaller(callers, (connection, finish) => {
      let sentMs = startMs;
      const onAnswer = (bytes: number | null): void => {
        if (bytes === null || bytes < leastBytes) {
          return finish(new Error(`${this.cluster.name} failed a ${operation}: ${bytes ?? 'no'} bytes in the answer`));
        }
        const nowMs = performance.now();
        latenciesMs[count++] = nowMs - sentMs;
        if (nowMs >= endMs) return finish(null);
        sentMs = nowMs;
        connection.call(path, request(this.#next++ % this.#keys), onAnswer);
      };
      connection.call(path, request(this.#next++ % this.#keys), onAnswer);
    });
    const seconds = (performance.now() - startMs) / 1_000;
    const { user, system } = process.cpuUsage(loaderBefore);
    const serverCpuMs = this.cluster.cpuMs() - serverBefore;
    return { seconds, latenciesMs: latenciesMs.slice(0, count), serverCpuMs, loaderCpuMs: (user + system) / 1_000 };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #plan(operation: Operation) {
    const leastBytes = operation === 'put' ? 1 : this.#value.length;
    return { request: requestOf(operation, this.#value), path: pathOf(operation), leastBytes };
  }

  /** Each slice begins at another connection, so that a lone caller meets every member in turn. */
  #everyCaller(
    callers: number,
    start: (connection: Http2Connection, finish: (error: Error | null) => void) => void,
  ): Promise<void> {
    const offset = this.#slices++;
    return new Promise((resolve, reject) => {
      let left = callers;
      for (let caller = 0; caller < callers; caller++) {
        const connection = this.#connections[(caller + offset) % this.#connections.length];
        if (connection === undefined) throw new Error('a load has connections');
        start(connection, (error) => {
          if (error !== null) reject(error);
          else if (--left === 0) resolve();
        });
      }
    });
  }
}
