import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EventLog, readShiViz, shortestChain } from '@polder/core/clocks';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CausalService, type CausalServiceOptions, causalFetch, logEvent } from './index.ts';

const disk = vi.hoisted(() => ({ full: false, writes: 0 }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const writeSync = (descriptor: number, bytes: Uint8Array, offset: number): number => {
    if (disk.full) throw new Error('ENOSPC');
    disk.writes++;
    return fs.writeSync(descriptor, bytes, offset);
  };
  return { ...fs, writeSync };
});

let directory: string;
let servers: Server[];
let services: CausalService[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-causality-test-'));
  servers = [];
  disk.full = false;
  services = [];
});

afterEach(async () => {
  for (const service of services) service.close();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve).closeAllConnections())));
  rmSync(directory, { recursive: true, force: true });
});

function service(process: string, options: Partial<CausalServiceOptions> = {}): CausalService {
  const made = new CausalService({ process, file: join(directory, `${process}.log`), ...options });
  services.push(made);
  return made;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The files of all processes put together, as `cat` would. */
function log(...processes: string[]): EventLog {
  const [trace] = readShiViz(
    processes.map((process) => readFileSync(join(directory, `${process}.log`), 'utf8')).join(''),
  );
  if (trace?.result.type !== 'valid') throw new Error(JSON.stringify(trace?.result));
  return trace.result.log;
}

const texts = (events: EventLog, process: string): string[] =>
  Array.from({ length: events.eventCount(process) }, (_, i) => {
    const { kind, text } = events.event(events.find(process, i + 1) as number);
    return `${kind} ${text.replace(/127\.0\.0\.1:\d+/, 'stock')}`;
  });

test.each(['header', 'baggage'] as const)(
  'a request through two services is one chain of causes, with clocks in a %s',
  async (propagation) => {
    const [orders, stock] = [service('orders', { propagation }), service('stock', { propagation })];
    const stockUrl = await serve(
      stock.handle((_request, response) => {
        logEvent('reserves', { key: 'order 17' });
        response.end('reserved');
      }),
    );
    const ordersUrl = await serve(
      orders.handle((_request, response) => {
        void (async () => {
          const answer = await causalFetch(`${stockUrl}/reserve?secret=1`, {
            method: 'POST',
            headers: { baggage: 'a=b' },
          });
          logEvent(`heard ${await answer.text()}`, { key: 'order 17' });
          response.writeHead(201, { 'x-done': 'yes' }).end();
        })();
      }),
    );
    const answer = await fetch(`${ordersUrl}/buy`, { method: 'POST' });
    expect([answer.status, answer.headers.get('x-done')]).toEqual([201, 'yes']);
    expect(answer.headers.get(propagation === 'header' ? 'polder-clock' : 'baggage')).toContain('orders:5|stock:3');
    const events = log('orders', 'stock');
    expect(texts(events, 'orders')).toEqual([
      'receive POST /buy',
      'send POST stock/reserve',
      'receive 200 POST stock/reserve',
      'local heard reserved',
      'send 201 POST /buy',
    ]);
    expect(texts(events, 'stock')).toEqual(['receive POST /reserve', 'local reserves', 'send 200 POST /reserve']);
    const [reserves, heard] = [events.find('stock', 2), events.find('orders', 4)] as [number, number];
    expect(shortestChain(events, reserves, heard)?.length).toBe(4);
  },
);

test('many requests at once: each logs to the service that handles it, and all clocks are right', async () => {
  const [a, b] = [service('a'), service('b')];
  const bUrl = await serve(
    b.handle(
      (request, response) =>
        void setImmediate(() => {
          logEvent(`works on ${request.url}`);
          response.end();
        }),
    ),
  );
  const aUrl = await serve(
    a.handle((request, response) => {
      void causalFetch(`${bUrl}${request.url}`).then(() => {
        logEvent(`is back from ${request.url}`);
        response.end();
      });
    }),
  );
  await Promise.all(Array.from({ length: 30 }, (_, i) => fetch(`${aUrl}/${i}`)));
  const events = log('a', 'b');
  expect(texts(events, 'a').filter((text) => text.startsWith('local is back')).length).toBe(30);
  expect(texts(events, 'b').filter((text) => text.startsWith('local works on')).length).toBe(30);
  expect(events.size).toBe(30 * 8);
});

test('outside of a request nothing is logged, unless the service runs the code', async () => {
  expect(logEvent('nobody hears')).toBeNull();
  const url = await serve((_request, response) => void response.end('plain'));
  expect(await (await causalFetch(url)).text()).toBe('plain');
  const timer = service('timer');
  timer.run(() => logEvent('ticks'));
  expect(texts(log('timer'), 'timer')).toEqual(['local ticks']);
});

test('a clock that cannot be read, or that knows a past which this start has not, is counted and does no harm', async () => {
  const stock = service('stock');
  const url = await serve(stock.handle((_request, response) => void response.end('fine')));
  for (const clock of ['nonsense', 'stock:99|orders:3', 'a:1|'.repeat(2500)]) {
    expect((await fetch(url, { headers: { 'polder-clock': clock } })).status).toBe(200);
  }
  expect(stock.counters).toEqual({ malformedClocks: 2, forgottenPasts: 1 });
  expect(log('stock').size).toBe(6);
});

test('a request that gets no answer fails as with fetch, and was sent', async () => {
  const orders = service('orders');
  const url = await serve((request) => void request.socket.destroy());
  await expect(orders.fetch(url)).rejects.toThrow('fetch failed');
  expect(texts(log('orders'), 'orders')).toEqual(['send GET stock/']);
});

test('a log that cannot be written stops for good, says why, and leaves the service alone', async () => {
  const stock = service('stock');
  expect(stock.log('starts')).not.toBeNull();
  disk.full = true;
  const url = await serve(stock.handle((_request, response) => void response.end('fine')));
  const answer = await fetch(url);
  expect(await answer.text()).toBe('fine');
  expect(stock.failure).toEqual(new Error('ENOSPC'));
  expect(answer.headers.get('polder-clock')).toBeNull();
  // Half a line may have been written: what came after it could not be read.
  disk.full = false;
  expect(stock.log('goes on')).toBeNull();
  expect(texts(log('stock'), 'stock')).toEqual(['local starts']);
});

test('a head that is written twice is sent once, and after `close` nothing is written', async () => {
  const stock = service('stock');
  const url = await serve(
    stock.handle((_request, response) => {
      response.writeHead(200);
      expect(() => response.writeHead(500)).toThrow();
      response.end();
    }),
  );
  expect((await fetch(url)).status).toBe(200);
  expect(texts(log('stock'), 'stock')).toEqual(['receive GET /', 'send 200 GET /']);
  stock.close();
  const before = disk.writes;
  expect(stock.log('too late')).toBeNull();
  expect(stock.failure).toMatchObject({ code: 'EventLogClosed' });
  // The number of the closed file may belong to another file by now.
  expect(disk.writes).toBe(before);
});

test('G6: a file of an earlier start is not written to again', () => {
  const file = join(directory, 'orders.log');
  writeFileSync(file, 'precious');
  expect(() => service('orders')).toThrow(expect.objectContaining({ code: 'EventLogExists' }));
  expect(readFileSync(file, 'utf8')).toBe('precious');
  expect(() => service('two words')).toThrow(expect.objectContaining({ code: 'InvalidProcessName' }));
  expect(existsSync(join(directory, 'two words.log'))).toBe(false);
});
