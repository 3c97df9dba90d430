/** Members of one process, without sockets: for tests, and for services that want the machinery before the machines. */
import { assert, PolderError } from '@polder/core';
import type { Hello, PeerTransport } from '../transport/index.ts';

/** What a member needs of whatever carries its frames. */
export type MemberTransport = Pick<PeerTransport, 'send' | 'listen' | 'reachable' | 'close' | 'ask' | 'setPeers'>;

export type OnChannelFrame = (from: number, directory: number, frame: Uint8Array, channel: number) => void;

type Introduction = Pick<Hello, 'member' | 'about' | 'joins'>;

interface Port {
  readonly introduction: Introduction;
  readonly directory: number;
  readonly onFrame: OnChannelFrame;
}

interface Sent {
  readonly from: number;
  readonly to: number;
  readonly directory: number;
  readonly frame: Uint8Array;
  readonly channel: number;
}

/** Joins those members of one cluster that were started with it. Frames arrive in order, in a later turn. */
export class LocalNetwork {
  readonly #ports = new Map<number, Port>();
  readonly #names = new Map<string, number>();
  readonly #cut = new Set<number>();

  /** Frames from and to this member are lost from now on; it goes on, and knows nothing of it. */
  cut(name: string): void {
    this.#cut.add(this.#idOf(name));
  }

  heal(name: string): void {
    this.#cut.delete(this.#idOf(name));
  }

  /** For a member. */
  join(introduction: Introduction, directory: number, onFrame: OnChannelFrame): MemberTransport {
    const { member: id, about } = introduction;
    const { name } = about;
    this.#names.set(name, id);
    return {
      listen: async () => {
        assert(!this.#ports.has(id), 'a member joins a network once at a time');
        this.#ports.set(id, { introduction, directory, onFrame });
      },
      ask: async ({ host }) => this.#ask(host, id),
      setPeers: () => {},
      send: (to: number, frame: Uint8Array, channel?: number) =>
        this.#send({ from: id, to, directory, frame, channel: channel ?? 0 }),
      reachable: () =>
        this.#cut.has(id) ? [] : [...this.#ports.keys()].filter((to) => to !== id && !this.#cut.has(to)),
      close: async () => {
        if (this.#ports.get(id)?.onFrame === onFrame) this.#ports.delete(id);
      },
    };
  }

  /** Its name is a member's address here. */
  #ask(name: string, to: number): Hello {
    const port = this.#ports.get(this.#names.get(name) ?? 0);
    if (port === undefined) throw new PolderError('NotReachable', `no member named ${name} runs on this network`);
    return { ...port.introduction, directory: port.directory, cluster: '', to };
  }

  #send({ from, to, directory, frame, channel }: Sent): void {
    setImmediate(() => {
      if (this.#cut.has(from) || this.#cut.has(to)) return;
      this.#ports.get(to)?.onFrame(from, directory, frame, channel);
    });
  }

  #idOf(name: string): number {
    const id = this.#names.get(name);
    if (id !== undefined) return id;
    throw new PolderError('UnknownMember', `no member named ${name} was started on this network: start it first`);
  }
}
