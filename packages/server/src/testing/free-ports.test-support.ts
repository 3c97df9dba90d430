import { createServer } from 'node:net';
import type { MemberAddresses } from '../embedding/index.ts';

/** Below those that Linux and macOS give to outgoing connections, which could take one before its member listens. */
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 32_000;

/** A port of loopback that was free just now. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** `m1` to `m<count>` on loopback, each with ports of its own for peers and for clients. */
export async function loopbackMembers(count: number): Promise<Required<MemberAddresses>[]> {
  const members: Required<MemberAddresses>[] = [];
  for (let id = 1; id <= count; id++) {
    const [peerPort, clientPort] = [await freePort(), await freePort()];
    members.push({ name: `m${id}`, id, peerHost: '127.0.0.1', peerPort, clientHost: '127.0.0.1', clientPort });
  }
  return members;
}
