import {
  type ChangeOutcome,
  type Configuration,
  changed,
  type DriverStatus,
  type MembershipChange,
  mayVote,
  memberOf,
  PolderError,
  unreachable,
} from '@polder/core';
import { encodeMemberContext, type PeerTransport } from '../transport/index.ts';
import { forwardToLeader } from './forward.ts';
import type { MembershipRequest, NumberedChange } from './request.ts';
import { hostAndPort, type Roster } from './roster.ts';

const RETRY_MS = 25;
const ASK_TIMEOUT_MS = 2_000;

/** What of a driver the service uses. */
export interface MembershipDriver {
  changeMembership(changes: readonly MembershipChange[]): number;
  transferLeadership(to: number): void;
  status(): DriverStatus;
}

export interface MembershipServiceOptions {
  readonly driver: () => MembershipDriver;
  /** A turn soon. */
  readonly schedule: () => void;
  readonly roster: Roster;
  readonly transport: Pick<PeerTransport, 'ask' | 'reachable'>;
  readonly member: number;
}

/**
 * Changes who the members are, at whichever member is asked: the leader does it, the others hand it on. Throws a
 * PolderError. Nothing was changed: `MemberNotFound`, `InvalidChange`, `LearnerBehind`, `NotEnoughStarted`,
 * `BadTransferee`, `NotReachable`, `NotJoining`, `NotLeader`, `NoLeader`, `ChangeUnderWay`, `Stopped`.
 * It may or may not take effect: `Unknown`, `Timeout`.
 */
export class MembershipService {
  readonly #options: MembershipServiceOptions;
  readonly #waiting = new Map<number, (outcome: ChangeOutcome) => void>();
  #ended = false;

  constructor(options: MembershipServiceOptions) {
    this.#options = options;
  }

  /** The number of the member concerned; of a transfer: of the new leader. */
  async perform(request: MembershipRequest, signal: AbortSignal, forwarded = false): Promise<number> {
    for (;;) {
      try {
        return await this.#attempt(request, signal, forwarded);
      } catch (error) {
        const code = error instanceof PolderError ? error.code : '';
        const later = code === 'ChangeUnderWay' || code === 'NoLeader' || (code === 'NotLeader' && !forwarded);
        const behind = code === 'LearnerBehind' && request.type === 'change' && request.waits;
        if ((!later && !behind) || this.#ended || !(await slept(RETRY_MS, signal))) throw error;
      }
    }
  }

  onChanged(id: number, outcome: ChangeOutcome): void {
    this.#waiting.get(id)?.(outcome);
  }

  /** Whoever waits still learns that the outcome is not known. */
  end(): void {
    this.#ended = true;
    for (const settle of [...this.#waiting.values()]) settle({ type: 'rejected', reason: 'Unknown' });
  }

  #attempt(request: MembershipRequest, signal: AbortSignal, forwarded: boolean): Promise<number> {
    if (this.#ended) throw new PolderError('Stopped', 'this member is stopping, and nothing was changed');
    const { leader, role } = this.#options.driver().status();
    if (leader === 0) throw new PolderError('NoLeader', 'no leader is known here, and nothing was changed: try again');
    if (role === 'leader') return this.#lead(request, signal);
    const at = this.#options.roster.byId(leader);
    if (forwarded || at === undefined || at.clientPort === 0) {
      const name = this.#options.roster.nameOf(leader);
      throw new PolderError('NotLeader', `${name} leads, and only the leader changes the membership: ask it`);
    }
    return forwardToLeader(hostAndPort(at.clientHost, at.clientPort), request, signal);
  }

  async #lead(request: MembershipRequest, signal: AbortSignal): Promise<number> {
    switch (request.type) {
      case 'add':
        return this.#add(request.host, request.port, signal);
      case 'change': {
        await this.#change(request.changes.map(toChange), signal);
        return request.changes[0]?.member ?? 0;
      }
      case 'readdress':
        return this.#readdress(request.member, request.host, request.port, signal);
      case 'transfer':
        return this.#transfer(request.to, signal);
      default:
        return unreachable(request);
    }
  }

  // ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────

  async #add(host: string, port: number, signal: AbortSignal): Promise<number> {
    const found = await this.#options.transport.ask({ host, port }, ASK_TIMEOUT_MS);
    const { member: id, directory, about } = found;
    const { roster } = this.#options;
    const present = roster.byId(id);
    if (present !== undefined && present.directory === directory) return id;
    const { nextMember } = this.#configuration();
    if (!found.joins) {
      const how = `start it with --join and the number ${nextMember}, on an empty directory`;
      throw new PolderError('NotJoining', `the process at ${hostAndPort(host, port)} was not started to join: ${how}`);
    }
    if (id < nextMember) {
      const why = `its number ${id} is or was another member’s, and none is used twice`;
      throw new PolderError('NotJoining', `${about.name} cannot be added: ${why}. Start it with number ${nextMember}`);
    }
    if (roster.members.some(({ name }) => name === about.name)) {
      throw new PolderError('InvalidChange', `there is a member ${about.name} already: give the new one another name`);
    }
    // Where the caller reached it counts for more than where it believes to be.
    const context = encodeMemberContext({ ...about, peerHost: host, peerPort: port });
    await this.#change([{ type: 'addLearner', id, directory, context }], signal);
    return id;
  }

  async #readdress(id: number, host: string, port: number, signal: AbortSignal): Promise<number> {
    const { roster, transport } = this.#options;
    const before = roster.byId(id);
    if (before === undefined) throw notFound(id);
    // If it runs there already, it knows where its clients find it.
    const found = await transport.ask({ host, port }, ASK_TIMEOUT_MS).catch(() => null);
    const about = found?.member === id ? found.about : before;
    const context = encodeMemberContext({ ...about, name: before.name, peerHost: host, peerPort: port });
    await this.#change([{ type: 'readdress', id, context }], signal);
    return id;
  }

