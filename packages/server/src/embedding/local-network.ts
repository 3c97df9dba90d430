/** Members of one process, without sockets: for tests, and for services that want the machinery before the machines. */
import { assert, PolderError } from '@polder/core';
import type { PeerTransport } from '../transport/index.ts';

/** What a member needs of whatever carries its frames. */
export type MemberTransport = Pick<PeerTransport, 'send' | 'listen' | 'reachable' | 'close'>;

type OnFrame = (from: number, directory: number, frame: Uint8Array) => void;

interface Port {
  readonly directory: number;
  readonly onFrame: OnFrame;
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
  join(member: { readonly id: number; readonly name: string }, directory: number, onFrame: OnFrame): MemberTransport {
    const { id, name } = member;
    this.#names.set(name, id);
    return {
      listen: async () => {
        assert(!this.#ports.has(id), 'a member joins a network once at a time');
        this.#ports.set(id, { directory, onFrame });
      },
      send: (to, frame) => this.#send(id, to, directory, frame),
      reachable: () =>
        this.#cut.has(id) ? [] : [...this.#ports.keys()].filter((to) => to !== id && !this.#cut.has(to)),
      close: async () => {
        if (this.#ports.get(id)?.onFrame === onFrame) this.#ports.delete(id);
      },
    };
  }

  #send(from: number, to: number, directory: number, frame: Uint8Array): void {
    setImmediate(() => {
      if (this.#cut.has(from) || this.#cut.has(to)) return;
      this.#ports.get(to)?.onFrame(from, directory, frame);
    });
  }

  #idOf(name: string): number {
    const id = this.#names.get(name);
    if (id !== undefined) return id;
    throw new PolderError('UnknownMember', `no member named ${name} was started on this network: start it first`);
  }
}
