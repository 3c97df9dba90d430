/** One run: nodes, network, services, clients, faults, and the verdict. In real time, so no two runs are alike. */
import { setTimeout as delay } from 'node:timers/promises';
import { Journal, type JournalCounts, type JournalEvent } from './network/journal.ts';
import { sampleLatencyMs } from './network/latency.ts';
import { Network } from './network/network.ts';
import { randomPartition } from './network/partitions.ts';
import { NodeProcess } from './node-process.ts';
import type { Operation } from './operation.ts';
import { errorName, isClient, type Message, RpcError } from './protocol.ts';
import { Recorder } from './recorder.ts';
import { RpcClient } from './rpc-client.ts';
import type { RunOptions } from './run-options.ts';
import { Concern, SeededStream } from './seeded-stream.ts';
import { providedServices } from './services/provided.ts';
import { callOf, Workers } from './workers.ts';
import { createWorkload } from './workloads/registry.ts';
import { type Call, type Findings, type Workload, WrongReply } from './workloads/workload.ts';

const INIT_TIMEOUT_MS = 10_000;
const FINAL_ROUND_INTERVAL_MS = 200;

export interface RunHooks {
  readonly progress: (text: string) => void;
  readonly onMessage: (event: JournalEvent, message: Message) => void;
  readonly onOperation: (event: object) => void;
  readonly onStderr: (node: string, line: string) => void;
  /** Aborted: finish early with what there is. */
  readonly interrupt: AbortSignal;
}

export interface RunOutcome {
  readonly findings: Findings;
  readonly history: readonly Operation[];
  readonly messages: JournalCounts;
  /** Operations before the final reads: what messages are counted against. */
  readonly mainOperations: number;
  readonly faults: readonly NodeFault[];
  readonly interrupted: boolean;
  /** How long the final reads took to come right; null when there were none or they never did. */
  readonly convergedMs: number | null;
  readonly stderrLines: Readonly<Record<string, number>>;
}

export interface NodeFault {
  readonly node: string;
  readonly problem: string;
}

export class TestRun {
  readonly #options: RunOptions;
  readonly #hooks: RunHooks;
  readonly #nodeIds: readonly string[];
  readonly #network: Network;
  readonly #journal: Journal;
  readonly #recorder: Recorder;
  readonly #workload: Workload;
  readonly #nodes = new Map<string, NodeProcess>();
  readonly #faults: NodeFault[] = [];
  readonly #stop = new AbortController();
  readonly #startedMs = performance.now();
  #clients = 0;
  #mainOperations = 0;
  #convergedMs: number | null = null;

