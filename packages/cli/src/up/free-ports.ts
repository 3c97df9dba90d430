import { createServer, type Server } from 'node:net';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

/** Ports of loopback that were free just now, all different: they are held together before any is let go. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => hold(0)));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(letGo));
  return ports;
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

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

function letGo(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
