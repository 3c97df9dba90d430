/** What Polder promises, shown on the real processes: a line a step, then a verdict that others can check. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHistory } from '@polder/core/checkers';
import { type ClusterFile, clientUrl } from '../cluster/cluster-file.ts';
import { askControl } from '../cluster/control.ts';
import type { Located } from '../cluster/locate.ts';
import { fetchStatus, isLeader, knowsLeader, type MemberStatus } from '../cluster/member-http.ts';
import { applyPlan, heal, planPartition } from '../commands/links.ts';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import { MemberClient } from '../kv/member-client.ts';
import type { Terminal } from '../terminal.ts';
import { RecordedClient } from './recorded-client.ts';
import { Recorder } from './recorder.ts';
import { judge } from './verdict.ts';
import { sleep, Workload } from './workload.ts';

const ELECTION_LIMIT_MS = 20_000;
const WRITE_LIMIT_MS = 20_000;
const CONVERGENCE_LIMIT_MS = 20_000;
const ATTEMPT_TIMEOUT_MS = 1_500;
const MINORITY_TIMEOUT_MS = 3_000;
const RESTART_TIMEOUT_MS = 15_000;
/** Calm between the faults, so that the history has quiet stretches, too. */
const CALM_MS = 4_000;
const POLL_MS = 25;
const FINAL_READERS = 8;

type MemberOf = Located['members'][number];

export class Tour {
  readonly #file: ClusterFile;
  readonly #directory: string;
  readonly #located: Located;
  readonly #terminal: Terminal;
  readonly #recorder = new Recorder();
  readonly #runId = Date.now().toString(36);
  readonly #prefix = `tour/${this.#runId}/`;
  readonly #workload: Workload;
  #step = 0;
  #failedSteps = 0;

  constructor(file: ClusterFile, directory: string, terminal: Terminal) {
    this.#file = file;
    this.#directory = directory;
    this.#terminal = terminal;
    const members = file.members.map((member) => ({ name: member.name, url: clientUrl(member), pid: member.pid }));
    this.#located = { file, directory, members };
    const urls = members.map((member) => member.url);
    this.#workload = new Workload(this.#recorder, urls, this.#prefix);
  }

  /** True: every step showed what it had to, and the history is linearizable. */
  async run(): Promise<boolean> {
    if (!this.#file.breakable)
      throw new CommandError(ExitCode.failure, 'the tour breaks members: polder up --breakable');
    if (this.#file.members.length < 3) throw new CommandError(ExitCode.failure, 'the tour needs 3 members or more');
    const startedMs = performance.now();
    await this.#prepare();
    await this.#runStep('elect a leader', () => this.#elect());
    this.#workload.start();
    await this.#runStep('write a key at every member, read it at the others', () => this.#writeAndRead());
    await sleep(CALM_MS);
    await this.#runStep('kill -9 the leader (process death)', () => this.#killLeader());
    await sleep(CALM_MS);
    await this.#runStep('start it again on the same data', () => this.#recoverAll());
    await this.#runStep('cut off a minority that holds the leader', () => this.#isolateLeader());
    await sleep(CALM_MS);
    await this.#runStep('heal the network: the members become equal', () => this.#healAndConverge());
    this.#workload.start();
    await sleep(CALM_MS);
    await this.#runStep('kill -9 every member (process death), start all', () => this.#killEveryone());
    await sleep(CALM_MS);
    await this.#workload.pause();
    await this.#runStep('every acknowledged write is there', () => this.#checkLedger());
    const passed = this.#verdict();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    const word = passed ? this.#terminal.style('green', 'PASSED') : this.#terminal.style('red', 'FAILED');
    this.#terminal.progress(
      `tour ${word} in ${seconds} s: members died as processes; power loss is not what this shows`,
    );
    return passed;
  }

  async #runStep(what: string, show: () => Promise<string>): Promise<void> {
    const number = ++this.#step;
    const startedMs = performance.now();
    let mark = this.#terminal.style('green', 'ok  ');
    let happened: string;
    try {
      happened = await show();
    } catch (error) {
      this.#failedSteps++;
      mark = this.#terminal.style('red', 'FAIL');
      happened = messageOf(error);
    }
    const took = this.#terminal.style('dim', `(${formatMs(performance.now() - startedMs)})`);
    this.#terminal.progress(`${mark} ${number}. ${what}: ${happened} ${took}`);
  }