  async #change(changes: readonly MembershipChange[], signal: AbortSignal): Promise<void> {
    this.#check(changes);
    const outcome = await this.#outcomeOf(changes, signal);
    if (outcome.type === 'changed') return;
    const { reason } = outcome;
    // It was valid a moment ago: another change came between.
    const code = reason === 'InvalidChange' ? 'ChangeUnderWay' : reason;
    throw new PolderError(code, REASONS[code] ?? 'the membership was not changed: try again');
  }

  #check(changes: readonly MembershipChange[]): void {
    const configuration = this.#configuration();
    if (configuration.joint) throw new PolderError('ChangeUnderWay', 'an earlier change is under way: try again');
    for (const { type, id } of changes) {
      if (type !== 'addLearner' && memberOf(configuration, id) === undefined) throw notFound(id);
    }
    const next = changed(configuration, changes);
    if (!next.joint) return;
    const { transport, member, roster } = this.#options;
    const there = new Set([member, ...transport.reachable()]);
    const away = changes.find(({ type, id }) => type === 'promote' && !there.has(id));
    if (away !== undefined) {
      const why = `${roster.nameOf(away.id)} is not connected, and so has not caught up: try again later`;
      throw new PolderError('LearnerBehind', `the membership was not changed: ${why}`);
    }
    const voters = next.members.filter(({ votes }) => votes).map(({ id }) => id);
    const started = voters.filter((id) => there.has(id)).length;
    if (started * 2 > voters.length) return;
    const why = `${started} of the ${voters.length} voters that there would be are connected, and a majority is needed`;
    throw new PolderError('NotEnoughStarted', `the membership was not changed: ${why}`);
  }

  #outcomeOf(changes: readonly MembershipChange[], signal: AbortSignal): Promise<ChangeOutcome> {
    return new Promise((resolve, reject) => {
      const id = this.#options.driver().changeMembership(changes);
      const settle = (outcome: ChangeOutcome): void => {
        this.#waiting.delete(id);
        signal.removeEventListener('abort', onAbort);
        resolve(outcome);
      };
      const onAbort = (): void => {
        this.#waiting.delete(id);
        reject(new PolderError('Timeout', 'the change did not complete in time: list the members before trying again'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, settle);
      this.#options.schedule();
    });
  }

  #configuration(): Configuration {
    return this.#options.driver().status().configuration;
  }

  // ── leadership ──────────────────────────────────────────────────────────────────────────────────────────────

  /** A transfer is given up after an election time-out: asked for again until it is done or the time is up. */
  async #transfer(wanted: number, signal: AbortSignal): Promise<number> {
    const { member, driver, schedule, transport, roster } = this.#options;
    const voters = transport.reachable().filter((id) => mayVote(this.#configuration(), id));
    const to = wanted === 0 ? (voters[0] ?? 0) : wanted;
    if (to === member) return to;
    if (to === 0) throw new PolderError('BadTransferee', 'no other voter is connected: nobody could lead');
    if (!mayVote(this.#configuration(), to)) {
      throw new PolderError('BadTransferee', `${roster.nameOf(to)} is no voter, and cannot lead`);
    }
    for (let turn = 0; ; turn++) {
      const { leader, role } = driver().status();
      if (role !== 'leader' && leader !== 0) return leader;
      if (role === 'leader' && turn % 10 === 0) driver().transferLeadership(to);
      schedule();
      if (!(await slept(RETRY_MS, signal))) {
        throw new PolderError(
          'Timeout',
          `${roster.nameOf(to)} did not take over in time: polder status shows who leads`,
        );
      }
    }
  }
}

const REASONS: Readonly<Record<string, string>> = {
  NotLeader: 'this member leads no more, and nothing was changed: try again',
  ChangeUnderWay: 'an earlier change of the membership is not complete: try again',
  LearnerBehind: 'the learner has not caught up with the leader, and nothing was changed: try again later',
  Unknown: 'the leader was deposed meanwhile, and the change may or may not take effect: list the members',
};

function toChange({ type, member: id }: NumberedChange): MembershipChange {
  return { type, id };
}

function notFound(id: number): PolderError {
  return new PolderError('MemberNotFound', `there is no member with number ${id}: list the members`);
}

/** false: the signal came first. */
function slept(delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const done = (value: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    };
    const onAbort = (): void => done(false);
    const timer = setTimeout(() => done(true), delayMs);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
