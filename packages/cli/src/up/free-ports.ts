import { createServer, type Server } from 'node:net';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

/** Below those that Linux and macOS give to outgoing connections, which could take one before its member listens. */
const LOWEST_PORT = 15_000;
const HIGHEST_PORT = 32_000;
const TRIES_PER_PORT = 100;

/** Ports of loopback that were free just now, all different: they are held together before any is let go. */
export async function findFreePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  for (let left = count * TRIES_PER_PORT; held.size < count; left--) {
    if (left === 0) throw new CommandError(ExitCode.failure, 'no free ports on 127.0.0.1: name some with --base-port');
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    if (held.has(port)) continue;
    const server = await hold(port).catch(() => null);
    if (server !== null) held.set(port, server);
  }
  await Promise.all([...held.values()].map(letGo));
  return [...held.keys()];
}

/** Fails, naming the port, if one of them is taken. */
export async function checkFree(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    try {
      await letGo(await hold(port));
    } catch (cause) {
      throw new CommandError(
        ExitCode.failure,
        `port ${port} on 127.0.0.1 is not free (${messageOf(cause)}); stop what uses it, or choose another --base-port`,
        { cause },
      );
    }
  }
}

function hold(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function letGo(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
