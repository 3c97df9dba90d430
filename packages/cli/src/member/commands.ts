/** `polder member add|promote|remove|replace` and `polder transfer`. */
import type { NumberedChange } from '@polder/server';
import { readClusterFile } from '../cluster/cluster-file.ts';
import { askControl } from '../cluster/control.ts';
import { locate, parseEndpoint, type Whereabouts } from '../cluster/locate.ts';
import { type ConfiguredMember, fetchStatus } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { memberNamed, viewCluster } from './cluster-view.ts';
import { addressOf, type JoinOptions, joinedLearner, until } from './joining.ts';
import { MembershipRefusal, performMembership } from './membership-call.ts';

const STEP_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;

export interface MemberOptions extends Whereabouts {
  readonly json?: boolean;
  readonly timeoutMs: number;
}

export async function addMember(
  name: string | undefined,
  options: MemberOptions & JoinOptions & { readonly learner: boolean },
  terminal: Terminal,
): Promise<void> {
  const member = await joinedLearner(name, options, terminal);
  if (member.isLearner && !options.learner) {
    await caughtUp(member, [{ type: 'promote', member: member.id }], options, terminal);
    terminal.progress(`${member.name} votes`);
  }
  await show(member.name, options, terminal);
}

export async function promoteMember(name: string, options: MemberOptions, terminal: Terminal): Promise<void> {
  const member = memberNamed(await viewCluster(locate(options)), name);
  if (!member.isLearner) throw new CommandError(ExitCode.failure, `${name} votes already`);
  await caughtUp(member, [{ type: 'promote', member: member.id }], options, terminal);
  await show(name, options, terminal);
}

export async function removeMember(name: string, options: MemberOptions, terminal: Terminal): Promise<void> {
  const located = locate(options);
  const view = await viewCluster(located);
  const isLeftBehind = located.file?.members.some((entry) => entry.name === name) === true;
  if (isLeftBehind && !view.members.some((member) => member.name === name)) {
    // It was started and never added, or removed by a run that did not end.
    await ended(name, options, terminal);
    terminal.data(options.json === true ? JSON.stringify({ removed: name }) : `${name} removed`);
    return;
  }
  const { id } = memberNamed(view, name);
  await performMembership(
    located,
    { type: 'change', changes: [{ type: 'remove', member: id }], waits: false },
    CALL_TIMEOUT_MS,
  );
  terminal.progress(`${name} is no member any more`);
  await ended(name, options, terminal);
  terminal.data(options.json === true ? JSON.stringify({ removed: name, id }) : `${name} removed`);
}

/** The new one votes and the old one is gone in the same step: there never are more voters, or fewer. */
export async function replaceMember(
  old: string,
  name: string | undefined,
  options: MemberOptions & JoinOptions,
  terminal: Terminal,
): Promise<void> {
  const view = await viewCluster(locate(options));
  const leaving = view.members.find((member) => member.name === old);
  const done = leaving === undefined && view.members.some((member) => member.name === name && !member.isLearner);
  if (!done) {
    const { id } = memberNamed(view, old);
    const learner = await joinedLearner(name, options, terminal);
    const promote: NumberedChange[] = learner.isLearner ? [{ type: 'promote', member: learner.id }] : [];
    await caughtUp(learner, [...promote, { type: 'remove', member: id }], options, terminal);
    terminal.progress(`${learner.name} votes in the place of ${old}`);
    await ended(old, options, terminal);
    return show(learner.name, options, terminal);
  }
  await ended(old, options, terminal);
  await show(name ?? '', options, terminal);
}

/** It has moved its listener for peers, or is about to. */
export async function updateMember(
  name: string,
  options: MemberOptions & { readonly peerUrl: string },
  terminal: Terminal,
): Promise<void> {
  const located = locate(options);
  const { id } = memberNamed(await viewCluster(located), name);
  const request = { type: 'readdress', member: id, ...addressOf(parseEndpoint(options.peerUrl)) } as const;
  await performMembership(located, request, CALL_TIMEOUT_MS);
  await show(name, options, terminal);
}

export async function transferLeadership(
  name: string | undefined,
  options: MemberOptions,
  terminal: Terminal,
): Promise<void> {
  const located = locate(options);
  const view = await viewCluster(located);
  const to = name === undefined ? 0 : memberNamed(view, name).id;
  const id = await performMembership(located, { type: 'transfer', to }, options.timeoutMs);
  const leader = view.members.find((member) => member.id === id)?.name ?? String(id);
  if (name !== undefined && leader !== name) {
    throw new CommandError(ExitCode.failure, `${leader} leads now, not ${name}: run the command again`);
  }
  terminal.data(options.json === true ? JSON.stringify({ leader }) : `${leader} leads`);
}

/** Makes the changes as soon as the learner has what the leader has; says how far it is meanwhile. */
async function caughtUp(
  learner: ConfiguredMember,
  changes: readonly NumberedChange[],
  options: MemberOptions,
  terminal: Terminal,
): Promise<void> {
  const deadlineMs = performance.now() + options.timeoutMs;
  for (;;) {
    const leftMs = Math.max(1, Math.ceil(deadlineMs - performance.now()));
    const timeoutMs = Math.min(STEP_TIMEOUT_MS, leftMs);
    try {
      await performMembership(locate(options), { type: 'change', changes, waits: true }, timeoutMs);
      return;
    } catch (error) {
      if (!(error instanceof MembershipRefusal) || error.code !== 'LearnerBehind') throw error;
      const [status, view] = await Promise.all([fetchStatus(learner.clientUrl), viewCluster(locate(options))]);
      const reached = status === null ? 'does not answer' : `has ${status.lastIndex} of ${view.commit} entries`;
      if (performance.now() >= deadlineMs) {
        const stays = `${learner.name} stays a learner, and ${reached}`;
        throw new CommandError(ExitCode.failure, `${stays}. Nothing is lost: run the command again to go on`);
      }
      terminal.progress(`${learner.name} ${reached}`);
    }
  }
}

/** A removed member stops by itself; one that was dead before is only forgotten. */
async function ended(name: string, options: MemberOptions, terminal: Terminal): Promise<void> {
  const { file, directory } = locate(options);
  if (file === null || directory === null) {
    terminal.progress(`its process stops by itself, with exit code ${ExitCode.removed}`);
    return;
  }
  const entry = () => readClusterFile(directory)?.members.find((member) => member.name === name);
  const runs = entry()?.pid != null;
  if (runs) {
    const why = (): string => `${name} is removed, but its process goes on: see its log in ${directory}`;
    await until(STOP_TIMEOUT_MS, async () => entry()?.pid == null, why).catch((error: unknown) => {
      terminal.progress(error instanceof Error ? error.message : String(error));
    });
  }
  if (entry() !== undefined) await askControl(file, { type: 'forget' }, name);
  terminal.progress(`${name} has stopped; its data is still in ${directory}`);
}

async function show(name: string, options: MemberOptions, terminal: Terminal): Promise<void> {
  const { id, isLearner, peerUrl, clientUrl } = memberNamed(await viewCluster(locate(options)), name);
  const role = isLearner ? 'learner' : 'voter';
  terminal.data(
    options.json === true
      ? JSON.stringify({ name, id, isLearner, peerUrl, clientUrl })
      : `${name}  number ${id}  ${role}  peers ${peerUrl}  clients ${clientUrl}`,
  );
}