  /** A tour may follow one that was broken off. */
  async #prepare(): Promise<void> {
    const statuses = await this.#statuses();
    await Promise.all(
      this.#located.members.map(async (member, index) => {
        if (statuses[index] !== null) return;
        // Whether it is paused or dead is not known here; the wrong one of the two is refused without harm.
        await askControl(this.#file, 'resume', member.name).catch(() => undefined);
        await askControl(this.#file, 'recover', member.name).catch(() => undefined);
      }),
    );
    const deadlineMs = performance.now() + RESTART_TIMEOUT_MS;
    while ((await this.#statuses()).includes(null)) {
      if (performance.now() > deadlineMs)
        throw new CommandError(ExitCode.noCluster, 'not all members answer: polder status');
      await sleep(POLL_MS * 4);
    }
    await heal(this.#located);
  }

  async #elect(): Promise<string> {
    const leader = await this.#everyoneAgrees(ELECTION_LIMIT_MS);
    return `${leader.status.name} leads term ${leader.status.term}, and all ${this.#file.members.length} members know it`;
  }

  async #writeAndRead(): Promise<string> {
    const { members } = this.#located;
    const client = new RecordedClient(this.#recorder);
    for (const [index, member] of members.entries()) {
      const reader = members[(index + 1) % members.length] as MemberOf;
      const { key, value } = this.#workload.fresh();
      const written = await this.#with(member, (at) => client.write(at, key, value, ATTEMPT_TIMEOUT_MS));
      if (written.type !== 'ok') throw new Error(`${member.name} did not acknowledge: ${describe(written.failure)}`);
      this.#workload.acknowledged(key, value);
      const read = await this.#with(reader, (at) => client.read(at, key, ATTEMPT_TIMEOUT_MS));
      if (read.type !== 'ok') throw new Error(`${reader.name} did not answer: ${describe(read.failure)}`);
      if (read.value !== value) throw new Error(`${reader.name} read ${read.value} after ${value} was acknowledged`);
    }
    return `${members.length} writes acknowledged, each read back elsewhere`;
  }

  async #killLeader(): Promise<string> {
    const leader = await this.#everyoneAgrees(ELECTION_LIMIT_MS);
    await askControl(this.#file, 'fail', leader.member.name);
    const killedMs = performance.now();
    const others = this.#located.members.filter((member) => member.name !== leader.member.name);
    const acknowledged = await this.#untilWrite(others);
    const gap = formatMs(performance.now() - killedMs);
    return `${leader.member.name} is dead; ${acknowledged} acknowledged the next write after ${gap}`;
  }

  async #recoverAll(): Promise<string> {
    const statuses = await this.#statuses();
    const dead = this.#located.members.filter((_, index) => statuses[index] === null);
    for (const member of dead) await askControl(this.#file, 'recover', member.name);
    await this.#everyoneAgrees(RESTART_TIMEOUT_MS);
    return `${dead.map((member) => member.name).join(', ')} is back and follows`;
  }