  constructor(options: RunOptions, hooks: RunHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#nodeIds = Array.from({ length: options.nodeCount }, (_, index) => `n${index + 1}`);
    this.#journal = new Journal(hooks.onMessage);
    const latencies = new SeededStream(options.seed, Concern.latency);
    this.#network = new Network({
      journal: this.#journal,
      latencyMs: () => sampleLatencyMs(options.latency, latencies),
      after: (delayMs, action) => void setTimeout(action, delayMs).unref(),
    });
    this.#recorder = new Recorder(() => this.#nowMs(), hooks.onOperation);
    const stream = new SeededStream(options.seed, Concern.operations);
    this.#workload = createWorkload(options.workload, { ...options, stream });
    if (hooks.interrupt.aborted) this.#stop.abort();
    hooks.interrupt.addEventListener('abort', () => this.#stop.abort());
  }

  async run(): Promise<RunOutcome> {
    const endNow = (): void => {
      for (const node of this.#nodes.values()) node.endNow();
    };
    // Whatever happens to this process, no node stays behind.
    process.once('exit', endNow);
    try {
      this.#startServices();
      for (const id of this.#nodeIds) this.#startNode(id);
      await this.#work();
      return this.#outcome();
    } finally {
      this.#network.close();
      await Promise.all([...this.#nodes.values()].map((node) => node.end()));
      process.off('exit', endNow);
    }
  }

  async #work(): Promise<void> {
    const control = this.#connect(INIT_TIMEOUT_MS);
    const stopped = onceAborted(this.#stop.signal);
    const ready = await Promise.race([this.#prepare(control), stopped.then(() => false)]);
    control.close();
    if (!ready) return;
    const { concurrency, timeoutMs } = this.#options;
    this.#hooks.progress(`${this.#nodeIds.length} nodes ready; ${concurrency} clients start`);
    const workers = new Workers({
      count: concurrency,
      nodes: this.#nodeIds,
      workload: this.#workload,
      recorder: this.#recorder,
      stream: new SeededStream(this.#options.seed, Concern.workers),
      connect: () => this.#connect(timeoutMs),
      onWrongReply: (node, problem) => this.#fault(node, problem),
    });
    // Closing gives up every open request, so that nothing below waits for long once the run is stopped.
    void stopped.then(() => workers.close());
    await this.#mainPhase(workers);
    await workers.idle();
    this.#mainOperations = this.#recorder.history.length;
    if (this.#workload.final !== undefined) await this.#finalPhase(workers, this.#workload.final);
    workers.close();
  }

  /** Whether every node has answered `init`, and whatever the workload asks before it begins. */
  async #prepare(control: RpcClient): Promise<boolean> {
    const calls = new Map(this.#nodeIds.map((id) => [id, this.#firstCall(control, id)]));
    try {
      await Promise.all([...calls].map(([id, call]) => call({ type: 'init', node_id: id, node_ids: this.#nodeIds })));
      await this.#workload.setup?.(calls);
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      throw error;
    }
  }

  /** A node that does not even get ready is at fault. */
  #firstCall(control: RpcClient, id: string): Call {
    const call = callOf(control, id);
    return async (request) => {
      try {
        return await call(request);
      } catch (error) {
        if (error instanceof RpcError) this.#fault(id, `is not ready: ${describe(error)}`);
        if (error instanceof WrongReply) this.#fault(id, error.message);
        throw error;
      }
    };
  }

  async #mainPhase(workers: Workers): Promise<void> {
    const { ratePerSecond, timeLimitMs, seed } = this.#options;
    const { signal } = this.#stop;
    const pace = new SeededStream(seed, Concern.pace);
    const endMs = this.#nowMs() + timeLimitMs;
    const nemesis = this.#nemesis(endMs);
    let dueMs = this.#nowMs();
    while (!signal.aborted) {
      // Uniform from nothing to twice the mean, as Maelstrom staggers its operations.
      dueMs += (2_000 * pace.unit()) / ratePerSecond;
      if (dueMs >= endMs) break;
      await this.#until(dueMs);
      await workers.free();
      if (signal.aborted || this.#nowMs() >= endMs) break;
      workers.startNext();
    }
    await nemesis;
  }

  async #nemesis(endMs: number): Promise<void> {
    const { partitionIntervalMs, seed } = this.#options;
    if (partitionIntervalMs === null || this.#nodeIds.length < 2) return;
    const stream = new SeededStream(seed, Concern.partitions);
    for (let isSplit = false; ; isSplit = !isSplit) {
      const nextMs = this.#nowMs() + 2 * partitionIntervalMs * stream.unit();
      await this.#until(Math.min(nextMs, endMs));
      if (nextMs >= endMs || this.#stop.signal.aborted) break;
      if (isSplit) this.#network.heal();
      else {
        const partition = randomPartition(this.#nodeIds, stream);
        this.#network.split(partition);
        this.#hooks.progress(`${this.#seconds()} partition: ${partition.description}`);
      }
      if (isSplit) this.#hooks.progress(`${this.#seconds()} healed`);
    }
    this.#network.heal();
  }

  /** Final reads, again and again until the check passes or the time to recover is over. */
  async #finalPhase(workers: Workers, final: NonNullable<Workload['final']>): Promise<void> {
    const startedMs = this.#nowMs();
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#recorder.demoteFinals();
      await workers.everyone(final);
      if (signal.aborted) return;
      if (this.#workload.check(this.#recorder.history).result === 'valid') {
        this.#convergedMs = this.#nowMs() - startedMs;
        return;
      }
      if (this.#nowMs() - startedMs >= this.#options.recoveryMs) return;
      await this.#until(this.#nowMs() + FINAL_ROUND_INTERVAL_MS);
    }
  }

  #startServices(): void {
    for (const [id, service] of providedServices(this.#options.seed)) {
      this.#network.attach(id, ({ src, body }) => {
        const { msg_id } = body;
        // A request without an id wants no answer.
        const reply = service.handle(src, body);
        if (msg_id !== undefined) {
          this.#network.send({ src: id, dest: src, body: { ...reply, in_reply_to: msg_id } });
        }
      });
    }
  }

  #startNode(id: string): void {
    const node = new NodeProcess({
      id,
      program: this.#options.program,
      onMessage: (message) => {
        // A client that gave up has left the network; its late answer is nobody's fault.
        if (this.#network.has(message.dest) || isClient(message.dest)) this.#network.send(message);
        else {
          const known = `${this.#nodeIds.join(', ')}, clients and services`;
          this.#fault(id, `sent ${message.body.type} to "${message.dest}", which does not exist; there are ${known}`);
        }
      },
      onFault: (problem) => this.#fault(id, problem),
      onStderr: (line) => this.#hooks.onStderr(id, line),
    });
    this.#nodes.set(id, node);
    this.#network.attach(id, (message) => node.send(message));
  }

  #connect(timeoutMs: number): RpcClient {
    return new RpcClient({
      id: `c${this.#clients++}`,
      network: this.#network,
      timeoutMs,
      onWrongMessage: (node, problem) => this.#fault(node, problem),
    });
  }

  /** The first fault ends the run: from there on nothing would mean much. */
  #fault(node: string, problem: string): void {
    if (this.#stop.signal.aborted) return;
    this.#faults.push({ node, problem });
    this.#stop.abort();
  }

  async #until(timeMs: number): Promise<void> {
    const waitMs = timeMs - this.#nowMs();
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  #outcome(): RunOutcome {
    return {
      findings: this.#workload.check(this.#recorder.history),
      history: this.#recorder.history,
      messages: this.#journal.counts(),
      mainOperations: this.#mainOperations,
      faults: this.#faults,
      interrupted: this.#hooks.interrupt.aborted,
      convergedMs: this.#convergedMs,
      stderrLines: Object.fromEntries([...this.#nodes].map(([id, node]) => [id, node.stderrLines])),
    };
  }

  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  #seconds(): string {
    return `${(this.#nowMs() / 1000).toFixed(1)} s`;
  }
}

function onceAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function describe({ code, message }: RpcError): string {
  return code === 0 ? message : `it answered error ${code} (${errorName(code)}): ${message}`;
}
