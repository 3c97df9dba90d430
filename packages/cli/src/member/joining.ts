/** A new member, from a process that does not run yet to a learner that has caught up: each step may be repeated. */
import { clientUrl, readClusterFile } from '../cluster/cluster-file.ts';
import { askControl } from '../cluster/control.ts';
import { type Located, locate, parseEndpoint, type Whereabouts } from '../cluster/locate.ts';
import { type ConfiguredMember, fetchStatus } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { type ClusterView, viewCluster } from './cluster-view.ts';
import { performMembership } from './membership-call.ts';

const POLL_MS = 50;
const START_TIMEOUT_MS = 20_000;
const CALL_TIMEOUT_MS = 10_000;

export interface JoinOptions extends Whereabouts {
  /** Where a process that was started with --join listens for its peers. */
  readonly peerUrl?: string;
  /** For the learner to catch up. */
  readonly timeoutMs: number;
}

/** The learner, new or from an earlier run of the command that did not end. */
export async function joinedLearner(
  name: string | undefined,
  options: JoinOptions,
  terminal: Terminal,
): Promise<ConfiguredMember> {
  const located = locate(options);
  const view = await viewCluster(located);
  const wanted = name ?? (options.peerUrl === undefined ? `m${view.nextMember}` : undefined);
  const present = view.members.find((member) => member.name === wanted);
  if (present !== undefined) {
    terminal.progress(`${present.name} is ${present.isLearner ? 'a learner' : 'a member'} already`);
    return present;
  }
  const { host, port } =
    options.peerUrl === undefined
      ? await startedJoiner(located, wanted ?? '', view, terminal)
      : addressOf(parseEndpoint(options.peerUrl));
  const id = await performMembership(located, { type: 'add', host, port }, CALL_TIMEOUT_MS);
  const learner = (await viewCluster(locate(options))).members.find((member) => member.id === id);
  if (learner === undefined) throw new CommandError(ExitCode.unknown, `member ${id} was added, and is gone again`);
  terminal.progress(`${learner.name} is a learner, with number ${id}`);
  return learner;
}

/** Has `polder up` start a process, or go on with the one that an earlier run left behind. */
async function startedJoiner(located: Located, name: string, view: ClusterView, terminal: Terminal) {
  const { file, directory } = located;
  if (file === null || directory === null) {
    const how = 'start it with "polder serve --join", then give --peer-url, where it listens for its peers';
    throw new CommandError(ExitCode.unknown, `with --endpoints no process is started here: ${how}`);
  }
  const left = file.members.find((member) => member.name === name);
  // Its number was taken by another one meanwhile: it has to begin anew.
  if (left !== undefined && left.id !== view.nextMember) await askControl(file, { type: 'forget' }, name);
  await askControl(file, { type: 'join', id: view.nextMember }, name);
  const entry = readClusterFile(directory)?.members.find((member) => member.name === name);
  if (entry === undefined)
    throw new CommandError(ExitCode.failure, `"polder up" did not start ${name}: see its output`);
  await until(
    START_TIMEOUT_MS,
    async () => (await fetchStatus(clientUrl(entry))) !== null,
    () => {
      return `${name} was started and does not answer: its log is in ${directory}. Then run the command again`;
    },
  );
  terminal.progress(`${name} runs, and waits to be added`);
  return { host: entry.peerHost, port: entry.peerPort };
}

export async function until(timeoutMs: number, isSo: () => Promise<boolean>, why: () => string): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new CommandError(ExitCode.failure, why());
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

export function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}
