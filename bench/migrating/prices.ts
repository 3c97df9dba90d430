/** The example that migrating is tried on: a client of a price service over HTTP, and a service that misbehaves to order. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Price {
  readonly symbol: string;
  readonly cents: number;
}

/** What the service does with its next requests. */
export type Mood = 'well' | 'hiccup' | 'slow' | 'down';

export interface PriceService {
  readonly url: string;
  requests: number;
  /** A hiccup is one 503, and then all is well. */
  set(mood: Mood): void;
  stop(): void;
}

export async function startPriceService(): Promise<PriceService> {
  let mood: Mood = 'well';
  const server: Server = createServer((request, response) => {
    service.requests++;
    const now = mood;
    if (now === 'hiccup') mood = 'well';
    if (now === 'slow') return;
    if (now !== 'well') response.writeHead(503).end();
    else response.end(JSON.stringify({ symbol: request.url?.slice(1), cents: 4_200 }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const service: PriceService = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: 0,
    set: (next) => {
      mood = next;
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return service;
}

/** The work itself, the same before and after. */
export async function fetchPrice(url: string, symbol: string, signal?: AbortSignal): Promise<Price> {
  const response = await fetch(`${url}/${symbol}`, signal === undefined ? {} : { signal });
  if (!response.ok) throw Object.assign(new Error(`HTTP ${response.status}`), { status: response.status });
  return (await response.json()) as Price;
}

/** How callers of the client see a call: what it came to. */
export type Label = 'ok' | 'fallback' | 'timed out' | 'refused' | 'failed';

export interface PriceClient {
  price(symbol: string): Promise<Label>;
}
