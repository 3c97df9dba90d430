/** Who is in a new cluster on this machine, and on which ports. */
import { randomBytes } from 'node:crypto';
import type { ClusterFile } from '../cluster/cluster-file.ts';
import { checkFree, findFreePorts } from './free-ports.ts';

export const HOST = '127.0.0.1';

export type Plan = Pick<ClusterFile, 'cluster' | 'members'>;

/** Under a name that no cluster had before. Ports from `basePort` on, or free ones. */
export async function newPlan(count: number, basePort: number | undefined): Promise<Plan> {
  const ports = await choosePorts(count, basePort);
  const members = Array.from({ length: count }, (_, index) => ({
    name: `m${index + 1}`,
    id: index + 1,
    peerHost: HOST,
    peerPort: ports[index * 2 + 1] ?? 0,
    clientHost: HOST,
    clientPort: ports[index * 2] ?? 0,
    pid: null,
  }));
  return { cluster: `polder-${randomBytes(6).toString('hex')}`, members };
}

/** Client and peer port of each member in turn: base, base + 1, ... */
async function choosePorts(members: number, base: number | undefined): Promise<number[]> {
  if (base === undefined) return findFreePorts(members * 2);
  const ports = Array.from({ length: members * 2 }, (_, index) => base + index);
  await checkFree(ports);
  return ports;
}
