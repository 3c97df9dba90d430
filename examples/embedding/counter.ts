/**
 * A counter over HTTP that goes on while a majority of its three members runs. In three terminals:
 * `node examples/embedding/counter.ts a 8001`, `… b 8002`, `… c 8003`; then `curl -X POST localhost:8002`.
 */
import { createServer, type Server } from 'node:http';
import { type EmbeddedOptions, type Placement, startReplicated } from '@polder/server';

class Counter {
  #total = 0;

  apply({ add }: { readonly add: number }): number {
    this.#total += add;
    return this.#total;
  }

  snapshot = (): number => this.#total;
  restore = (total: number): void => void (this.#total = total);
  view = (): number => this.#total;
}

export async function startCounter(options: EmbeddedOptions & Placement): Promise<Server> {
  const counter = await startReplicated({ stateMachine: () => new Counter(), ...options });
  const answer = (method = ''): Promise<number> =>
    method === 'POST' ? counter.propose({ add: 1 }) : counter.read((total) => total);
  const server = createServer(({ method }, response) => {
    answer(method).then(
      (total) => response.end(`${total}\n`),
      (error: Error) => response.writeHead(503).end(`${error.message}\n`),
    );
  });
  return server.on('close', () => void counter.close());
}

const [, script = '', name = '', port] = process.argv;
if (script.endsWith('counter.ts')) {
  const members = ['a', 'b', 'c'].map((each, at) => ({ name: each, id: at + 1, peerPort: 7001 + at }));
  (await startCounter({ name, members, dataDirectory: `counter-${name}` })).listen(Number(port));
}
