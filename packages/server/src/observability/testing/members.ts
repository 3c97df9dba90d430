/** Whole members in one process, on loopback, in directories of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '@polder/core';
import { PutRequest, RangeRequest } from '../../generated/etcdserverpb/rpc.ts';
import { GrpcClient } from '../../grpc/index.ts';
import { type Member, type MemberConfig, startMember } from '../../member/member.ts';
import { loopbackMembers } from '../../testing/free-ports.test-support.ts';

const QUICK = { electionTimeoutUs: 200_000, heartbeatUs: 20_000, proposalTimeoutUs: 10_000_000 };

export interface RunningMember {
  readonly name: string;
  readonly url: string;
  readonly client: GrpcClient;
}

export class RunningMembers {
  readonly members: readonly RunningMember[];
  readonly #started: readonly Member[];
  readonly #directory: string;

  private constructor(members: readonly RunningMember[], started: readonly Member[], directory: string) {
    this.members = members;
    this.#started = started;
    this.#directory = directory;
  }

  static async start(count: number, extra: Partial<MemberConfig> = {}): Promise<RunningMembers> {
    const directory = await mkdtemp(join(tmpdir(), 'polder-observed-'));
    const members = await loopbackMembers(count);
    const config = { cluster: 'test', members, breakable: false, logLevel: 'silent', timing: QUICK, ...extra };
    const started = await Promise.all(
      members.map(({ name }) => startMember({ ...config, name, dataDirectory: join(directory, name) })),
    );
    const running = await Promise.all(
      started.map(async ({ clientUrl }, i) => {
        const url = clientUrl ?? '';
        const { hostname, port } = new URL(url);
        return { name: `m${i + 1}`, url, client: await GrpcClient.connect(hostname, Number(port), 2_000) };
      }),
    );
    return new RunningMembers(running, started, directory);
  }

  /** Once they have one; every member answers. */
  async leader(): Promise<RunningMember> {
    for (const { client } of this.members) await put(client, 'ready', '1');
    for (const member of this.members) {
      const status = (await (await fetch(`${member.url}/polder/status`)).json()) as { role: string };
      if (status.role === 'leader') return member;
    }
    throw new Error('no member leads');
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ client }) => client.close()));
    await Promise.all(this.#started.map((member) => member.close()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export async function put(
  client: GrpcClient,
  key: string,
  value: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const none = PutRequest.decode(new Uint8Array(0));
  const request = PutRequest.encode({ ...none, key: utf8(key), value: utf8(value) }).finish();
  await client.call('/etcdserverpb.KV/Put', request, { timeoutMs: 15_000, metadata });
}

export async function get(client: GrpcClient, key: string): Promise<void> {
  const request = RangeRequest.encode({ ...RangeRequest.decode(new Uint8Array(0)), key: utf8(key) }).finish();
  await client.call('/etcdserverpb.KV/Range', request, { timeoutMs: 15_000 });
}
