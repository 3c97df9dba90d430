import type { CallOptions } from './calls.ts';
import type { MemberEvents } from './events.ts';
import type { CloseOptions, Host } from './host.ts';
import type { MembershipClient } from './membership-client.ts';
import type { MemberAddresses } from './options.ts';

/** Of any host, whatever it replicates. */
type AnyHost = Pick<
  Host<never, never, never, never>,
  'options' | 'events' | 'stopped' | 'leader' | 'membership' | 'transferLeadership' | 'close'
>;

/** What every member in the caller's process is, whatever it replicates. */
export abstract class HostedMember implements AsyncDisposable {
  readonly #host: AnyHost;

  constructor(host: AnyHost) {
    this.#host = host;
  }

  get name(): string {
    return this.#host.options.self.name;
  }

  get events(): MemberEvents {
    return this.#host.events;
  }

  /** Resolves once nothing of it is left: null if it was closed, else why it could not go on. */
  get stopped(): Promise<Error | null> {
    return this.#host.stopped;
  }

  /** As far as this member knows; null: it knows none. */
  leader(): MemberAddresses | null {
    return this.#host.leader();
  }

  /** Who the members are, and how that changes. */
  get membership(): MembershipClient {
    return this.#host.membership;
  }

  /**
   * Makes `to` lead, or the first that is reachable; resolves with the member that leads then. Throws `NotLeader`,
   * `UnknownMember`, `NotReachable`, or `Timeout` after five seconds at most: leadership may still change then.
   */
  transferLeadership(to?: string, options?: CallOptions): Promise<MemberAddresses> {
    return this.#host.transferLeadership(to, options);
  }

  /** Hands leadership over, ends what is under way as `Unknown`, and lets everything go. */
  close(options?: CloseOptions): Promise<void> {
    return this.#host.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