  async #isolateLeader(): Promise<string> {
    const leader = await this.#everyoneAgrees(ELECTION_LIMIT_MS);
    const others = this.#located.members.filter((member) => member.name !== leader.member.name);
    const companions = Math.floor((this.#located.members.length - 1) / 2) - 1;
    const minority = [leader.member, ...others.slice(0, companions)];
    const majority = others.slice(companions);
    const names = (group: readonly MemberOf[]): string[] => group.map((member) => member.name);
    await applyPlan(this.#located, planPartition([names(minority), names(majority)], false));
    const cutMs = performance.now();
    const client = new RecordedClient(this.#recorder);
    const { key, value } = this.#workload.fresh();
    const attempt = this.#with(leader.member, (at) => client.write(at, key, value, MINORITY_TIMEOUT_MS));
    const acknowledged = await this.#untilWrite(majority);
    const gap = formatMs(performance.now() - cutMs);
    const outcome = await attempt;
    if (outcome.type === 'ok') throw new Error(`${leader.member.name} acknowledged a write without a majority`);
    const cutOff = names(minority).join('+');
    return `at ${cutOff} a write did not succeed ("${describe(outcome.failure)}"); ${acknowledged} of the majority acknowledged one after ${gap}`;
  }

  /** Equal: commit, applied, revision, and every key of this tour as each member itself holds it. */
  async #healAndConverge(): Promise<string> {
    await heal(this.#located);
    const healedMs = performance.now();
    await this.#workload.pause();
    const deadlineMs = performance.now() + CONVERGENCE_LIMIT_MS;
    for (;;) {
      const statuses = await this.#statuses();
      const first = statuses[0];
      const equal = statuses.every((status) => status !== null && isEqualState(status, first ?? null));
      if (equal && first != null) {
        const contents = await Promise.all(this.#located.members.map((member) => this.#contentsOf(member)));
        const same = contents.every((content) => content.text === contents[0]?.text);
        if (same) {
          const gap = formatMs(performance.now() - healedMs);
          const keys = contents[0]?.keys ?? 0;
          return `after ${gap} all have commit ${first.commit}, revision ${first.revision} and the same ${keys} keys`;
        }
      }
      if (performance.now() > deadlineMs)
        throw new Error(`not equal after ${CONVERGENCE_LIMIT_MS / 1000} s: ${summary(statuses)}`);
      await sleep(POLL_MS * 4);
    }
  }

  async #killEveryone(): Promise<string> {
    const { members } = this.#located;
    await Promise.all(members.map((member) => askControl(this.#file, 'fail', member.name)));
    const statuses = await this.#statuses();
    if (statuses.some((status) => status !== null)) throw new Error('a member still answers');
    const startedMs = performance.now();
    await Promise.all(members.map((member) => askControl(this.#file, 'recover', member.name)));
    const acknowledged = await this.#untilWrite(members);
    return `none answered; ${acknowledged} acknowledged the next write ${formatMs(performance.now() - startedMs)} after the start`;
  }

  /** Reads every key of this tour through the log, as part of the history: a lost write is then also a violation there. */
  async #checkLedger(): Promise<string> {
    const { members } = this.#located;
    const keys = [...this.#workload.keys];
    const missing: string[] = [];
    let at = 0;
    const reader = async (n: number): Promise<void> => {
      const client = new RecordedClient(this.#recorder);
      await this.#with(members[n % members.length] as MemberOf, async (member) => {
        for (let key = keys[at++]; key !== undefined; key = keys[at++]) {
          const outcome = await client.read(member, key, ATTEMPT_TIMEOUT_MS * 2);
          if (outcome.type !== 'ok') throw new Error(`${key} could not be read: ${describe(outcome.failure)}`);
          const wanted = this.#workload.ledger.get(key);
          if (wanted !== undefined && outcome.value !== wanted)
            missing.push(`${key} = ${wanted}, read ${outcome.value}`);
        }
      });
    };
    await Promise.all(Array.from({ length: FINAL_READERS }, (_, n) => reader(n)));
    if (missing.length > 0) throw new Error(`${missing.length} acknowledged writes are lost, such as ${missing[0]}`);
    return `${this.#workload.ledger.size} keys written once all hold their value; all ${keys.length} keys read`;
  }

  #verdict(): boolean {
    const path = join(this.#directory, `tour-${this.#runId}.jsonl`);
    writeFileSync(path, formatHistory([...this.#recorder.events]));
    const { passed, lines } = judge(this.#recorder.events);
    for (const line of lines) this.#terminal.progress(`     ${line}`);
    this.#terminal.progress(`     the history: ${path} (check it again with: npx polder check ${path})`);
    return passed && this.#failedSteps === 0;
  }

  /** The name of the first of `members` that acknowledges a write; all of them are asked at once, again and again. */
  async #untilWrite(members: readonly MemberOf[]): Promise<string> {
    const deadlineMs = performance.now() + WRITE_LIMIT_MS;
    let first: string | null = null;
    const ask = async (member: MemberOf): Promise<void> => {
      const client = new RecordedClient(this.#recorder);
      await this.#with(member, async (at) => {
        while (first === null && performance.now() < deadlineMs) {
          const { key, value } = this.#workload.fresh();
          const outcome = await client.write(at, key, value, ATTEMPT_TIMEOUT_MS);
          if (outcome.type === 'ok') {
            this.#workload.acknowledged(key, value);
            first ??= member.name;
            return;
          }
          await sleep(POLL_MS);
        }
      });
    };
    await new Promise<void>((resolve, reject) => {
      let asking = members.length;
      for (const member of members) {
        void ask(member).then(() => {
          asking--;
          if (first !== null || asking === 0) resolve();
        }, reject);
      }
    });
    if (first === null) throw new Error(`no write was acknowledged within ${WRITE_LIMIT_MS / 1000} s`);
    return first;
  }

  /** Until every member answers and names the same leader of the same term. */
  async #everyoneAgrees(limitMs: number): Promise<{ member: MemberOf; status: MemberStatus }> {
    const deadlineMs = performance.now() + limitMs;
    for (;;) {
      const statuses = await this.#statuses();
      const leaders = statuses.flatMap((status, index) =>
        status !== null && isLeader(status) ? [{ status, member: this.#located.members[index] as MemberOf }] : [],
      );
      const [leader] = leaders;
      const agreed = statuses.every(
        (status) => status !== null && knowsLeader(status) && status.term === leader?.status.term,
      );
      if (leader !== undefined && leaders.length === 1 && agreed) return leader;
      if (performance.now() > deadlineMs) {
        throw new Error(`the members did not agree on a leader within ${limitMs / 1000} s: ${summary(statuses)}`);
      }
      await sleep(POLL_MS);
    }
  }

  #statuses(): Promise<(MemberStatus | null)[]> {
    return Promise.all(this.#located.members.map((member) => fetchStatus(member.url)));
  }

  async #contentsOf(member: MemberOf): Promise<{ text: string; keys: number }> {
    const from = new TextEncoder().encode(this.#prefix);
    const rangeEnd = new TextEncoder().encode(`${this.#prefix.slice(0, -1)}0`); // '0' follows '/'
    return this.#with(member, async (at) => {
      const { kvs } = await at.range(from, { rangeEnd, serializable: true }, ATTEMPT_TIMEOUT_MS * 4);
      const line = (kv: (typeof kvs)[number]): string =>
        [Buffer.from(kv.key), Buffer.from(kv.value)].map((each) => each.toString('base64')).join(' ') +
        ` ${kv.createRevision} ${kv.modRevision} ${kv.version}`;
      return { text: kvs.map(line).join('\n'), keys: kvs.length };
    });
  }

  async #with<T>(member: MemberOf, operate: (client: MemberClient) => Promise<T>): Promise<T> {
    const client = new MemberClient(member.url);
    try {
      return await operate(client);
    } finally {
      await client.close();
    }
  }
}

function isEqualState(status: MemberStatus, first: MemberStatus | null): boolean {
  return status.commit === status.applied && status.commit === first?.commit && status.revision === first.revision;
}

function describe(failure: { readonly message: string } | null): string {
  return failure?.message ?? 'refused';
}

function summary(statuses: readonly (MemberStatus | null)[]): string {
  return statuses
    .map((status) =>
      status === null
        ? 'no answer'
        : `${status.name} ${status.role} term ${status.term} commit ${status.commit} applied ${status.applied}`,
    )
    .join('; ');
}

export function formatMs(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}
