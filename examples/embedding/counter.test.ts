import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { LocalNetwork } from '@polder/server';
import { afterEach, describe, expect, it } from 'vitest';
import { startCounter } from './counter.ts';

const timing = { electionTimeoutUs: 60_000, heartbeatUs: 10_000 };
let servers: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return address !== null && typeof address === 'object' ? `http://127.0.0.1:${address.port}` : '';
}

async function ask(url: string, method: string): Promise<number> {
  const response = await fetch(url, { method, headers: { connection: 'close' } });
  expect(response.status).toBe(200);
  return Number(await response.text());
}

describe('the counter', () => {
  it('counts what is posted to any of three members of one process', async () => {
    const network = new LocalNetwork();
    const members = ['a', 'b', 'c'].map((name, at) => ({ name, id: at + 1 }));
    const urls = await Promise.all(
      members.map(async ({ name }) => listening(await startCounter({ name, members, network, timing }))),
    );
    const totals = await Promise.all(Array.from({ length: 30 }, (_, at) => ask(urls[at % 3] ?? '', 'POST')));
    expect(totals.toSorted((one, other) => one - other)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1));
    expect(await Promise.all(urls.map((url) => ask(url, 'GET')))).toEqual([30, 30, 30]);
  });

  it('takes less than 40 lines', () => {
    expect(
      readFileSync(new URL('counter.ts', import.meta.url), 'utf8')
        .trimEnd()
        .split('\n').length,
    ).toBeLessThan(40);
  });
});
