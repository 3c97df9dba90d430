/** The stores under load: one member each, a child process on loopback with a data directory of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GrpcClient, rpc } from '@polder/server';

/** Found on PATH; no part of the project, so a machine without it has no peer to compare with. */
const ETCD = 'etcd';
const HOST = '127.0.0.1';
const START_MS = 20_000;
const STOP_MS = 5_000;
const CALL_MS = 10_000;
const POLDER = fileURLToPath(new URL('../packages/cli/bin/polder.js', import.meta.url));

/** Ended children must not leave their data behind, nor outlive an interrupted run. */
const running = new Set<Store>();

export type StoreName = 'polder' | 'etcd';

export class Store {
  readonly name: StoreName;
  readonly #child: ChildProcess;
  readonly #directory: string;
  #client: GrpcClient | null = null;
  #output = '';

  private constructor(name: StoreName, child: ChildProcess, directory: string) {
    this.name = name;
    this.#child = child;
    this.#directory = directory;
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-2_000);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(error.message)));
  }

  /** Returns once the store has answered a linearizable read. */
  static async start(name: StoreName): Promise<Store> {
    const [peer, client] = [await freePort(), await freePort()];
    const directory = mkdtempSync(join(tmpdir(), `polder-bench-${name}-`));
    const [command, args] = commandOf(name, directory, peer, client);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const store = new Store(name, child, directory);
    running.add(store);
    await store.#connect(client);
    return store;
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    const request = { key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    const answer = await this.#call('/etcdserverpb.KV/Put', rpc.PutRequest.encode(request).finish());
    rpc.PutResponse.decode(answer);
  }

  /** Linearizable; the number of bytes read, or null when there is no such key. */
  async read(key: Uint8Array): Promise<number | null> {
    const request = rpc.RangeRequest.encode({
      key,
      rangeEnd: new Uint8Array(0),
      limit: 0n,
      revision: 0n,
      sortOrder: rpc.RangeRequest_SortOrder.NONE,
      sortTarget: rpc.RangeRequest_SortTarget.KEY,
      serializable: false,
      keysOnly: false,
      countOnly: false,
      minModRevision: 0n,
      maxModRevision: 0n,
      minCreateRevision: 0n,
      maxCreateRevision: 0n,
    }).finish();
    const answer = rpc.RangeResponse.decode(await this.#call('/etcdserverpb.KV/Range', request));
    return answer.kvs[0]?.value.length ?? null;
  }

  async stop(): Promise<void> {
    await this.#client?.close();
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#alive()) {
      this.#child.kill('SIGTERM');
      await Promise.race([ended, sleep(STOP_MS, undefined, { ref: false })]);
    }
    this.kill();
  }

  /** At once, for an interrupted run. */
  kill(): void {
    if (this.#alive()) this.#child.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
    running.delete(this);
  }

  #alive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #call(method: string, request: Uint8Array): Promise<Uint8Array> {
    if (this.#client === null) throw new Error(`${this.name} is not connected`);
    return this.#client.call(method, request, { timeoutMs: CALL_MS });
  }

  async #connect(port: number): Promise<void> {
    const endMs = performance.now() + START_MS;
    for (;;) {
      try {
        if (this.#client === null || this.#client.closed) this.#client = await GrpcClient.connect(HOST, port, 1_000);
        await this.read(Buffer.from('ready'));
        return;
      } catch (cause) {
        const gone = !this.#alive();
        if (gone || performance.now() > endMs) {
          throw new Error(`${this.name} did not start${gone ? ': it ended' : ''}\n${this.#output}`, { cause });
        }
        await sleep(50);
      }
    }
  }
}

/** etcd's version, or null when there is none on PATH. */
export function etcdVersion(): string | null {
  const { status, stdout } = spawnSync(ETCD, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown') : null;
}

export async function stopAll(): Promise<void> {
  await Promise.all([...running].map((store) => store.stop()));
}

export function killAll(): void {
  for (const store of running) store.kill();
}

function commandOf(name: StoreName, data: string, peer: number, client: number): [string, string[]] {
  const [peerUrl, clientUrl] = [`http://${HOST}:${peer}`, `http://${HOST}:${client}`];
  switch (name) {
    case 'polder': {
      const members = `m1=1@${HOST}:${peer}/${HOST}:${client}`;
      const flags = ['--name', 'm1', '--members', members, '--data', data, '--log-level', 'warn'];
      return [process.execPath, [POLDER, 'serve', ...flags]];
    }
    case 'etcd': {
      const peers = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
      const clients = ['--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl];
      const member = ['--name', 'm1', '--data-dir', data, '--initial-cluster', `m1=${peerUrl}`];
      return [ETCD, [...member, ...peers, ...clients, '--logger', 'zap', '--log-level', 'warn']];
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
